/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_BASE_CAUSE_H
#define HOLDFAST_BASE_CAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * Why something goes wrong each time that it is looked at: news once, and as long as it lasts again each hour, so that whoever
 * reads today's log finds it. Times are of one steady clock, in milliseconds.
 */
enum { CAUSE_AGAIN_MS = 3600 * 1000 };

struct cause {
	char text[ERR_WHERE_MAX + ERR_TEXT_MAX]; /* "": nothing is wrong, as at the beginning */
	int64_t told_ms;
};

/* It went wrong with this error. True: say so. */
bool cause_is_news(struct cause *cause, const struct err *err, int64_t now_ms);
/* It went well: whatever comes is news. */
void cause_is_over(struct cause *cause);

#endif
