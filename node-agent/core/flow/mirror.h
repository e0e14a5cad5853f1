/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FLOW_MIRROR_H
#define HOLDFAST_FLOW_MIRROR_H

#include "node-agent/core/flow/scope.h"
#include "proto/flow.h"

/*
 * A standby's copy of the owner's flows, and what its own kernel is to be told, so that it holds them before it serves.
 * They are loaded all along: a takeover finds them, however many there are. Entries of a kernel expire; while the owner says
 * that a flow is there, its entry is loaded anew at half its time. Once the owner is silent, entries expire by themselves.
 *
 * Pure; times are ms of the own monotonic clock.
 */
enum {
	/* Twice what an owner tells: what is no more is known only at the end of a whole list. */
	FLOW_MIRROR_MAX = 2 * 65536,
	FLOW_MIRROR_LOAD_MIN_S =
		30, /* an entry's time is at least that, or it would be loaded all the time */
	FLOW_MIRROR_SILENT_MS = 60000, /* an owner that says nothing for that long keeps no entry alive */
};

struct flow_mirror;

enum flow_op_kind {
	FLOW_OP_LOAD,   /* make the entry so, whatever is there */
	FLOW_OP_UPDATE, /* it is there: its state is another, or its time is to begin anew */
	FLOW_OP_DELETE,
};

struct flow_op {
	enum flow_op_kind kind;
	struct flow flow;
};

/* In the order in which they are to be done. Free with flow_ops_clear(). */
struct flow_ops {
	size_t count, capacity;
	struct flow_op *items;
};

void flow_ops_clear(struct flow_ops *ops);

struct flow_mirror *flow_mirror_new(size_t max);   /* flows; further ones are refused and counted */
void flow_mirror_free(struct flow_mirror *mirror); /* NULL-safe */

/* Flows that the scope refuses are counted and not taken. Appends to *ops. */
void flow_mirror_take(struct flow_mirror *mirror, const struct flow_scope *scope,
	const struct flow_page *page, int64_t now_ms, struct flow_ops *ops);
/* The owner answered that nothing is new. */
void flow_mirror_hear(struct flow_mirror *mirror, int64_t now_ms);
/* About once a second: what is to be loaded anew. */
void flow_mirror_tick(struct flow_mirror *mirror, int64_t now_ms, struct flow_ops *ops);

/* What to ask the owner for next. */
void flow_mirror_position(const struct flow_mirror *mirror, uint64_t *ret_run, uint64_t *ret_last);
/* All pages from the start on are in: what it does not have, the owner does not have. */
bool flow_mirror_is_whole(const struct flow_mirror *mirror);
bool flow_mirror_has(const struct flow_mirror *mirror, const struct flow *flow);
size_t flow_mirror_count(const struct flow_mirror *mirror);
uint64_t flow_mirror_refused(const struct flow_mirror *mirror);
const char *flow_mirror_refusal(const struct flow_mirror *mirror); /* of the last one; NULL: none yet */

#endif
