/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_HOLDING_H
#define HOLDFAST_CONTROLLER_IO_HOLDING_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/limits.h"
#include "proto/report.h"

struct agent;
struct controller;
struct desired;
struct generation_gateway;

/*
 * Which generation one agent holds and is being brought to. Level-triggered: holding_sync() compares what it reports
 * with what is in force and takes the next step, at every report, so that a gateway that was away gets what it lacks.
 */
enum {
	HOLDING_ANSWER_MS = 10000, /* so long a gateway may take to prepare, or to report that it holds it */
	HOLDING_RETRY_MS = 10000,  /* after a refusal */
};

enum holding_state {
	HOLDING_UNKNOWN = 0,    /* it has not reported since it connected */
	HOLDING_STAGING = 1,    /* a stage is out */
	HOLDING_STAGED = 2,     /* it can; an apply waits for the others */
	HOLDING_COMMITTING = 3, /* the commit is out */
	HOLDING_CURRENT = 4,    /* it reports the one in force */
	HOLDING_REFUSED = 5,    /* it cannot, error says why */
};

struct holding {
	enum holding_state state;
	uint64_t generation; /* that is staged or committed */
	int64_t since_ms;
	char error[sizeof((struct staged *)0)->error];
	/* The way from one generation to another that was last asked of the store (catching.h); 0: none. */
	uint64_t asked_from, asked_to;
};

const char *holding_state_name(enum holding_state state);

/* Does it report the generation in force, to the last byte? */
bool holding_is_current(const struct controller *controller, const struct agent *agent);
/* Send the next step, if there is one. */
void holding_sync(struct controller *controller, struct agent *agent);
/* Only the difference, if it holds the one in force; else all of it. */
void holding_stage(struct controller *controller, struct agent *agent, const struct generation_gateway *to,
	uint64_t generation);
/* The difference to that state, which it holds; NULL: all. */
void holding_stage_from(struct agent *agent, const struct desired *from, const struct generation_gateway *to,
	uint64_t generation);
void holding_commit(struct agent *agent, uint64_t generation);
/* Its answer to a stage of no apply: commit, or remember why not. */
void holding_take_answer(struct controller *controller, struct agent *agent, const struct staged *staged);
void holding_set(struct agent *agent, enum holding_state state, uint64_t generation);

#endif
