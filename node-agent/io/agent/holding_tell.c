/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/metrics.h"
#include "common/json/write.h"
#include "node-agent/core/plan/target.h"
#include "node-agent/io/agent/holding_int.h"

enum {
	LINES_MAX = 20,   /* events of one step; the rest is counted */
	LISTED_MAX = 256, /* prefixes in the status */
};

static const struct desired_peer *peer_of(const struct holder *holder, size_t claim)
{
	return holder->peers[holder->claims[claim].peer].desired;
}

/* A standby's moves are the owner's, told there. */
static bool is_told(struct agent *agent, const struct holder_move *move)
{
	return holding_serves(agent, peer_of(agent->holding->holder, move->to)->tunnel);
}

static void tell_one(struct agent *agent, const struct holder_move *move)
{
	const struct holder *holder = agent->holding->holder;
	const struct desired_endpoint *endpoint =
		plan_tunnel_endpoint(agent->held.desired, peer_of(holder, move->to)->tunnel);
	struct text text = {0};

	holder_say(holder, move, &text);
	journal_add(&agent->journal, "holder", endpoint ? endpoint->name : NULL, "%s", text.data);
	text_clear(&text);
}

void holding_notice(struct agent *agent, const struct holder_move *moves, size_t count)
{
	size_t told = 0;

	for (size_t i = 0; i < count && told < LINES_MAX && log_wants("holder", LEVEL_INFO); i++) {
		struct text text = {0};

		if (!is_told(agent, &moves[i]))
			continue;
		holder_say(agent->holding->holder, &moves[i], &text);
		log_info("holder", "holder-moves", log_text("what", text.data));
		text_clear(&text);
		told++;
	}
}

void holding_tell(struct agent *agent, const struct holder_move *moves, size_t count)
{
	size_t told = 0;

	for (size_t i = 0; i < count; i++)
		if (is_told(agent, &moves[i]) && told++ < LINES_MAX)
			tell_one(agent, &moves[i]);
	if (told > LINES_MAX)
		journal_add(
			&agent->journal, "holder", NULL, "%zu more prefixes have moved", told - LINES_MAX);
}

/* ---- to who may take over ---- */

void holding_fill(const struct agent *agent, struct report *report)
{
	const struct holder *holder = holding_holder(agent);

	for (size_t i = 0; holder && i < holder->claim_count; i++) {
		const struct desired_peer *peer = peer_of(holder, i);
		struct unanswered *item = &report->unanswered[report->unanswered_count];

		if (!holder_is_unanswered(holder, &holder->claims[i]) ||
			!plan_tunnel_endpoint(agent->held.desired, peer->tunnel))
			continue;
		if (report->unanswered_count == UNANSWERED_REPORT_MAX)
			return;
		*item = (struct unanswered){
			.public_key = peer->public_key, .prefix = holder->claims[i].share->prefix};
		text_copy(item->tunnel, sizeof(item->tunnel), peer->tunnel);
		report->unanswered_count++;
	}
}

/* ---- as it is now ---- */

static void put_candidate(json_t *list, const struct holder *holder, size_t claim, int64_t now_ms)
{
	json_t *object = jput_object(list, NULL);
	struct text text = {0};

	jput_text(object, "peer", peer_of(holder, claim)->name);
	jput_text(object, "tunnel", peer_of(holder, claim)->tunnel);
	jput_u64(object, "priority", holder->claims[claim].share->priority);
	jput_bool(object, "lives", holder->claims[claim].lives);
	holder_say_state(holder, claim, now_ms, &text);
	jput_text(object, "state", text.data);
	text_clear(&text);
}

static void put_prefix(json_t *list, const struct holder *holder, size_t index, int64_t now_ms)
{
	const struct holder_prefix *prefix = &holder->prefixes[index];
	const struct desired_peer *peer = peer_of(holder, prefix->candidates[prefix->current]);
	json_t *object = jput_object(list, NULL), *candidates;

	jput_prefix(object, "prefix", &prefix->prefix);
	jput_text(object, "peer", peer->name);
	jput_text(object, "tunnel", peer->tunnel);
	if (prefix->since_ms != HOLDER_NEVER)
		jput_i64(object, "since_ms", now_ms - prefix->since_ms);
	candidates = jput_array(object, "candidates");
	for (size_t i = 0; i < prefix->candidate_count; i++)
		put_candidate(candidates, holder, prefix->candidates[i], now_ms);
}

void holding_put(json_t *root, const struct agent *agent)
{
	const struct holder *holder = holding_holder(agent);
	json_t *list = jput_array(root, "shared_prefixes");
	int64_t now_ms = clock_now_ms();

	for (size_t i = 0; holder && i < holder->prefix_count && json_array_size(list) < LISTED_MAX; i++)
		if (holder->prefixes[i].candidate_count > 1)
			put_prefix(list, holder, i, now_ms);
}

void holding_metrics(const struct agent *agent, struct text *out)
{
	const struct holder *holder = holding_holder(agent);
	uint64_t shared = 0, displaced = 0;

	for (size_t i = 0; holder && i < holder->prefix_count; i++) {
		shared += holder->prefixes[i].candidate_count > 1;
		displaced += holder->prefixes[i].current > 0;
	}
	metrics_family(
		out, METRICS_GAUGE, "holdfast_shared_prefixes", "Prefixes that several peers lay claim to.");
	metrics_u64(out, "holdfast_shared_prefixes", NULL, shared);
	metrics_family(out, METRICS_GAUGE, "holdfast_displaced_prefixes",
		"Those that another peer has than the preferred one.");
	metrics_u64(out, "holdfast_displaced_prefixes", NULL, displaced);
	metrics_family(out, METRICS_COUNTER, "holdfast_prefix_moves_total",
		"Times that such a prefix has moved to another peer.");
	metrics_u64(out, "holdfast_prefix_moves_total", NULL, holder ? holder->moves : 0);
}
