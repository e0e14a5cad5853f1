/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_LINES_H
#define HOLDFAST_CONTROLLER_IO_LINES_H

#include <stddef.h>

/* Lines for a person, collected: what is wrong with a fleet, which gateways refuse it and why. */
struct lines {
	size_t count, capacity;
	char **items; /* owned */
};

void lines_add(struct lines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));
void lines_clear(struct lines *lines);

#endif
