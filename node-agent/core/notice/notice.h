/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_NOTICE_NOTICE_H
#define HOLDFAST_NOTICE_NOTICE_H

#include <stdbool.h>

#include "proto/desired.h"

/*
 * What one program of the user's is told of a gateway's part in an endpoint: the state at the start, then each change,
 * one at a time. What changes while it runs is told when it has ended: the last state only, and nothing if that is
 * what it was told already. Pure.
 */
struct notice {
	unsigned when; /* bits, 1 << enum desired_state: of which it wants to be told */
	bool known, told_any, running;
	enum desired_state state, told; /* told: passed over counts, too */
};

void notice_init(struct notice *notice, unsigned when);
void notice_set(struct notice *notice, enum desired_state state);
/* Shall it be run now, and with what? Then it is running. */
bool notice_next(struct notice *notice, enum desired_state *ret_state);
void notice_ended(struct notice *notice);

#endif
