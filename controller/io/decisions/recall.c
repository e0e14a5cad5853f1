/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/json/read.h"
#include "controller/io/decisions/state.h"

/*
 * Who has lost an endpoint too often (core/ownership/holddown.h), and whose an epoch was, is in no table of the store: it
 * follows from the orders among the events, which are written there anyway, a moment after them. A controller that starts goes
 * through them once.
 */

enum { RECALL_MAX_MS = 2 * HOLDDOWN_LONGEST_MS }; /* what was before that holds nobody down any more */

struct order_entry {
	int64_t time_ms; /* wall clock */
	char endpoint[PROTO_NAME_MAX + 1], from[PROTO_NAME_MAX + 1], to[PROTO_NAME_MAX + 1],
		cause[PROTO_NAME_MAX + 1];
	struct epoch epoch; /* zero: it is not told */
};

struct recall {
	const struct decisions *decisions;
	int64_t wall_ms, now_ms;
};

static int read_epoch(const struct jnode *root, struct epoch *ret_epoch)
{
	char text[EPOCH_TEXT_MAX] = "";
	int r = jnode_text(root, "epoch", JSON_OPTIONAL, text, sizeof text, NULL);

	return r < 0 || !text[0] ? r : epoch_parse(text, ret_epoch, NULL);
}

static int read_entry(const struct jnode *root, struct order_entry *entry)
{
	int r = jnode_i64(root, "time_ms", JSON_REQUIRED, 0, INT64_MAX, &entry->time_ms, NULL);

	if (r >= 0)
		r = jnode_text(
			root, "endpoint", JSON_REQUIRED, entry->endpoint, sizeof entry->endpoint, NULL);
	if (r >= 0)
		r = jnode_text(root, "from", JSON_OPTIONAL, entry->from, sizeof entry->from, NULL);
	if (r >= 0)
		r = jnode_text(root, "to", JSON_REQUIRED, entry->to, sizeof entry->to, NULL);
	if (r >= 0)
		r = jnode_text(root, "cause", JSON_REQUIRED, entry->cause, sizeof entry->cause, NULL);
	return r < 0 ? r : read_epoch(root, &entry->epoch);
}

static void recall_entry(const struct recall *recall, const struct order_entry *entry)
{
	struct decided *decided = decided_find(recall->decisions, entry->endpoint);
	int64_t age_ms = recall->wall_ms - entry->time_ms;

	if (decided)
		ownership_recall_epoch(&decided->ownership, entry->to, &entry->epoch);
	if (decided && age_ms >= 0 && age_ms < RECALL_MAX_MS)
		ownership_recall(
			&decided->ownership, entry->from, entry->to, entry->cause, recall->now_ms - age_ms);
}

static void recall_json(const char *json, void *context)
{
	struct order_entry entry = {0};
	struct jnode root;
	json_t *tree;

	if (!strstr(json, "\"order\"") ||
		json_parse_bytes(json, strlen(json), &json_limits_message, &tree, NULL) < 0)
		return;
	root = jnode_root(tree);
	if (read_entry(&root, &entry) >= 0)
		recall_entry(context, &entry);
	json_decref(tree);
}

void decisions_recall(struct decisions *decisions)
{
	struct recall recall = {.decisions = decisions, .wall_ms = clock_wall_ms(), .now_ms = clock_now_ms()};

	journal_each(decisions->journal, recall_json, &recall);
}
