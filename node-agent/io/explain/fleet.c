/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/http_client.h"
#include "common/json/read.h"
#include "node-agent/io/explain/gather_int.h"

enum { ANSWER_WAIT_MS = 3000, TUNNELS_MAX = 64 };

/* A name, or a key: those are no names, for the '=' at their end. -EINVAL: neither. */
static int format_url(const char *peer, char *url, size_t size)
{
	char hex[KEY_HEX_MAX];
	struct key key;

	if (key_parse(peer, &key, NULL) >= 0)
		snprintf(url, size, "http://agent/v1/peers?public_key=%s", key_format_hex(&key, hex));
	else if (text_is_name(peer, EXPLAIN_NAME_MAX))
		snprintf(url, size, "http://agent/v1/peers?name=%s", peer);
	else
		return -1;
	return 0;
}

static int read_peer(const struct jnode *item, struct explain_fleet *ret_fleet, struct wanted *ret_wanted)
{
	struct explain_fleet fleet = {.answered = true, .known = true};
	struct wanted wanted = {.has_key = true};
	int r = jnode_key(item, "public_key", JSON_REQUIRED, &wanted.public_key, NULL);

	if (r >= 0)
		r = jnode_text(item, "tunnel", JSON_REQUIRED, wanted.tunnel, sizeof(wanted.tunnel), NULL);
	if (r >= 0)
		r = jnode_text(item, "name", JSON_REQUIRED, fleet.name, sizeof(fleet.name), NULL);
	if (r >= 0)
		r = jnode_text(item, "endpoint", JSON_OPTIONAL, fleet.endpoint, sizeof(fleet.endpoint), NULL);
	if (r >= 0)
		r = jnode_text(item, "role", JSON_OPTIONAL, fleet.role, sizeof(fleet.role), NULL);
	if (r >= 0)
		r = jnode_bool(item, "serves", JSON_OPTIONAL, &fleet.serves, NULL);
	if (r < 0)
		return r;
	*ret_fleet = fleet;
	*ret_wanted = wanted;
	return 0;
}

static void read_answer(
	const struct http_response *response, struct explain_fleet *fleet, struct wanted *wanted)
{
	struct jnode root, peers, item;
	json_t *json = NULL;

	if (response->status != 200 ||
		json_parse_bytes(response->body, response->size, &json_limits_message, &json, NULL) < 0)
		return;
	fleet->answered = true;
	root = jnode_root(json);
	if (jnode_array(&root, "peers", JSON_REQUIRED, TUNNELS_MAX, &peers, NULL) >= 0 &&
		jnode_count(&peers)) {
		item = jnode_item(&peers, 0);
		(void)read_peer(&item, fleet, wanted);
	}
	json_decref(json);
}

void explain_ask_agent(
	const char *socket, const char *peer, struct explain_fleet *fleet, struct wanted *wanted)
{
	struct http_client_options options = {.unix_socket = socket};
	char url[256];
	struct http_exchange exchange = {.url = url, .timeout_ms = ANSWER_WAIT_MS};
	struct http_response response;

	if (key_parse(peer, &wanted->public_key, NULL) >= 0)
		wanted->has_key = true;
	if (format_url(peer, url, sizeof(url)) < 0 || http_call(&options, &exchange, &response, NULL) < 0)
		return;
	read_answer(&response, fleet, wanted);
	http_response_clear(&response);
}
