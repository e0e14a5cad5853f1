/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_HOOKS_INT_H
#define HOLDFAST_AGENT_HOOKS_INT_H

#include "common/base/texts.h"
#include "node-agent/core/hook/course.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/agent/hooks.h"
#include "node-agent/io/program/program.h"

/* Inside of hooks.c, hooks_run.c and hooks_record.c. */

/* A tunnel with hooks. */
struct hooked {
	struct agent *agent;
	char name[PROTO_INTERFACE_MAX + 1];
	struct texts lines[HOOKS]; /* of the last generation that had it */
	struct course course;
	bool flawed;                         /* in the look under way something of it failed */
	char failure[RECONCILE_FAILURE_MAX]; /* of its pre_up; "": none */

	/* What runs. */
	enum desired_hook hook;
	struct texts running;
	size_t at;
	int64_t until_ms;
	struct program *program; /* NULL: none */

	bool recorded, recorded_owes;
};

struct hooks {
	struct programs *programs;
	bool looking; /* one is under way */
	size_t count, capacity;
	struct hooked **items; /* owned, each */
	size_t apart_count, apart_capacity;
	char (*apart)[PROTO_INTERFACE_MAX + 1];
};

/* ---- hooks_run.c ---- */
/* Whatever its course asks for now. */
void hooks_run(struct hooked *hooked);

/* ---- hooks_record.c ---- */
/* Of all that there are records of, one by one. */
void hooks_record_load(struct agent *agent,
	void (*found)(struct agent *agent, const char *name, struct texts lines[HOOKS], bool owes));
void hooks_record(struct hooked *hooked); /* as it is now, unless that is written already */
void hooks_record_anew(struct hooked *hooked);
void hooks_record_remove(struct hooked *hooked);

#endif
