/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/import_int.h"
#include "common/base/mem.h"
#include "common/yaml/plain.h"

enum { NAMES_SHOWN_MAX = 8 };

static size_t first_allowed(const struct import_peer *peer)
{
	return peer->source->allowed.first[peer->index];
}

static size_t allowed_count(const struct import_peer *peer)
{
	return peer->source->allowed.first[peer->index + 1] - first_allowed(peer);
}

static const struct prefix *allowed_of(const struct import_peer *peer)
{
	return &peer->source->allowed.prefixes[first_allowed(peer)];
}

static bool same_prefix_as(const struct import_peer *peer, const struct prefix *prefix)
{
	for (size_t i = 0; i < allowed_count(peer); i++)
		if (prefix_equal(&allowed_of(peer)[i], prefix))
			return true;
	return false;
}

static bool same_allowed(const struct import_peer *a, const struct import_peer *b)
{
	if (allowed_count(a) != allowed_count(b))
		return false;
	for (size_t i = 0; i < allowed_count(a); i++)
		if (!same_prefix_as(b, &allowed_of(a)[i]))
			return false;
	return true;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* NULL: they are the same. */
static const char *difference(const struct import_peer *a, const struct import_peer *b)
{
	const struct quick_peer *left = a->peer, *right = b->peer;

	if (!same_allowed(a, b))
		return "AllowedIPs";
	if (!same_text(left->host, right->host) || !same_text(left->service, right->service))
		return "Endpoint";
	if (left->keepalive_s != right->keepalive_s)
		return "PersistentKeepalive";
	if (left->has_preshared_key != right->has_preshared_key ||
		!key_equal(&left->preshared_key, &right->preshared_key))
		return "PresharedKey";
	return NULL;
}

/* ---- names ---- */

static bool name_is_taken(const struct import *import, const char *name)
{
	struct import_peer *peer;

	HASH_FIND(hh_name, import->by_name, name, strlen(name), peer);
	return peer;
}

static void name_peer(struct import *import, struct import_peer *peer)
{
	const struct conf_notes *notes = &peer->source->notes;
	const char *said = peer->index < notes->count ? notes->names[peer->index] : "";
	char wanted[PROTO_NAME_MAX + 1];

	if (*said)
		text_copy(wanted, sizeof(wanted), said);
	else
		snprintf(wanted, sizeof(wanted), "peer-%zu", import->peer_count);
	text_copy(peer->name, sizeof(peer->name), wanted);
	for (unsigned i = 2; name_is_taken(import, peer->name); i++) {
		char suffix[16];

		snprintf(suffix, sizeof(suffix), "-%u", i);
		snprintf(peer->name, sizeof(peer->name), "%.*s%s", (int)(PROTO_NAME_MAX - strlen(suffix)),
			wanted, suffix);
	}
	HASH_ADD_KEYPTR(hh_name, import->by_name, peer->name, strlen(peer->name), peer);
}

/* ---- gathering ---- */

static void add_peer(struct import *import, const struct import_peer *candidate)
{
	struct import_peer *peer = mem_new(1, sizeof(*peer)), *head;

	*peer = *candidate;
	import->peer_count++;
	name_peer(import, peer);
	HASH_FIND(hh, import->by_key, &peer->public_key, sizeof(peer->public_key), head);
	if (head) {
		peer->same_key = head->same_key;
		head->same_key = peer;
	} else {
		HASH_ADD(hh, import->by_key, public_key, sizeof(peer->public_key), peer);
	}
	*import->last = peer;
	import->last = &peer->next;
}

static void gather_peer(struct import *import, size_t tunnel, const struct import_peer *candidate)
{
	struct import_peer *head, *peer, *equal = NULL;

	HASH_FIND(hh, import->by_key, &candidate->public_key, sizeof(candidate->public_key), head);
	for (peer = head; peer; peer = peer->same_key) {
		const char *differs = difference(peer, candidate);

		if (!differs)
			equal = peer;
		if (!(peer->tunnels >> tunnel & 1))
			continue;
		if (differs)
			import_tell(import,
				"%s:%u: peer %s has another %s than in %s, which is taken for all gateways",
				candidate->source->file, candidate->peer->place.line, peer->name, differs,
				peer->source->file);
		peer->seen++;
		return;
	}
	if (equal)
		equal->seen++;
	if (equal)
		equal->tunnels |= UINT64_C(1) << tunnel;
	else
		add_peer(import, candidate);
}

void import_gather_peers(struct import *import, size_t tunnel, const struct import_source *source)
{
	for (size_t i = 0; i < source->config.peer_count; i++) {
		struct import_peer candidate = {.public_key = source->config.peers[i].public_key,
			.source = source,
			.peer = &source->config.peers[i],
			.index = i,
			.seen = 1,
			.tunnels = UINT64_C(1) << tunnel};

		if (!source->allowed.superseded[i])
			gather_peer(import, tunnel, &candidate);
	}
}

/* ---- writing ---- */

static void put_allowed(struct text *out, const struct import_peer *peer)
{
	text_add(out, "    allowed_ips: [");
	for (size_t i = 0; i < allowed_count(peer); i++) {
		text_add(out, "%s", i ? ", " : "");
		import_put_prefix(out, &allowed_of(peer)[i]);
	}
	text_add(out, "]\n");
}

static void put_endpoint(struct import *import, const struct import_peer *peer)
{
	struct text *out = &import->result->fleet;
	const struct quick_peer *from = peer->peer;
	char buffer[ENDPOINT_TEXT_MAX];
	uint64_t port;

	if (!from->host)
		return;
	if (from->zone)
		import_tell(import, "%s:%u: Endpoint: a zone is an interface of one gateway: left out",
			peer->source->file, from->endpoint_place.line);
	else if (addr_is_set(&from->endpoint.addr))
		text_add(out, "    endpoint: \"%s\"\n",
			endpoint_format(&from->endpoint, buffer, sizeof(buffer)));
	else if (text_to_u64(from->service, 1, UINT16_MAX, &port) >= 0)
		text_add(out, "    endpoint: \"%s:%u\"\n", from->host, (unsigned)port);
	else
		import_tell(import,
			"%s:%u: Endpoint: a fleet file takes a port's number, no name of a service: left out",
			peer->source->file, from->endpoint_place.line);
}

static void put_tunnels_of(struct import *import, const struct import_peer *peer)
{
	struct text *out = &import->result->fleet;
	bool first = true;

	if (import->tunnel_count < 2)
		return;
	for (size_t i = 0; i < import->tunnel_count; i++) {
		if (!(peer->tunnels >> i & 1))
			continue;
		text_add(out, "%s", first ? "    tunnels: [" : ", ");
		yaml_put_text(out, import->tunnels[i].name);
		first = false;
	}
	text_add(out, "]\n");
}

static void put_peer(struct import *import, const struct import_peer *peer)
{
	struct text *out = &import->result->fleet;
	char key[KEY_TEXT_MAX], path[PROTO_NAME_MAX + 8];

	text_add(out, "  ");
	yaml_put_text(out, peer->name);
	text_add(out, ":\n    public_key: \"%s\"\n", key_format(&peer->public_key, key));
	put_allowed(out, peer);
	put_endpoint(import, peer);
	if (peer->peer->keepalive_s)
		text_add(out, "    persistent_keepalive: %u\n", peer->peer->keepalive_s);
	if (peer->peer->has_preshared_key && !key_is_zero(&peer->peer->preshared_key)) {
		snprintf(path, sizeof(path), "psk/%s", peer->name);
		text_add(out, "    preshared_key_file: %s\n", path);
		import_add_key(import, path, &peer->peer->preshared_key);
	}
	put_tunnels_of(import, peer);
}

static size_t files_of(const struct import *import, const struct import_peer *peer)
{
	size_t count = 0;

	for (size_t i = 0; i < import->tunnel_count; i++)
		count += peer->tunnels >> i & 1 ? import->tunnels[i].source_count : 0;
	return count;
}

/* A tunnel has its peers on all its gateways. */
static void tell_spread(struct import *import)
{
	struct text names = {0};
	size_t count = 0;

	for (const struct import_peer *peer = import->first; peer; peer = peer->next) {
		if (peer->seen >= files_of(import, peer))
			continue;
		if (count++ < NAMES_SHOWN_MAX)
			text_add(&names, "%s%s", count > 1 ? ", " : "", peer->name);
	}
	if (count)
		import_tell(import,
			"%s%s: not in the files of all gateways of the tunnel, and let in by all of them now",
			names.data, count > NAMES_SHOWN_MAX ? " and others" : "");
	text_clear(&names);
}

void import_put_peers(struct import *import)
{
	tell_spread(import);
	text_add(&import->result->fleet, import->first ? "\npeers:\n" : "\npeers: {}\n");
	for (const struct import_peer *peer = import->first; peer; peer = peer->next)
		put_peer(import, peer);
}

void import_free_peers(struct import *import)
{
	HASH_CLEAR(hh, import->by_key);
	HASH_CLEAR(hh_name, import->by_name);
	while (import->first) {
		struct import_peer *peer = import->first;

		import->first = peer->next;
		free(peer);
	}
}
