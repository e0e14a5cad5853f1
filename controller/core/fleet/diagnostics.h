/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_DIAGNOSTICS_H
#define HOLDFAST_CONTROLLER_FLEET_DIAGNOSTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is wrong with a fleet, all of it, in the order of the files. Of a file that is wrong in 100,000 places
 * DIAGNOSTICS_MAX are kept, and all are counted.
 */
enum { DIAGNOSTICS_MAX = 1000, DIAGNOSTIC_TEXT_MAX = 2048 };

struct diagnostic {
	char *file; /* owned, as is text */
	unsigned source, line, column;
	unsigned order; /* in which it was found */
	bool warning;   /* the fleet works, but does what a person may not expect */
	char *text;
};

struct diagnostics {
	size_t count, capacity;
	struct diagnostic *items; /* owned */
	size_t errors, warnings;  /* all, also those beyond DIAGNOSTICS_MAX */
};

void diagnostics_clear(struct diagnostics *diagnostics);

/* "file:line:column: text", cut to the buffer; the same form for errors and warnings. Returns buffer. */
char *diagnostic_format(const struct diagnostic *diagnostic, char *buffer, size_t size);

#endif
