/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/flow/log.h"

#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

#include "common/base/mem.h"
#include "node-agent/core/flow/status.h"

enum class { ASSURED, FLEETING, GONE, CLASSES };

struct node {
	struct flow_key key;
	struct flow flow;
	enum class class;
	uint64_t change, look;
	UT_hash_handle hh;
	struct node *older, *newer; /* of all: the order of changes */
	struct node *prev, *next;   /* of its class, in the same order */
};

struct flow_log {
	uint64_t run, last, forgotten; /* forgotten: the newest change that is no longer known */
	uint64_t look, dropped;
	bool whole;
	size_t max, gone_max, counts[CLASSES];
	size_t placeless, untold; /* placeless: of the look under way */
	struct node *table, *changes, *classes[CLASSES];
};

struct flow_log *flow_log_new(uint64_t run, size_t max, size_t gone_max)
{
	struct flow_log *log = mem_new(1, sizeof(*log));

	log->run = run;
	log->max = max;
	log->gone_max = gone_max;
	return log;
}

static void unlink_node(struct flow_log *log, struct node *node)
{
	DL_DELETE2(log->changes, node, older, newer);
	DL_DELETE(log->classes[node->class], node);
	log->counts[node->class]--;
}

static void link_node(struct flow_log *log, struct node *node, enum class class)
{
	node->class = class;
	node->change = ++log->last;
	DL_APPEND2(log->changes, node, older, newer);
	DL_APPEND(log->classes[class], node);
	log->counts[class]++;
}

static void forget(struct flow_log *log, struct node *node)
{
	if (node->change > log->forgotten)
		log->forgotten = node->change;
	unlink_node(log, node);
	HASH_DEL(log->table, node);
	free(node);
}

void flow_log_free(struct flow_log *log)
{
	if (!log)
		return;
	while (log->changes)
		forget(log, log->changes);
	free(log);
}

static struct node *find(const struct flow_log *log, const struct flow *flow)
{
	struct flow_key key = flow_key_of(flow);
	struct node *node;

	HASH_FIND(hh, log->table, &key, sizeof(key), node);
	return node;
}

static void change_class(struct flow_log *log, struct node *node, enum class class)
{
	unlink_node(log, node);
	link_node(log, node, class);
}

static void make_gone(struct flow_log *log, struct node *node)
{
	change_class(log, node, GONE);
	if (log->counts[GONE] > log->gone_max)
		forget(log, log->classes[GONE]);
}

static void make_room(struct flow_log *log)
{
	struct node *oldest = log->classes[FLEETING] ? log->classes[FLEETING] : log->classes[ASSURED];

	if (flow_log_count(log) < log->max)
		return;
	log->dropped++;
	make_gone(log, oldest);
}

static enum class class_of(const struct flow *flow) {
	return flow->status & FLOW_STATUS_ASSURED ? ASSURED : FLEETING;
}

static struct node *add(struct flow_log *log, const struct flow *flow)
{
	struct node *node = mem_new(1, sizeof(*node));

	make_room(log);
	node->key = flow_key_of(flow);
	node->flow = *flow;
	HASH_ADD(hh, log->table, key, sizeof(node->key), node);
	link_node(log, node, class_of(flow));
	return node;
}

bool flow_log_complete(const struct flow_log *log, struct flow *flow)
{
	const struct node *node;

	if (flow->protocol != FLOW_TCP || flow->tcp_state)
		return true;
	node = find(log, flow);
	if (!node)
		return false;
	flow->tcp_state = node->flow.tcp_state;
	flow->tcp_scale[0] = node->flow.tcp_scale[0];
	flow->tcp_scale[1] = node->flow.tcp_scale[1];
	return true;
}

static bool update(struct flow_log *log, struct node *node, const struct flow *flow)
{
	bool same = node->class != GONE && flow_equal(flow, &node->flow);

	node->flow = *flow;
	if (same)
		return false;
	if (node->class == GONE) {
		change_class(log, node, GONE); /* room may have to be made, and not of this one */
		make_room(log);
	}
	change_class(log, node, class_of(flow));
	return true;
}

bool flow_log_put(struct flow_log *log, const struct flow *flow)
{
	struct node *node = find(log, flow);
	bool news = !node;

	if (node)
		news = update(log, node, flow);
	else
		node = add(log, flow);
	node->look = log->look;
	return news;
}

bool flow_log_see(struct flow_log *log, const struct flow *flow)
{
	const struct node *node = find(log, flow);

	if ((node && node->class != GONE) || flow_log_count(log) < log->max)
		return flow_log_put(log, flow);
	log->placeless++;
	return false;
}

bool flow_log_remove(struct flow_log *log, const struct flow *flow)
{
	struct node *node = find(log, flow);

	if (!node || node->class == GONE)
		return false;
	make_gone(log, node);
	return true;
}

void flow_log_look_begin(struct flow_log *log)
{
	log->look++;
	log->placeless = 0;
}

static void drop_unseen(struct flow_log *log, enum class class)
{
	struct node *node, *next;

	DL_FOREACH_SAFE(log->classes[class], node, next)
	if (node->look != log->look)
		make_gone(log, node);
}

void flow_log_look_end(struct flow_log *log)
{
	drop_unseen(log, ASSURED);
	drop_unseen(log, FLEETING);
	log->whole = true;
	log->untold = log->placeless;
}

size_t flow_log_untold(const struct flow_log *log)
{
	return log->untold;
}

bool flow_log_is_whole(const struct flow_log *log)
{
	return log->whole;
}

uint64_t flow_log_last(const struct flow_log *log)
{
	return log->last;
}

size_t flow_log_count(const struct flow_log *log)
{
	return log->counts[ASSURED] + log->counts[FLEETING];
}

uint64_t flow_log_dropped(const struct flow_log *log)
{
	return log->dropped;
}

/* Back from the newest: what is asked for is mostly little, and there. */
static const struct node *first_after(const struct flow_log *log, uint64_t after)
{
	const struct node *node = log->changes ? log->changes->older : NULL, *first = NULL;

	while (node && node->change > after) {
		first = node;
		node = node == log->changes ? NULL : node->older;
	}
	return first;
}

static void add_item(struct flow_page *page, size_t *capacity, const struct node *node)
{
	page->items = mem_grow(page->items, capacity, page->count + 1, sizeof(*page->items));
	page->items[page->count++] = (struct flow_item){.flow = node->flow, .gone = node->class == GONE};
}

void flow_log_page(
	const struct flow_log *log, uint64_t run, uint64_t after, size_t max, struct flow_page *ret_page)
{
	bool from_start = run != log->run || after < log->forgotten || after > log->last;
	const struct node *node = first_after(log, from_start ? 0 : after);
	struct flow_page page = {
		.run = log->run, .from_start = from_start, .last = from_start ? log->forgotten : after};
	size_t capacity = 0;

	for (; node && page.count < max; node = node->newer) {
		page.last = node->change;
		if (!from_start || node->class != GONE)
			add_item(&page, &capacity, node);
	}
	page.more = node != NULL;
	*ret_page = page;
}
