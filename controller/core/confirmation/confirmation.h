/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_CONFIRMATION_H
#define HOLDFAST_CONTROLLER_CONFIRMATION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A generation that is rolled back unless somebody confirms it in time. Within one life of the controller the steady
 * clock counts; over a restart the wall clock's deadline, which is all that the disk knows: one that was set back gives
 * no more than there was, one that was set forward takes it away.
 */
enum { CONFIRMATION_RETRY_MS = 10000 /* between two attempts of a rollback that did not come about */ };

struct confirmation {
	bool awaited;
	uint64_t generation, back_to;
	int64_t given_ms;
	int64_t due_ms;  /* steady clock: from here on it is rolled back */
	int64_t next_ms; /* steady clock: the next attempt */
};

/* From now on generation is rolled back to back_to unless confirmed within given_ms. */
void confirmation_begin(struct confirmation *confirmation, uint64_t generation, uint64_t back_to,
	int64_t given_ms, int64_t now_ms);
/* The same after a restart: deadline_ms and wall_ms are of the wall clock. */
void confirmation_resume(struct confirmation *confirmation, uint64_t generation, uint64_t back_to,
	int64_t given_ms, int64_t deadline_ms, int64_t wall_ms, int64_t now_ms);
/* It was confirmed, or rolled back. */
void confirmation_end(struct confirmation *confirmation);

/* Still to go; 0: the time is over, or none is awaited. */
int64_t confirmation_left_ms(const struct confirmation *confirmation, int64_t now_ms);
/* The time is over: too late to confirm. */
bool confirmation_is_over(const struct confirmation *confirmation, int64_t now_ms);
/* Must it be rolled back now? If so, the next attempt is CONFIRMATION_RETRY_MS away. */
bool confirmation_attempt(struct confirmation *confirmation, int64_t now_ms);
/* When to ask next; -1: never. */
int64_t confirmation_deadline(const struct confirmation *confirmation);

#endif
