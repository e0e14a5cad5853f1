/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_ATTEMPTS_H
#define HOLDFAST_CONTROLLER_IO_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"

/*
 * How many wrong tokens are told why they are wrong, and leave a line in the trail: so many from a source (addr_source()),
 * and so many from all together. A right token asks nobody here, so that no stranger keeps out who has one: with 256 bits
 * there is nothing to be guessed. No I/O, monotonic times.
 */
enum {
	ATTEMPTS_MAX = 30, /* at once, of a source; full again after ATTEMPTS_MS */
	ATTEMPTS_ALL_MAX = 120,
	ATTEMPTS_MS = 60000,
	ATTEMPTS_SOURCES_MAX = 64, /* remembered; one more takes the place of who has been quiet longest */
};

struct attempts_bucket {
	double left;
	int64_t filled_ms;
};

struct attempts {
	struct attempts_bucket all;
	size_t count;
	struct {
		struct addr source;
		struct attempts_bucket bucket;
	} sources[ATTEMPTS_SOURCES_MAX];
};

void attempts_init(struct attempts *attempts, int64_t now_ms);
/* One more wrong token from there. False: that was too much. */
bool attempts_spend(struct attempts *attempts, const struct addr *from, int64_t now_ms);

#endif
