/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_REPAIR_SILENCE_H
#define HOLDFAST_REPAIR_SILENCE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A program that does not answer (a userspace WireGuard that hangs): how often to ask it, and what to make of it. Who
 * asks waits in the agent's only loop, so each question is short, and fewer are asked the longer it is silent. Pure;
 * times are monotonic. Zeroed: it answers.
 */
enum {
	SILENCE_FIRST_MS = 250,    /* before the second question; doubles with each */
	SILENCE_LONGEST_MS = 4000, /* ... up to that */
	SILENCE_SURE = 3,          /* questions in a row without an answer: it does not answer */
	SILENCE_DEAD_MS = 10000,   /* it will not come back by itself */
};

struct silence {
	unsigned misses;
	int64_t since_ms, until_ms;
};

void silence_missed(struct silence *silence, int64_t now_ms);
void silence_heard(struct silence *silence);
/* Not to be asked yet. */
bool silence_lasts(const struct silence *silence, int64_t now_ms);
bool silence_is_sure(const struct silence *silence);
bool silence_is_dead(const struct silence *silence, int64_t now_ms);

#endif
