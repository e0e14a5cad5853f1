/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_APPLY_INT_H
#define HOLDFAST_CONTROLLER_IO_APPLY_INT_H

#include "controller/core/preparation/preparation.h"
#include "controller/io/apply/apply.h"
#include "controller/io/apply/members.h"

struct event;

/* An apply on its way, for the files of its phases: apply.c (which begins and ends it), staging.c, committing.c. */
enum phase { PHASE_MAKING, PHASE_STAGING, PHASE_STORING, PHASE_COMMITTING };

struct apply {
	struct controller *controller;
	enum phase phase;
	struct generation *next; /* owned until it is installed */
	uint64_t number;
	char hash[SHA256_HEX_MAX];
	struct members members;
	size_t asked; /* members that had their turn: a stage is posted, or need not be */
	struct lines errors, warnings, admits;
	bool forced, is_repeated;
	struct store_confirmation confirmation; /* given_ms 0: none */
	struct event *timer, *turn;
	struct preparation preparation; /* from when all are asked */
	apply_done *done;
	void *context;
};

/* NULL: it has no part in it, or there is no apply. */
struct apply_member *apply_member_of(const struct apply *apply, const char *gateway);
/* The timer, once; what it means is the phase's. */
void apply_arm(struct apply *apply, int ms);
/* The end, whatever it is: tell, and be gone. */
void apply_finish(struct apply *apply, int status);
/* Nothing has changed: agents forget the stage with the next one; what they lack of the old one they get now. */
void apply_fail(struct apply *apply, int status);

#endif
