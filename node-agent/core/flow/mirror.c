/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/flow/mirror.h"

#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

#include "common/base/mem.h"

enum { SLOTS = 512 };

struct node {
	struct flow_key key;
	struct flow flow;
	int64_t refresh_s;
	bool stale; /* a whole list is under way, and has not told of it so far */
	UT_hash_handle hh;
	struct node *prev, *next; /* of its slot */
};

struct flow_mirror {
	size_t max;
	uint64_t run, last, refused;
	const char *refusal;
	bool whole, sweeping;
	int64_t heard_ms, ticked_s;
	struct node *table;
	struct node *slots[SLOTS]; /* by the second in which it is to be loaded anew, one round of many */
};

void flow_ops_clear(struct flow_ops *ops)
{
	free(ops->items);
	*ops = (struct flow_ops){0};
}

static void add_op(struct flow_ops *ops, enum flow_op_kind kind, const struct flow *flow)
{
	ops->items = mem_grow(ops->items, &ops->capacity, ops->count + 1, sizeof(*ops->items));
	ops->items[ops->count++] = (struct flow_op){.kind = kind, .flow = *flow};
}

struct flow_mirror *flow_mirror_new(size_t max)
{
	struct flow_mirror *mirror = mem_new(1, sizeof(*mirror));

	mirror->max = max;
	return mirror;
}

static struct node **slot_of(struct flow_mirror *mirror, const struct node *node)
{
	return &mirror->slots[(uint64_t)node->refresh_s % SLOTS];
}

static void forget(struct flow_mirror *mirror, struct node *node)
{
	struct node **slot = slot_of(mirror, node);

	DL_DELETE(*slot, node);
	HASH_DEL(mirror->table, node);
	free(node);
}

void flow_mirror_free(struct flow_mirror *mirror)
{
	struct node *node, *next;

	if (!mirror)
		return;
	HASH_ITER (hh, mirror->table, node, next)
		forget(mirror, node);
	free(mirror);
}

static struct node *find(const struct flow_mirror *mirror, const struct flow *flow)
{
	struct flow_key key = flow_key_of(flow);
	struct node *node;

	HASH_FIND(hh, mirror->table, &key, sizeof(key), node);
	return node;
}

/* Into its slot, which it is not in. */
static void load(struct flow_mirror *mirror, struct node *node, enum flow_op_kind kind, int64_t now_ms,
	struct flow_ops *ops)
{
	struct flow flow = node->flow;
	struct node **slot;

	if (flow.timeout_s < FLOW_MIRROR_LOAD_MIN_S)
		flow.timeout_s = FLOW_MIRROR_LOAD_MIN_S;
	node->refresh_s = now_ms / 1000 + flow.timeout_s / 2;
	slot = slot_of(mirror, node);
	DL_APPEND(*slot, node);
	add_op(ops, kind, &flow);
}

static void refuse(struct flow_mirror *mirror, const char *why)
{
	mirror->refused++;
	mirror->refusal = why;
}

static void drop(struct flow_mirror *mirror, struct node *node, struct flow_ops *ops)
{
	add_op(ops, FLOW_OP_DELETE, &node->flow);
	forget(mirror, node);
}

static bool translates_alike(const struct flow *a, const struct flow *b)
{
	struct flow now = *a;

	now.reply = b->reply;
	return flow_equal(&now, a);
}

static void change(struct flow_mirror *mirror, struct node *node, const struct flow *flow, int64_t now_ms,
	struct flow_ops *ops)
{
	bool same = flow_equal(&node->flow, flow);
	enum flow_op_kind kind = translates_alike(&node->flow, flow) ? FLOW_OP_UPDATE : FLOW_OP_LOAD;
	struct node **slot = slot_of(mirror, node);

	node->stale = false;
	node->flow = *flow;
	if (same)
		return;
	DL_DELETE(*slot, node);
	load(mirror, node, kind, now_ms, ops);
}

static void add(struct flow_mirror *mirror, const struct flow *flow, int64_t now_ms, struct flow_ops *ops)
{
	struct node *node = mem_new(1, sizeof(*node));

	node->key = flow_key_of(flow);
	node->flow = *flow;
	HASH_ADD(hh, mirror->table, key, sizeof(node->key), node);
	load(mirror, node, FLOW_OP_LOAD, now_ms, ops);
}

static void take_flow(struct flow_mirror *mirror, const struct flow_scope *scope, const struct flow *flow,
	int64_t now_ms, struct flow_ops *ops)
{
	struct node *node = find(mirror, flow);
	const char *why = flow_scope_refuse(scope, flow);

	if (!why && !node && HASH_COUNT(mirror->table) >= mirror->max)
		why = "more flows than are mirrored";
	if (why) {
		refuse(mirror, why);
		if (node)
			drop(mirror, node, ops);
	} else if (node) {
		change(mirror, node, flow, now_ms, ops);
	} else {
		add(mirror, flow, now_ms, ops);
	}
}

static void take_item(struct flow_mirror *mirror, const struct flow_scope *scope,
	const struct flow_item *item, int64_t now_ms, struct flow_ops *ops)
{
	struct node *node;

	if (!item->gone) {
		take_flow(mirror, scope, &item->flow, now_ms, ops);
		return;
	}
	node = find(mirror, &item->flow);
	if (node)
		drop(mirror, node, ops);
}

static void begin_sweep(struct flow_mirror *mirror)
{
	struct node *node, *next;

	mirror->whole = false;
	mirror->sweeping = true;
	HASH_ITER (hh, mirror->table, node, next)
		node->stale = true;
}

static void end_sweep(struct flow_mirror *mirror, struct flow_ops *ops)
{
	struct node *node, *next;

	mirror->whole = true;
	mirror->sweeping = false;
	HASH_ITER (hh, mirror->table, node, next)
		if (node->stale)
			drop(mirror, node, ops);
}

void flow_mirror_take(struct flow_mirror *mirror, const struct flow_scope *scope,
	const struct flow_page *page, int64_t now_ms, struct flow_ops *ops)
{
	if (page->from_start)
		begin_sweep(mirror);
	mirror->run = page->run;
	mirror->last = page->last;
	for (size_t i = 0; i < page->count; i++)
		take_item(mirror, scope, &page->items[i], now_ms, ops);
	if (mirror->sweeping && !page->more)
		end_sweep(mirror, ops);
	flow_mirror_hear(mirror, now_ms);
}

void flow_mirror_hear(struct flow_mirror *mirror, int64_t now_ms)
{
	mirror->heard_ms = now_ms;
}

static void refresh_slot(struct flow_mirror *mirror, int64_t second, int64_t now_ms, struct flow_ops *ops)
{
	struct node **slot = &mirror->slots[(uint64_t)second % SLOTS], *node, *next;

	DL_FOREACH_SAFE(*slot, node, next)
	{
		if (node->refresh_s > second)
			continue;
		DL_DELETE(*slot, node);
		load(mirror, node, FLOW_OP_UPDATE, now_ms, ops);
	}
}

/* Seconds in which nothing was to be refreshed, or the clock was not asked, are caught up with, each slot once. */
void flow_mirror_tick(struct flow_mirror *mirror, int64_t now_ms, struct flow_ops *ops)
{
	int64_t now_s = now_ms / 1000, from_s = mirror->ticked_s + 1;

	if (now_ms - mirror->heard_ms > FLOW_MIRROR_SILENT_MS)
		return;
	if (now_s - from_s >= SLOTS)
		from_s = now_s - SLOTS + 1;
	for (int64_t second = from_s; second <= now_s; second++)
		refresh_slot(mirror, second, now_ms, ops);
	mirror->ticked_s = now_s;
}

void flow_mirror_position(const struct flow_mirror *mirror, uint64_t *ret_run, uint64_t *ret_last)
{
	*ret_run = mirror->run;
	*ret_last = mirror->last;
}

bool flow_mirror_is_whole(const struct flow_mirror *mirror)
{
	return mirror->whole;
}

bool flow_mirror_has(const struct flow_mirror *mirror, const struct flow *flow)
{
	return find(mirror, flow);
}

size_t flow_mirror_count(const struct flow_mirror *mirror)
{
	return HASH_COUNT(mirror->table);
}

uint64_t flow_mirror_refused(const struct flow_mirror *mirror)
{
	return mirror->refused;
}

const char *flow_mirror_refusal(const struct flow_mirror *mirror)
{
	return mirror->refusal;
}
