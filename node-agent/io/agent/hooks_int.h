/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_HOOKS_INT_H
#define HOLDFAST_AGENT_HOOKS_INT_H

#include "common/base/cause.h"
#include "common/base/texts.h"
#include "node-agent/core/hook/course.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/agent/hooks.h"
#include "node-agent/io/program/program.h"

struct hooks_dns; /* hooks_dns.c */

/* Inside of hooks.c, hooks_run.c, hooks_dns.c and hooks_record.c. */

/* A tunnel with hooks or name servers. */
struct hooked {
	struct agent *agent;
	char name[PROTO_INTERFACE_MAX + 1];
	struct texts lines[HOOKS], dns; /* of the last generation that had it */
	int64_t dns_look_ms; /* when to look at its name servers; 0: at once, they are others now */
	struct course course;
	bool flawed;                         /* in the look under way something of it failed */
	struct cause told;                   /* why its pre_up failed, which is tried again and again */
	bool lets_in;                        /* it goes, and its peers could not be taken off it */
	char failure[RECONCILE_FAILURE_MAX]; /* of its pre_up, or of taking its peers off; "": none */

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
	struct hooks_dns *dns;
	bool looking; /* one is under way */
	size_t count, capacity;
	struct hooked **items; /* owned, each */
	size_t apart_count, apart_capacity;
	char (*apart)[PROTO_INTERFACE_MAX + 1];
};

/* ---- hooks_run.c ---- */
/* Whatever its course asks for now. */
void hooks_run(struct hooked *hooked);

/* What it waited for is over, well or not. */
void hooks_dns_ended(struct hooked *hooked);

/* ---- hooks_dns.c ---- */
struct hooks_dns *hooks_dns_new(struct agent *agent);
void hooks_dns_free(struct hooks_dns *dns);
/* Set (none: taken back), sooner or later, instead of what was asked for before; hooks_dns_ended() if it waits, after 10 s
 * whatever became of it. False: that cannot be, and was logged. */
bool hooks_dns_set(struct hooked *hooked, const struct texts *servers, bool waits);

/* After a look: those that an agent before us left, or that could not be taken back, again. */
void hooks_dns_look(struct hooks *hooks);

/* ---- hooks_record.c ---- */
/* Of all that there are records of, one by one. */
void hooks_record_load(
	struct agent *agent, void (*found)(struct agent *agent, const char *name, struct texts lines[HOOKS],
				     const struct texts *dns, bool owes));
void hooks_record(struct hooked *hooked); /* as it is now, unless that is written already */
void hooks_record_anew(struct hooked *hooked);
void hooks_record_remove(struct hooked *hooked);

#endif
