/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/http_client.h"
#include "common/json/read.h"
#include "node-agent/io/explain/gather_int.h"

enum { ANSWER_WAIT_MS = 3000, PREFIXES_MAX = 4096, CANDIDATES_MAX = 4096, STATE_MAX = 255 };

struct candidate {
	char peer[EXPLAIN_NAME_MAX + 1], tunnel[IFNAMSIZ], state[STATE_MAX + 1];
	uint64_t priority;
};

static int read_candidate(const struct jnode *item, struct candidate *candidate)
{
	int r = jnode_text(item, "peer", JSON_REQUIRED, candidate->peer, sizeof(candidate->peer), NULL);

	if (r >= 0)
		r = jnode_text(
			item, "tunnel", JSON_REQUIRED, candidate->tunnel, sizeof(candidate->tunnel), NULL);
	if (r >= 0)
		r = jnode_text(
			item, "state", JSON_REQUIRED, candidate->state, sizeof(candidate->state), NULL);
	if (r >= 0)
		r = jnode_u64(item, "priority", JSON_REQUIRED, 0, UINT32_MAX, &candidate->priority, NULL);
	return r;
}

/* "site1-a of wg0, priority 200: no handshake; ..."; what is beyond the room is left out. */
static void say_candidates(const struct jnode *candidates, char said[EXPLAIN_SHARED_MAX + 1])
{
	struct text text = {0};

	for (size_t i = 0; i < jnode_count(candidates); i++) {
		struct jnode item = jnode_item(candidates, i);
		struct candidate candidate = {0};

		if (read_candidate(&item, &candidate) >= 0)
			text_add(&text, "%s%s of %s, priority %" PRIu64 ": %s", text.length ? "; " : "",
				candidate.peer, candidate.tunnel, candidate.priority, candidate.state);
	}
	if (text.length)
		snprintf(said, EXPLAIN_SHARED_MAX + 1, "%.*s", EXPLAIN_SHARED_MAX, text.data);
	text_clear(&text);
}

/* The holder's, or a longer one that the address is in: then the tunnel's other peers have it, or another tunnel's. */
static bool is_about(const struct explain_facts *facts, const struct prefix *prefix)
{
	return prefix_contains(prefix, &facts->question.to) &&
	       (!facts->holder.found || prefix->length >= facts->holder.prefix.length);
}

static void find_prefix(const struct jnode *shared, struct explain_facts *facts)
{
	unsigned longest = 0;

	for (size_t i = 0; i < jnode_count(shared); i++) {
		struct jnode item = jnode_item(shared, i), candidates;
		struct prefix prefix;

		if (jnode_prefix(&item, "prefix", JSON_REQUIRED, &prefix, NULL) < 0 ||
			!is_about(facts, &prefix) || prefix.length < longest ||
			jnode_array(&item, "candidates", JSON_REQUIRED, CANDIDATES_MAX, &candidates, NULL) <
				0)
			continue;
		longest = prefix.length;
		say_candidates(&candidates, facts->shared);
	}
}

static void read_answer(const struct http_response *response, struct explain_facts *facts)
{
	struct jnode root, shared;
	json_t *json = NULL;

	if (response->status != 200 ||
		json_parse_bytes(response->body, response->size, &json_limits_message, &json, NULL) < 0)
		return;
	root = jnode_root(json);
	if (jnode_array(&root, "shared_prefixes", JSON_REQUIRED, PREFIXES_MAX, &shared, NULL) >= 0)
		find_prefix(&shared, facts);
	json_decref(json);
}

void explain_ask_shared(const char *socket, struct explain_facts *facts)
{
	struct http_client_options options = {.unix_socket = socket};
	struct http_exchange exchange = {.url = "http://agent/v1/status", .timeout_ms = ANSWER_WAIT_MS};
	struct http_response response;

	if (http_call(&options, &exchange, &response, NULL) < 0)
		return;
	read_answer(&response, facts);
	http_response_clear(&response);
}
