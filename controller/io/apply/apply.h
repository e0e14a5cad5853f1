/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_APPLY_H
#define HOLDFAST_CONTROLLER_IO_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/io/fleet/generation.h"
#include "proto/report.h"

struct agent;
struct controller;

/*
 * A fleet becomes a generation in two phases: every connected gateway prepares it and says whether it can; only if all
 * can is it written to the store and committed. Any refusal, and nothing has changed anywhere. One at a time.
 */
enum {
	APPLY_COMMIT_MS = 5000, /* so long the answer waits for gateways to report that they hold it */
	APPLY_CONFIRM_MIN_MS = 1000,
	APPLY_CONFIRM_MAX_MS = 24 * 60 * 60 * 1000,
};

struct apply;

enum apply_state {
	APPLY_STAGING = 0,
	APPLY_STAGED = 1,
	APPLY_REFUSED = 2,     /* at the end only where the apply went on without it */
	APPLY_UNREACHABLE = 3, /* not connected: gets it when it comes */
	APPLY_COMMITTED = 4,   /* reports that it holds it */
	APPLY_PENDING = 5,     /* was told to commit, has not reported it yet */
};

struct apply_member {
	char name[PROTO_NAME_MAX + 1];
	enum apply_state state;
	uint64_t boot;   /* which life of it was asked */
	int64_t lost_ms; /* while it prepares: since when it is away, monotonic; 0: it is not */
};

struct apply_result {
	int status; /* as in HTTP: 200, 404, 409, 422, 500 */
	bool changed;
	uint64_t generation;
	const char *hash;
	size_t member_count;
	const struct apply_member *members;
	const struct lines *errors, *warnings;
	const struct lines *admits; /* of a rollback: whom it lets in again, or lets do more */
	int64_t confirm_ms;         /* it is rolled back unless confirmed within that; 0: it stays */
};

/* Either files or an old generation. */
struct apply_request {
	struct bundle *bundle; /* what it owns is taken over; NULL: */
	uint64_t rollback_to;  /* the files of that generation */
	const char *who;       /* for the history, as is: */
	const char *what;      /* "" or "rollback to 3" */
	int64_t confirm_ms;    /* rolled back unless confirmed within that; 0: it stays */
	/* A rollback of what was not confirmed: goes on without gateways that refuse, as without those that are away. They keep
	 * what they have, do not serve, and are asked again. */
	bool forced;
	bool is_repeated; /* whoever asks will ask again by himself: nobody is told to */
};

typedef void apply_done(const struct apply_result *result, void *context);

/* done() is called once, maybe from inside this. While a confirmation is awaited (confirming.h) only a rollback goes. */
void apply_start(
	struct controller *controller, const struct apply_request *request, apply_done *done, void *context);
/* Nobody waits for the result any more; the apply goes on. */
void apply_forget(struct controller *controller, const void *context);
void apply_free(struct apply *apply); /* NULL-safe; tells nobody */

const char *apply_state_name(enum apply_state state);

/* How far it is, for people who wait. */
struct apply_progress {
	uint64_t generation;
	const char *phase; /* "making", "staging", "storing", "committing" */
	size_t gateways;   /* that take part: 0 until it is made */
	size_t ready;      /* have answered the stage; from the commit on: hold it */
};
/* NULL: none is under way, and 0 everywhere. */
struct apply_progress apply_look(const struct apply *apply);
/* Is this gateway part of an apply that has not been decided yet? Takes NULL. */
bool apply_has(const struct apply *apply, const char *gateway);

/* What gateways do meanwhile. */
bool apply_take_answer(struct controller *controller, struct agent *agent, const struct staged *staged);
void apply_take_report(struct controller *controller, const struct agent *agent);
/* Its connection has ended, and: it has another. Who does not come back in time (preparation.h), or was started again, counts as
 * one that refuses. */
void apply_take_loss(struct controller *controller, const struct agent *agent);
void apply_take_return(struct controller *controller, struct agent *agent);

#endif
