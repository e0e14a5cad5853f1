/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FLOW_LOG_H
#define HOLDFAST_FLOW_LOG_H

#include "proto/flow.h"

/*
 * What an owner's kernel holds of an endpoint's flows, in the order of their changes, so that each standby can be told what
 * is new since it asked last: cost grows with the change, and the owner remembers nothing of who asked. Flows that are
 * gone are remembered, a limited number; whoever asks after an older change is told everything.
 *
 * Pure. Full, it drops for a new flow the oldest that is not ASSURED, else the oldest by change, and counts it.
 */
enum {
	FLOW_LOG_MAX = 65536,
	FLOW_LOG_GONE_MAX = 16384,
};

struct flow_log;

/* run: random, never 0. max: at least 1; gone_max: at least 2. */
struct flow_log *flow_log_new(uint64_t run, size_t max, size_t gone_max);
void flow_log_free(struct flow_log *log); /* NULL-safe */

/* News may come without TCP's state: take what is known of it. False: nothing is, and it is no use. */
bool flow_log_complete(const struct flow_log *log, struct flow *flow);
/* It is there, so. True if that is news. */
bool flow_log_put(struct flow_log *log, const struct flow *flow);
/* The same of one that a look found: unknown so far, it takes a place only if one is free. Whatever comes first would be dropped
 * for the rest otherwise, at each look. */
bool flow_log_see(struct flow_log *log, const struct flow *flow);
/* True if it was there. */
bool flow_log_remove(struct flow_log *log, const struct flow *flow);

/* Around a look at all that the kernel holds: what was neither found nor told of meanwhile is gone. */
void flow_log_look_begin(struct flow_log *log);
void flow_log_look_end(struct flow_log *log);
/* A first look has ended: before it, the log is not whole and nobody should be told. */
bool flow_log_is_whole(const struct flow_log *log);

uint64_t flow_log_last(const struct flow_log *log); /* the newest change; 0: none */
size_t flow_log_count(const struct flow_log *log);  /* flows that are there */
uint64_t flow_log_dropped(const struct flow_log *log);
size_t flow_log_untold(const struct flow_log *log); /* for which the last look found no place */

/* The changes after `after` of `run` (of another run, or one that is known no more: everything), the oldest first, at most max. Free with
 * flow_page_clear(). */
void flow_log_page(
	const struct flow_log *log, uint64_t run, uint64_t after, size_t max, struct flow_page *ret_page);

#endif
