/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CHECK_CHECK_H
#define HOLDFAST_CHECK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One check of the user's: when the next question is due, and what its answers amount to. Pure; times are monotonic.
 *
 * It is up until `fall` failures in a row, then down until `rise` successes in a row. Questions are `every` apart, the
 * first at a random moment within it, so that many checks, or many gateways, do not ask at once. One question is open
 * at a time: timeout is not longer than every.
 */
struct check_rule {
	uint32_t every_ms, timeout_ms; /* timeout_ms <= every_ms */
	uint32_t fall, rise;           /* 1 at least */
};

struct check {
	struct check_rule rule;
	bool down;
	uint32_t run;    /* answers in a row that speak against what it is */
	bool open;       /* a question is */
	int64_t next_ms; /* when the next one is due */
	int64_t asked_ms;
};

/* random: any number. */
void check_init(struct check *check, const struct check_rule *rule, uint32_t random, int64_t now_ms);

/* Shall a question be asked now? Then it is open from now on. */
bool check_ask(struct check *check, int64_t now_ms);
/* The open question has its answer, or has got none in time. Nothing if none is open. True: it is up, or down, since. */
bool check_answer(struct check *check, bool good);
bool check_is_late(const struct check *check, int64_t now_ms);

/* When check_ask() or check_is_late() says something else than before. */
int64_t check_deadline(const struct check *check);

#endif
