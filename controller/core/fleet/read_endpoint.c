/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/defaults.h"
#include "controller/core/fleet/reader.h"

static void read_kind(struct reader *reader, const struct conf_node *map)
{
	static const char *const kinds[] = {"floating", "balanced", "routed", "script"};
	unsigned kind = 0;

	if (reader_ok(reader, conf_get_word(map, "kind", kinds, ARRAY_COUNT(kinds), &kind, &reader->err)) &&
		kind)
		reader_fail(reader, conf_find(map, "kind"),
			"kind: %s is not there yet in this version, only floating is", kinds[kind]);
}

static void read_preempt(struct reader *reader, const struct conf_node *map, struct fleet_endpoint *endpoint)
{
	const struct conf_node *node = conf_find(map, "preempt");

	endpoint->preempt_ms = FLEET_PREEMPT_NEVER;
	if (!node || (node->kind == CONF_SCALAR && !strcmp(node->text, "never")))
		return;
	(void)reader_ok_in(reader, "preempt",
		conf_as_duration(node, 1000, 7LL * 24 * 3600 * 1000, &endpoint->preempt_ms, &reader->err));
}

static void read_dial(struct reader *reader, const struct conf_node *map, struct fleet_endpoint *endpoint)
{
	const struct conf_node *dial = conf_find(map, "dial");
	const char *name = NULL;

	if (!reader_require(reader, map, "dial") || !reader_keys(reader, dial, KEYS_DIAL))
		return;
	if (reader_ok(reader, conf_get_text(dial, "name", FLEET_DIAL_NAME_MAX, &name, &reader->err)) && name)
		(void)text_copy(endpoint->dial_name, sizeof(endpoint->dial_name), name);
	(void)reader_reference(reader, dial, "interface", &endpoint->dial_role);
	if (!reader_require(reader, dial, "addresses"))
		return;
	endpoint->dial_count = reader_addrs(reader, dial, "addresses", endpoint->dial, endpoint->dial_places);
	if (!conf_list_count(conf_find(dial, "addresses")))
		reader_fail(reader, dial, "addresses: an endpoint needs an address that clients dial");
}

/* References to at least one; `what` says of what. */
static size_t read_needed(struct reader *reader, const struct conf_node *map, const char *key, size_t max,
	const char *what, struct fleet_reference *references)
{
	if (!reader_require(reader, map, key))
		return 0;
	if (!conf_list_count(conf_find(map, key)))
		reader_fail(reader, map, "%s: an endpoint needs at least one %s", key, what);
	return reader_references(reader, map, key, max, references);
}

static void read_endpoint(struct reader *reader, const struct conf_node *map, struct fleet_endpoint *endpoint)
{
	if (!reader_keys(reader, map, KEYS_ENDPOINT))
		return;
	read_kind(reader, map);
	endpoint->gateway_count =
		read_needed(reader, map, "gateways", PROTO_POOL_MAX, "gateway", endpoint->gateways);
	endpoint->tunnel_count =
		read_needed(reader, map, "tunnels", PROTO_TUNNELS_MAX, "tunnel", endpoint->tunnels);
	read_preempt(reader, map, endpoint);
	read_lease(reader, map, &endpoint->lease_ms);
	read_isolation(reader, map, &endpoint->isolation);
	endpoint->witness_count = reader_addrs(reader, map, "witness", endpoint->witness, NULL);
	read_dial(reader, map, endpoint);
	read_insides(reader, map, endpoint);
	read_routes(reader, map, endpoint);
	read_checks(reader, map, endpoint);
	read_notify(reader, map, endpoint);
}

static struct fleet_endpoint *add_endpoint(
	struct reader *reader, const struct conf_node *key, const char *name)
{
	struct fleet *fleet = reader->fleet;
	struct fleet_endpoint *endpoint;

	if (fleet->endpoint_count == FLEET_ENDPOINTS_MAX) {
		reader_fail(reader, key, "more than %d virtual endpoints", FLEET_ENDPOINTS_MAX);
		return NULL;
	}
	fleet->endpoints = mem_grow(fleet->endpoints, &reader->endpoint_capacity, fleet->endpoint_count + 1,
		sizeof(*fleet->endpoints));
	endpoint = &fleet->endpoints[fleet->endpoint_count++];
	(void)text_copy(endpoint->name, sizeof(endpoint->name), name);
	endpoint->place = reader_place(reader, key);
	endpoint->lease_ms = fleet->lease_ms;
	endpoint->isolation = fleet->isolation;
	return endpoint;
}

static bool is_new(struct reader *reader, const struct conf_node *key)
{
	const struct fleet_endpoint *other = fleet_find_endpoint(reader->fleet, key->text);

	if (other)
		reader_fail(reader, key, "virtual endpoint %s is there already, at %s:%u:%u", key->text,
			reader->fleet->sources[other->place.source], other->place.line, other->place.column);
	return !other;
}

void read_endpoints(struct reader *reader, const struct conf_node *node)
{
	if (!reader_ok_in(reader, "virtual_endpoints", conf_expect_mapping(node, &reader->err)))
		return;
	for (size_t i = 0; i < node->count; i++) {
		const struct conf_pair *pair = &node->pairs[i];
		struct fleet_endpoint *endpoint;
		const char *name;

		if (!reader_ok_in(reader, "virtual_endpoints",
			    conf_as_name(pair->key, PROTO_NAME_MAX, &name, &reader->err)) ||
			!is_new(reader, pair->key))
			continue;
		endpoint = add_endpoint(reader, pair->key, name);
		if (!endpoint)
			return;
		read_endpoint(reader, pair->value, endpoint);
	}
}
