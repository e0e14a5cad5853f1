/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_PREPARATION_H
#define HOLDFAST_CONTROLLER_PREPARATION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How long an apply waits for gateways that prepare. Megabytes leave one gateway after the other and take each a while: as
 * long as any takes its own in, nobody is given up, since the apply waits for that one anyway; but there must be an answer
 * from somebody once in a while. All times are of one steady clock, in milliseconds.
 */
enum {
	PREPARATION_RETURN_MS = 2000,    /* so long one that prepares may be without a connection */
	PREPARATION_ANSWER_MS = 10000,   /* so long nobody may answer */
	PREPARATION_TAKES_IN_MS = 50000, /* the same while any takes in what it was sent */
};

struct preparation {
	int64_t begin_ms;
	int64_t since_ms; /* of the last answer, or the beginning */
};

/* All have been asked. */
void preparation_begin(struct preparation *preparation, int64_t now_ms);
/* One has answered, whatever it said. */
void preparation_answer(struct preparation *preparation, int64_t now_ms);
/* Whoever has not answered will not. */
bool preparation_is_over(const struct preparation *preparation, bool any_takes_in, int64_t now_ms);
/* One that is without a connection since lost_ms will not come back. */
bool preparation_is_over_for(
	const struct preparation *preparation, int64_t lost_ms, bool any_takes_in, int64_t now_ms);
/* How long all have waited, for people. */
int64_t preparation_so_far_ms(const struct preparation *preparation, int64_t now_ms);

#endif
