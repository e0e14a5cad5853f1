/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/json/read.h"
#include "common/json/write.h"
#include "node-agent/core/firewall/firewall.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/parameter.h"
#include "node-agent/io/quick/session.h"

/* The journal as JSON. No secrets are in it. */
enum {
	JOURNAL_VERSION = 1,
	PEERS_MAX = 1 << 20,
	HOST_ROUTES_MAX = 1 << 20,
	ENDPOINT_MAX = 2 * QUICK_NAME_MAX + 1,
	DNS_TEXT_MAX = 2 * QUICK_DNS_MAX * (QUICK_NAME_MAX + 16)
};

static const char *const stages[] = {"none", "making", "up", "removing", "adopting", "releasing"};
static const char *const dns_ways[] = {"none", "resolvconf", "resolved", "file", "namespace"};

/* ---- writing ---- */

static void put_rule(json_t *rules, const struct plan_rule *rule)
{
	json_t *object = jput_object(rules, NULL);

	jput_u64(object, "family", rule->family);
	jput_u64(object, "priority", rule->priority);
	jput_u64(object, "table", rule->table);
	jput_bool(object, "not_marked", rule->invert);
	jput_u64(object, "mark", rule->fwmark);
}

static void put_host_route(json_t *routes, const struct quick_host_route *route)
{
	json_t *object = jput_object(routes, NULL);

	jput_prefix(object, "to", &route->to);
	jput_u64(object, "table", route->table);
	jput_u64(object, "metric", route->metric);
}

static void put_memory(json_t *root, const struct quick_memory *memory)
{
	json_t *object = jput_object(root, "file"), *peers = jput_array(object, "peers");

	jput_bool(object, "private_key", memory->has_private_key);
	jput_bool(object, "listen_port", memory->has_listen_port);
	jput_bool(object, "fwmark", memory->has_fwmark);
	jput_bool(object, "multicast", memory->has_multicast);
	for (size_t i = 0; i < memory->peer_count; i++) {
		json_t *peer = jput_object(peers, NULL);

		jput_key(peer, "public_key", &memory->peers[i].public_key);
		jput_bool(peer, "preshared_key", memory->peers[i].has_preshared_key);
		jput_text(peer, "endpoint", memory->peers[i].endpoint);
	}
}

static void put_parameters(json_t *root, const struct quick_journal *journal)
{
	json_t *parameters = jput_object(root, "parameters");

	for (unsigned i = 0; i < QUICK_PARAMETERS; i++) {
		json_t *object = jput_object(parameters, quick_parameter_key(i));

		jput_bool(object, "needed", journal->parameters[i].needed);
		jput_text(object, "before", journal->parameters[i].before);
	}
}

static void put_left_out(json_t *root, const struct quick_journal *journal)
{
	json_t *object = jput_object(root, "left_out"), *operations = jput_array(object, "operations");

	jput_u64(object, "mtu", journal->mtu_left);
	jput_bool(object, "firewall", journal->firewall_left);
	for (size_t i = 0; i < journal->left_out.count; i++)
		jput_text(jput_object(operations, NULL), "operation", journal->left_out.items[i]);
}

json_t *quick_journal_to_json(const struct quick_journal *journal)
{
	json_t *root = json_object(), *rules, *routes;

	jput_u64(root, "version", JOURNAL_VERSION);
	jput_text(root, "interface", journal->name);
	jput_text(root, "stage", stages[journal->stage]);
	jput_bool(root, "link", journal->link);
	jput_u64(root, "ifindex", journal->ifindex);
	jput_u64(root, "mark", journal->mark);
	jput_u64(root, "listen_port", journal->listen_port);
	jput_bool(root, "firewall", journal->firewall);
	jput_bool(root, "forwards", journal->forwards);
	jput_bool(root, "silent", journal->silent);
	jput_u64(root, "firewall_without", journal->firewall_without);
	jput_text(root, "dns", dns_ways[journal->dns.way]);
	jput_text(root, "dns_name", journal->dns.name);
	jput_text(root, "dns_text", journal->dns.text);
	put_parameters(root, journal);
	jput_bool(root, "foreign", journal->foreign);
	rules = jput_array(root, "rules");
	for (size_t i = 0; i < journal->rule_count; i++)
		put_rule(rules, &journal->rules[i]);
	routes = jput_array(root, "host_routes");
	for (size_t i = 0; i < journal->host_route_count; i++)
		put_host_route(routes, &journal->host_routes[i]);
	put_memory(root, &journal->memory);
	put_left_out(root, journal);
	quick_journal_put_spaces(root, journal);
	return root;
}

/* ---- reading ---- */

static int get_rule(const struct jnode *node, struct plan_rule *rule, struct err *err)
{
	uint64_t family = 0, priority = 0, table = 0, mark = 0;
	int r = jnode_u64(node, "family", JSON_REQUIRED, 0, UINT8_MAX, &family, err);

	if (r >= 0)
		r = jnode_u64(node, "priority", JSON_REQUIRED, 0, UINT32_MAX, &priority, err);
	if (r >= 0)
		r = jnode_u64(node, "table", JSON_REQUIRED, 0, UINT32_MAX, &table, err);
	if (r >= 0)
		r = jnode_u64(node, "mark", JSON_REQUIRED, 0, UINT32_MAX, &mark, err);
	if (r >= 0)
		r = jnode_bool(node, "not_marked", JSON_REQUIRED, &rule->invert, err);
	rule->family = (uint8_t)family;
	rule->priority = (uint32_t)priority;
	rule->table = (uint32_t)table;
	rule->fwmark = (uint32_t)mark;
	rule->has_fwmark = rule->invert;
	rule->has_suppress = !rule->invert;
	return r;
}

static int get_rules(const struct jnode *root, struct quick_journal *journal, struct err *err)
{
	struct jnode rules;
	int r = jnode_array(root, "rules", JSON_REQUIRED, QUICK_RULES_MAX, &rules, err);

	for (size_t i = 0; r >= 0 && i < jnode_count(&rules); i++) {
		struct jnode item = jnode_item(&rules, i);

		r = get_rule(&item, &journal->rules[i], err);
		journal->rule_count = i + 1;
	}
	return r;
}

static int get_host_route(const struct jnode *node, struct quick_journal *journal, struct err *err)
{
	uint64_t table = 0, metric = 0;
	struct quick_host_route route = {0};
	int r = jnode_prefix(node, "to", JSON_REQUIRED, &route.to, err);

	if (r >= 0)
		r = jnode_u64(node, "table", JSON_REQUIRED, 0, UINT32_MAX, &table, err);
	if (r >= 0)
		r = jnode_u64(node, "metric", JSON_REQUIRED, 0, UINT32_MAX, &metric, err);
	if (r < 0)
		return r;
	route.table = (uint32_t)table;
	route.metric = (uint32_t)metric;
	journal->host_routes = mem_grow(journal->host_routes, &journal->host_route_capacity,
		journal->host_route_count + 1, sizeof(route));
	journal->host_routes[journal->host_route_count++] = route;
	return 0;
}

static int get_host_routes(const struct jnode *root, struct quick_journal *journal, struct err *err)
{
	struct jnode routes;
	int r = jnode_array(root, "host_routes", JSON_REQUIRED, HOST_ROUTES_MAX, &routes, err);

	for (size_t i = 0; r >= 0 && i < jnode_count(&routes); i++) {
		struct jnode item = jnode_item(&routes, i);

		r = get_host_route(&item, journal, err);
	}
	return r;
}

static int get_peer(const struct jnode *node, struct quick_memory *memory, struct err *err)
{
	struct quick_memory_peer *peer;
	int r;

	memory->peers = mem_grow(
		memory->peers, &memory->peer_capacity, memory->peer_count + 1, sizeof(*memory->peers));
	peer = &memory->peers[memory->peer_count++];
	r = jnode_key(node, "public_key", JSON_REQUIRED, &peer->public_key, err);
	if (r >= 0)
		r = jnode_bool(node, "preshared_key", JSON_REQUIRED, &peer->has_preshared_key, err);
	if (r >= 0)
		r = jnode_text_new(node, "endpoint", JSON_OPTIONAL, ENDPOINT_MAX, &peer->endpoint, err);
	return r;
}

static int get_memory(const struct jnode *root, struct quick_memory *memory, struct err *err)
{
	struct jnode object, peers;
	int r = jnode_object(root, "file", JSON_REQUIRED, &object, err);

	if (r >= 0)
		r = jnode_bool(&object, "private_key", JSON_REQUIRED, &memory->has_private_key, err);
	if (r >= 0)
		r = jnode_bool(&object, "listen_port", JSON_REQUIRED, &memory->has_listen_port, err);
	if (r >= 0)
		r = jnode_bool(&object, "fwmark", JSON_REQUIRED, &memory->has_fwmark, err);
	if (r >= 0)
		r = jnode_bool(&object, "multicast", JSON_REQUIRED, &memory->has_multicast, err);
	if (r >= 0)
		r = jnode_array(&object, "peers", JSON_REQUIRED, PEERS_MAX, &peers, err);
	for (size_t i = 0; r >= 0 && i < jnode_count(&peers); i++) {
		struct jnode item = jnode_item(&peers, i);

		r = get_peer(&item, memory, err);
	}
	return r;
}

static int get_left_out(const struct jnode *root, struct quick_journal *journal, struct err *err)
{
	struct jnode object, operations;
	char text[PLAN_TEXT_MAX];
	uint64_t mtu = 0;
	int r = jnode_object(root, "left_out", JSON_REQUIRED, &object, err);

	if (r >= 0)
		r = jnode_u64(&object, "mtu", JSON_REQUIRED, 0, UINT32_MAX, &mtu, err);
	if (r >= 0)
		r = jnode_bool(&object, "firewall", JSON_REQUIRED, &journal->firewall_left, err);
	if (r >= 0)
		r = jnode_array(&object, "operations", JSON_REQUIRED, QUICK_LEFT_OUT_MAX, &operations, err);
	for (size_t i = 0; r >= 0 && i < jnode_count(&operations); i++) {
		struct jnode item = jnode_item(&operations, i);

		r = jnode_text(&item, "operation", JSON_REQUIRED, text, sizeof(text), err);
		if (r >= 0)
			quick_texts_add(&journal->left_out, text, strlen(text));
	}
	journal->mtu_left = (uint32_t)mtu;
	return r;
}

static int get_numbers(const struct jnode *root, struct quick_journal *journal, struct err *err)
{
	uint64_t ifindex = 0, mark = 0, port = 0, without = 0;
	int r = jnode_u64(root, "ifindex", JSON_REQUIRED, 0, INT32_MAX, &ifindex, err);

	if (r >= 0)
		r = jnode_u64(root, "mark", JSON_REQUIRED, 0, UINT32_MAX, &mark, err);
	if (r >= 0)
		r = jnode_u64(root, "listen_port", JSON_REQUIRED, 0, UINT16_MAX, &port, err);
	journal->ifindex = (unsigned)ifindex;
	journal->mark = (uint32_t)mark;
	if (r >= 0)
		r = jnode_u64(root, "firewall_without", JSON_REQUIRED, 0, FIREWALL_ALL, &without, err);
	journal->listen_port = (uint16_t)port;
	journal->firewall_without = (unsigned)without;
	return r;
}

static int get_parameters(const struct jnode *root, struct quick_journal *journal, struct err *err)
{
	struct jnode parameters, object;
	int r = jnode_object(root, "parameters", JSON_REQUIRED, &parameters, err);

	for (unsigned i = 0; r >= 0 && i < QUICK_PARAMETERS; i++) {
		struct quick_parameter_note *note = &journal->parameters[i];

		r = jnode_object(&parameters, quick_parameter_key(i), JSON_REQUIRED, &object, err);
		if (r >= 0)
			r = jnode_bool(&object, "needed", JSON_REQUIRED, &note->needed, err);
		if (r >= 0)
			r = jnode_text(
				&object, "before", JSON_REQUIRED, note->before, sizeof(note->before), err);
	}
	return r;
}

int quick_journal_from_json(const struct jnode *root, struct quick_journal *journal, struct err *err)
{
	unsigned stage = 0, dns = 0;
	int r = jnode_text(root, "interface", JSON_REQUIRED, journal->name, sizeof(journal->name), err);

	if (r >= 0)
		r = jnode_word(root, "stage", JSON_REQUIRED, stages, ARRAY_COUNT(stages), &stage, err);
	if (r >= 0)
		r = jnode_word(root, "dns", JSON_REQUIRED, dns_ways, ARRAY_COUNT(dns_ways), &dns, err);
	if (r >= 0)
		r = jnode_text(
			root, "dns_name", JSON_REQUIRED, journal->dns.name, sizeof(journal->dns.name), err);
	if (r >= 0)
		r = jnode_text_new(root, "dns_text", JSON_OPTIONAL, DNS_TEXT_MAX, &journal->dns.text, err);
	if (r >= 0)
		r = get_parameters(root, journal, err);
	if (r >= 0)
		r = jnode_bool(root, "link", JSON_REQUIRED, &journal->link, err);
	if (r >= 0)
		r = jnode_bool(root, "foreign", JSON_REQUIRED, &journal->foreign, err);
	if (r >= 0)
		r = jnode_bool(root, "firewall", JSON_REQUIRED, &journal->firewall, err);
	if (r >= 0)
		r = jnode_bool(root, "forwards", JSON_REQUIRED, &journal->forwards, err);
	if (r >= 0)
		r = jnode_bool(root, "silent", JSON_REQUIRED, &journal->silent, err);
	if (r >= 0)
		r = get_numbers(root, journal, err);
	if (r >= 0)
		r = get_rules(root, journal, err);
	if (r >= 0)
		r = get_host_routes(root, journal, err);
	if (r >= 0)
		r = get_memory(root, &journal->memory, err);
	if (r >= 0)
		r = get_left_out(root, journal, err);
	if (r >= 0)
		r = quick_journal_get_spaces(root, journal, err);
	journal->stage = (enum quick_stage)stage;
	journal->dns.way = (enum quick_dns)dns;
	return r;
}
