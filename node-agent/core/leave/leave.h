/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_LEAVE_LEAVE_H
#define HOLDFAST_LEAVE_LEAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A host that is about to go down keeps its gateway until its endpoints have moved away; an agent that is only started
 * anew moves nothing, since the kernel's lease carries on meanwhile. Pure. Times are monotonic.
 *
 * Who says that the host goes down is logind, before anything is stopped, or the service manager, when it has begun to
 * stop this agent. The controller hears it by report and moves what is here; when nothing is left, or nothing can be done
 * about it, the host is let go.
 */
enum {
	LEAVE_MAX_MS = 15000,  /* who has not been relieved by then will not be */
	LEAVE_ALONE_MS = 1000, /* without contact with a controller for that long nobody relieves it */
	LEAVE_ASK_MS = 1000,   /* a service manager that has not answered by then will not */
};

enum leave_event_kind {
	LEAVE_EVENT_TICK = 0,
	LEAVE_EVENT_HOST = 1,   /* the host is about to go down, or (no longer) is not: going_down */
	LEAVE_EVENT_STOP = 2,   /* this agent shall end */
	LEAVE_EVENT_DUTY = 3,   /* duties and connected, at every change */
	LEAVE_EVENT_ANSWER = 4, /* to ASK: going_down; counts while it is waited for only */
};

struct leave_event {
	enum leave_event_kind kind;
	bool going_down;
	size_t duties;  /* endpoints that this gateway serves, or still has a part in */
	bool connected; /* to a controller */
};

/* Flags: what is to be done, in this order. */
enum leave_action {
	LEAVE_ASK = 1 << 0,    /* the service manager whether the host goes down; then ANSWER */
	LEAVE_REPORT = 1 << 1, /* leave_is_leaving() has changed: tell the controller */
	LEAVE_HOLD = 1 << 2,   /* the host stays up after all: be told in time the next time, too */
	LEAVE_LET_GO = 1 << 3, /* the host may go down, as far as this gateway is concerned: see outcome */
	LEAVE_EXIT = 1 << 4,
};

enum leave_phase {
	LEAVE_STAYING = 0,
	LEAVE_ASKING = 1, /* to stop, but is it for the host's sake? */
	LEAVE_LEAVING = 2,
	LEAVE_LEFT = 3, /* nothing keeps the host any more */
};

/* Of LEFT. */
enum leave_outcome {
	LEAVE_RELIEVED = 0, /* nothing was or is left here */
	LEAVE_UNHEARD = 1,  /* there is no controller that could move it */
	LEAVE_LATE = 2,     /* it was not moved in time */
};

struct leave {
	enum leave_phase phase;
	enum leave_outcome outcome;
	bool stopping; /* EXIT as soon as the host is let go */
	size_t duties;
	bool connected;
	int64_t alone_ms;    /* not connected since; INT64_MAX: it is */
	int64_t deadline_ms; /* ASKING, LEAVING */
};

void leave_init(struct leave *leave, int64_t now_ms);
unsigned leave_step(struct leave *leave, const struct leave_event *event, int64_t now_ms);
int64_t leave_deadline(const struct leave *leave); /* INT64_MAX: none */
/* What the controller is told: move away what is here, and send nothing. */
bool leave_is_leaving(const struct leave *leave);

#endif
