/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "proto/desired_json.h"

/*
 * Peers are written as text at once, without a tree of values in between: they are what a message has 100,000 of, and each
 * generation is hashed. The text is what json_canonical() would make of them: members in the order of their names, nothing
 * between, what is not set left out.
 */

static bool is_plain(const char *value)
{
	for (const unsigned char *at = (const unsigned char *)value; *at; at++)
		if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\')
			return false;
	return true;
}

/* What needs escapes, or is not even UTF-8, is rare: jansson knows how. */
static void add_quoted_by_jansson(struct text *text, const char *value)
{
	json_t *array = json_array();
	CLEANUP_FREE char *dumped = NULL;
	size_t size;

	jput_text(array, NULL, value);
	dumped = json_canonical(array, &size);
	json_decref(array);
	text_add_bytes(text, dumped + 1, size - 2);
}

static void add_quoted(struct text *text, const char *value)
{
	if (!is_plain(value)) {
		add_quoted_by_jansson(text, value);
		return;
	}
	text_add_bytes(text, "\"", 1);
	text_add_bytes(text, value, strlen(value));
	text_add_bytes(text, "\"", 1);
}

static void add_name(struct text *text, const char *name)
{
	bool is_first = text->data[text->length - 1] == '{';

	text_add_bytes(text, ",", !is_first);
	text_add_bytes(text, "\"", 1);
	text_add_bytes(text, name, strlen(name));
	text_add_bytes(text, "\":", 2);
}

static void add_text(struct text *text, const char *name, const char *value)
{
	if (!value)
		return;
	add_name(text, name);
	add_quoted(text, value);
}

/* 0: left out. */
static void add_number(struct text *text, const char *name, uint64_t value)
{
	if (!value)
		return;
	add_name(text, name);
	text_add(text, "%" PRIu64, value > INT64_MAX ? (uint64_t)INT64_MAX : value);
}

static void add_key(struct text *text, const char *name, const struct key *key)
{
	char buffer[KEY_TEXT_MAX];

	add_text(text, name, key_format(key, buffer));
}

static void add_allowed_ips(struct text *text, const struct desired_peer *peer)
{
	char buffer[PREFIX_TEXT_MAX];

	add_name(text, "allowed_ips");
	text_add_bytes(text, "[", 1);
	for (size_t i = 0; i < peer->allowed_ip_count; i++) {
		text_add_bytes(text, ",", i > 0);
		add_quoted(text, prefix_format(&peer->allowed_ips[i], buffer, sizeof(buffer)));
	}
	text_add_bytes(text, "]", 1);
}

static void add_endpoint(struct text *text, const struct desired_peer *peer)
{
	char buffer[ENDPOINT_TEXT_MAX];

	if (addr_is_set(&peer->endpoint.addr))
		add_text(text, "endpoint", endpoint_format(&peer->endpoint, buffer, sizeof(buffer)));
	if (!peer->endpoint_host)
		return;
	add_text(text, "endpoint_host", peer->endpoint_host);
	add_name(text, "endpoint_port");
	text_add(text, "%u", peer->endpoint_port);
}

static void add_groups(struct text *text, const char *groups)
{
	char name[PROTO_NAME_MAX + 1];

	if (!groups)
		return;
	add_name(text, "groups");
	text_add_bytes(text, "[", 1);
	for (const char *at = groups; at;) {
		size_t length = strcspn(at, ",");

		(void)snprintf(name, sizeof(name), "%.*s", (int)length, at);
		text_add_bytes(text, ",", at > groups);
		add_quoted(text, name);
		at = at[length] ? at + length + 1 : NULL;
	}
	text_add_bytes(text, "]", 1);
}

static void add_share(struct text *text, const struct desired_share *share)
{
	char probe[ADDR_TEXT_MAX], prefix[PREFIX_TEXT_MAX];

	text_add_bytes(text, "{", 1);
	add_text(text, "prefix", prefix_format(&share->prefix, prefix, sizeof(prefix)));
	add_name(text, "priority");
	text_add(text, "%" PRIu32, share->priority);
	if (addr_is_set(&share->probe))
		add_text(text, "probe", addr_format(&share->probe, probe, sizeof(probe)));
	add_number(text, "table", share->table);
	text_add_bytes(text, "}", 1);
}

static void add_shares(struct text *text, const struct desired_peer *peer)
{
	if (!peer->share_count)
		return;
	add_name(text, "shares");
	text_add_bytes(text, "[", 1);
	for (size_t i = 0; i < peer->share_count; i++) {
		text_add_bytes(text, ",", i > 0);
		add_share(text, &peer->shares[i]);
	}
	text_add_bytes(text, "]", 1);
}

static void add_peer(struct text *text, const struct desired_peer *peer)
{
	text_add_bytes(text, "{", 1);
	add_allowed_ips(text, peer);
	add_endpoint(text, peer);
	add_number(text, "expires_s", (uint64_t)peer->expires_s);
	add_groups(text, peer->groups);
	add_number(text, "keepalive_s", peer->keepalive_s);
	add_text(text, "name", peer->name);
	add_text(text, "preshared_key_file", peer->preshared_key_file);
	add_key(text, "public_key", &peer->public_key);
	add_number(text, "route_metric", peer->route_metric);
	add_number(text, "route_table", peer->route_table);
	add_shares(text, peer);
	add_text(text, "tunnel", peer->tunnel);
	if (peer->unrouted) {
		add_name(text, "unrouted");
		text_add_bytes(text, "true", 4);
	}
	text_add_bytes(text, "}", 1);
}

char *desired_peers_encode(const struct desired *desired)
{
	struct text text = {0};

	text_add_bytes(&text, "[", 1);
	for (size_t i = 0; i < desired->peer_count; i++) {
		text_add_bytes(&text, ",", i > 0);
		add_peer(&text, &desired->peers[i]);
	}
	text_add_bytes(&text, "]", 1);
	return text_take(&text);
}

/* No string has it: its quotes would be escaped there. */
#define PLACE "\"peers\":[]"
enum { PLACE_BYTES = sizeof(PLACE) - 1, NAME_BYTES = sizeof("\"peers\":") - 1 };

/* Room for all of it at once: a text that grows leaves copies of secrets behind. */
static void make_room(struct text *text, size_t size, const char *const peers[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		size += strlen(peers[i]);
	text->data = mem_grow(NULL, &text->capacity, size + 1, 1);
}

char *desired_put_peers_in(char *message, const char *const peers[], size_t count)
{
	struct text text = {0};
	size_t size = strlen(message);
	const char *at = message;

	make_room(&text, size, peers, count);
	for (size_t i = 0; i < count; i++) {
		const char *place = strstr(at, PLACE);

		if (!place)
			break;
		text_add_bytes(&text, at, (size_t)(place - at) + NAME_BYTES);
		text_add_bytes(&text, peers[i], strlen(peers[i]));
		at = place + PLACE_BYTES;
	}
	text_add_bytes(&text, at, strlen(at));
	mem_wipe(message, size);
	free(message);
	return text_take(&text);
}
