/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_HOOK_COURSE_H
#define HOLDFAST_HOOK_COURSE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/desired.h"

/*
 * When the hooks of a fleet's tunnel run: around its making and its removing, and at nothing else. The loop does not wait for
 * them, so the tunnel does: it is left alone by the looks of the plan engine while its pre_up or pre_down runs. Pure: the
 * caller runs the hooks, and says what is there and what was done.
 *
 *   NONE -pre_up-> READY -made-> MADE -post_up-> UP -pre_down-> GOING -removed-> post_down -> OVER
 *
 * pre_up that fails keeps the tunnel from being made, and is tried again; that another failed changes nothing of the way.
 * A tunnel that is wanted again while it goes stays, with post_up once more, or is made anew after post_down.
 */
enum course_state {
	COURSE_NONE,      /* it is not there */
	COURSE_PREPARING, /* pre_up runs */
	COURSE_READY,     /* it may be made */
	COURSE_MADE,      /* perhaps not wholly yet */
	COURSE_FOLLOWING, /* post_up runs */
	COURSE_UP,
	COURSE_PARTING, /* pre_down runs */
	COURSE_GOING,   /* it may be removed */
	COURSE_CLOSING, /* it is gone; post_down runs */
	COURSE_OVER,    /* nothing of it is left */
};

enum { COURSE_RETRY_MIN_MS = 1000, COURSE_RETRY_MAX_MS = 30000 };

struct course {
	enum course_state state;
	bool wanted, there;
	bool unseen; /* the last look could not tell */
	bool asks;   /* for its state's hooks to be run */
	int64_t retry_ms, retry_at_ms;
};

/* One that is there, or was for all that is known, is as it was left; owed: but for its post_up. */
void course_begin(struct course *course, bool was_made, bool owed);
void course_want(struct course *course, bool wanted);
/* Its hooks are others now: a pre_up that failed is tried again at the next look. */
void course_hurry(struct course *course);

/* Before a look: is it there? Where that is not known the course stays as it is, and the look leaves it alone. */
enum course_sight { COURSE_MISSING, COURSE_SEEN, COURSE_UNSEEN };
void course_look(struct course *course, enum course_sight sight, int64_t now_ms);
/* During the look: this was done. */
void course_made(struct course *course);
void course_removed(struct course *course);
/* After the look; well: none of what makes it failed. */
void course_looked(struct course *course, bool well);

/* The look leaves it alone: it is neither made nor changed nor removed. */
bool course_is_apart(const struct course *course);
/* It is there, only until its hooks have ended: nobody shall be let in by it any more. */
bool course_shuts_out(const struct course *course);

/* Shall hooks be run now, and which? Asked once for each time. */
bool course_next(struct course *course, enum desired_hook *ret_hook);
/* They have ended: all with success, or one of them failed, and those behind it were not run. */
void course_ended(struct course *course, bool well, int64_t now_ms);
bool course_is_running(const struct course *course);
/* Did something come between, so that who begins anew with it has to run post_up? */
bool course_owes(const struct course *course);

#endif
