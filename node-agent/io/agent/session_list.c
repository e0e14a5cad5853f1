/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/json/write.h"
#include "node-agent/io/agent/agent_int.h"
#include "proto/peer_place.h"

/* GET /v1/sessions of the agent's socket: a page at a time, as the controller's, so that no answer holds the loop up. */
enum {
	PAGE_MAX = 1000,       /* sessions in one answer */
	PAGE_PEERS_MAX = 5000, /* peers that one answer looks at: it may have fewer sessions, and a next */
};

/* Names; NULL: any. */
struct wanted {
	const char *peer, *gateway, *tunnel, *endpoint;
};

static bool fits(const char *wanted, const char *name)
{
	return !wanted || !strcmp(wanted, name);
}

/* Of those that another gateway serves it is not known which one does. */
static bool is_wanted(struct agent *agent, const struct wanted *wanted, const struct desired_peer *peer)
{
	struct agent_seat *seat = wanted->endpoint ? agent_seat_of_tunnel(agent, peer->tunnel) : NULL;

	return fits(wanted->tunnel, peer->tunnel) && fits(wanted->peer, peer->name) &&
	       (!wanted->endpoint || (seat && fits(wanted->endpoint, agent_seat_endpoint(seat)->name))) &&
	       (!wanted->gateway || agent_tells_of(agent, peer->tunnel));
}

static void put_session(json_t *list, struct agent *agent, const struct desired_peer *peer,
	const struct sessions_entry *entry, int64_t now_ms)
{
	json_t *object = jput_object(list, NULL);
	bool here = agent_tells_of(agent, entry->tunnel);

	jput_text(object, "peer", peer->name);
	jput_text(object, "tunnel", entry->tunnel);
	jput_key(object, "public_key", &entry->public_key);
	jput_endpoint(object, "endpoint", &entry->endpoint);
	jput_i64(object, "age_ms", now_ms - entry->handshake_ms);
	if (!here)
		return; /* a controller told it, or it was so when this gateway served */
	jput_text(object, "gateway", agent->config->gateway);
	jput_u64(object, "rx_bytes", entry->rx_bytes);
	jput_u64(object, "tx_bytes", entry->tx_bytes);
}

static void put_page(json_t *root, struct agent *agent, const struct wanted *wanted,
	const struct desired_peer_key *place, size_t limit)
{
	const struct desired *desired = agent->held.desired;
	json_t *list = jput_array(root, "sessions");
	char next[PEER_PLACE_TEXT_MAX] = "";
	size_t first =
		desired ? peer_place_find(desired, place->tunnel, *place->tunnel ? &place->public_key : NULL)
			: 0;

	for (size_t i = first; desired && i < desired->peer_count; i++) {
		const struct desired_peer *peer = &desired->peers[i];
		const struct sessions_entry *entry =
			is_wanted(agent, wanted, peer)
				? sessions_find(agent->sessions, peer->tunnel, &peer->public_key)
				: NULL;

		if (json_array_size(list) == limit || i - first == PAGE_PEERS_MAX) {
			peer_place_format(&desired->peers[i - 1], next);
			break;
		}
		if (entry)
			put_session(list, agent, peer, entry, clock_now_ms());
	}
	jput_text(root, "next", next);
}

void agent_answer_sessions(struct http_request *request, void *context)
{
	const char *after = http_request_query(request, "after"),
		   *limit = http_request_query(request, "limit");
	const struct wanted wanted = {.peer = http_request_query(request, "peer"),
		.gateway = http_request_query(request, "gateway"),
		.tunnel = http_request_query(request, "tunnel"),
		.endpoint = http_request_query(request, "virtual_endpoint")};
	struct agent *agent = context;
	struct desired_peer_key place;
	uint64_t count = PAGE_MAX;
	json_t *root;

	if (peer_place_parse(after ? after : "", &place) < 0 ||
		(limit && text_to_u64(limit, 1, PAGE_MAX, &count) < 0)) {
		http_reply_problem(request, 400,
			"expected ?after= with what next said, and limit= from 1 to %d", PAGE_MAX);
		return;
	}
	if (!fits(wanted.gateway, agent->config->gateway)) {
		http_reply_problem(request, 404,
			"this is gateway %s, which knows of no other's sessions: ask a controller",
			agent->config->gateway);
		return;
	}
	root = json_object();
	put_page(root, agent, &wanted, &place, count);
	http_reply_json(request, 200, json_compact(root, NULL));
	json_decref(root);
}
