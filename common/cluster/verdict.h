/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLUSTER_VERDICT_H
#define HOLDFAST_CLUSTER_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cluster/burst.h"
#include "common/cluster/patience.h"
#include "common/cluster/timing.h"
#include "proto/datagram.h"

/*
 * What I hold of one gateway's life (FAILOVER rule 5 and section 3). Pure; times are ms of the own monotonic
 * clock; VERDICT_NEVER: it has not happened.
 *
 * Silence counts from the last datagram anyone received. After timing.suspect_ms the watcher calls everyone, sends a
 * burst of probes, each to its agent and to its kernel, and waits. DEAD when nothing answered anyone; AGENT_DOWN when only the kernel did.
 * A burst that no other observer confirms goes on to timing.probes_lone, calling again; and while observers who can be
 * heard have said nothing at all, it is made VERDICT_ROUNDS times. A watcher that has heard from nobody else since the
 * burst began, or lagged, or misses too many at once, cannot tell its own blindness from a death: BLIND, and it tries
 * again. Nor can one whose own path to it was silent before, while others heard it: then only their word can end it.
 */
enum { VERDICT_ROUNDS = 3 };
#define VERDICT_NEVER INT64_MIN

enum verdict_kind {
	VERDICT_UNKNOWN = 0, /* since my start, not heard yet, and not judged yet */
	VERDICT_ALIVE = 1,
	VERDICT_SUSPECT = 2,    /* silent; the burst is running */
	VERDICT_AGENT_DOWN = 3, /* UDP and TLS are silent, its kernel answers */
	VERDICT_DEAD = 4,       /* nothing answers anyone */
	VERDICT_BLIND = 5,      /* I cannot tell: my word does not count */
};

enum verdict_event_kind {
	VERDICT_EVENT_TICK = 0,  /* the deadline has come, or may have */
	VERDICT_EVENT_HEARD = 1, /* a datagram of its proven life, of any kind; at_ms by the kernel's stamp */
	VERDICT_EVENT_KERNEL = 2, /* its kernel answered one of my kernel probes */
	VERDICT_EVENT_REPORT = 3, /* another observer's silence_report about it */
	VERDICT_EVENT_TLS = 4,    /* its agent spoke to me over TLS */
	VERDICT_EVENT_LAGGED = 5, /* my own loop lagged more than timing.lag_ms */
};

/* What the watcher knows beside this gateway; filled by the caller for every event. */
struct verdict_view {
	size_t observers;       /* others I am in contact with who may be watching it too */
	int64_t other_heard_ms; /* the last datagram from anybody but it, or proof by a witness of the own path */
	size_t silent, watched; /* gateways silent for timing.together_ms, it included, of all that I watch */
	bool blind;             /* the caller knows that its own path is broken: no carrier, no witness */
	uint32_t wait_ms;       /* contact_wait_ms() of it */
	uint32_t probes;        /* may be sent to it now, as budget.h has it */
};

struct verdict_event {
	enum verdict_event_kind kind;
	struct verdict_view view;
	int64_t at_ms; /* HEARD: when it was received */
	struct {
		size_t observer;    /* any number below 64 that tells observers apart */
		uint32_t silent_ms; /* UINT32_MAX: never heard */
		bool burst_done, agent_answered, kernel_answered, blind;
	} report;
};

enum verdict_action_kind {
	VERDICT_ACTION_CALL = 1,         /* send everyone my silence_report, so that they probe as well */
	VERDICT_ACTION_PROBE = 2,        /* send it `count` probes */
	VERDICT_ACTION_KERNEL_PROBE = 3, /* send its kernel `count` probes */
	VERDICT_ACTION_RESULT = 4,       /* my burst is over or was answered: silence_report to everyone */
	VERDICT_ACTION_CHANGED = 5,      /* verdict->kind is another than before, or verdict->blocked is */
};

struct verdict_action {
	enum verdict_action_kind kind;
	uint32_t count;
};

enum { VERDICT_ACTIONS_MAX = 8 };

struct verdict_actions {
	size_t count;
	struct verdict_action items[VERDICT_ACTIONS_MAX];
};

struct verdict {
	struct timing timing;
	enum verdict_kind kind;
	int64_t since_ms;     /* of this kind */
	int64_t started_ms;   /* when watching began */
	int64_t heard_ms;     /* by myself */
	int64_t told_ms;      /* by anyone else, as they report it */
	int64_t tls_ms;       /* TLS */
	int64_t suspected_ms; /* when the present or last suspicion began */
	bool blocked;         /* ALIVE by TLS alone: "liveness port blocked", an alarm */
	bool by_others;       /* ALIVE, or BLIND since, only because others hear it */
	unsigned rounds;      /* of bursts that no observer has said a word about */
	struct burst burst;
	struct patience patience;
	int64_t recheck_ms; /* next burst without a fresh suspicion; INT64_MAX: none */
};

void verdict_init(struct verdict *verdict, const struct timing *timing, int64_t now_ms);

/* Appends to *actions, which the caller has emptied. */
void verdict_step(struct verdict *verdict, const struct verdict_event *event, int64_t now_ms,
	struct verdict_actions *actions);

/* My own silence report about it as of now, but for the name. result: what RESULT sends (a burst of mine is over), else
 * what CALL sends. */
void verdict_report(const struct verdict *verdict, bool result, bool blind, int64_t now_ms,
	struct datagram_silence *ret_silence);

/* "unknown", "alive", "suspect", "agent-down", "dead", "blind" */
const char *verdict_kind_name(enum verdict_kind kind);

/* deadline.c: when verdict_step() wants a TICK; INT64_MAX: never. */
int64_t verdict_deadline(const struct verdict *verdict);

/* How long it may be silent before it is called dead: timing.window_ms, or more if its link loses in bursts. */
uint32_t verdict_window_ms(const struct verdict *verdict, int64_t now_ms);

/* finding.c: the last sign of life by UDP that anyone had; VERDICT_NEVER. */
int64_t verdict_last_sign_ms(const struct verdict *verdict);

#endif
