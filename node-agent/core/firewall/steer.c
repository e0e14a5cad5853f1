/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/firewall/steer.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/firewall/compose.h"

#define COMPLETE "complete at "

enum { PRIORITY = -300, INITIATION = 1, RESPONSE = 2, COOKIE = 3, DATA = 4 };

/* Whoever hands its peers on makes no new sessions: they would be handed on a moment later, and lost. */
static void hold_back(struct fw_chain *egress, const struct steer_way *way)
{
	for (size_t p = 0; p < way->port_count && !way->back; p++) {
		for (uint8_t type = INITIATION; type <= RESPONSE; type++) {
			struct fw_rule *rule = fw_add_rule(egress);
			rule_udp_sport(rule, way->ports[p]);
			rule_wg_type(rule, type);
			rule_drop(rule);
		}
	}
}

static void learn(struct fw_chain *egress, uint16_t port)
{
	for (uint8_t type = INITIATION; type <= RESPONSE; type++) {
		struct fw_rule *rule = fw_add_rule(egress);
		rule_udp_sport(rule, port);
		rule_wg_type(rule, type);
		rule_wg_learn_sender(rule, STEER_OWN);
	}
}

static void steer_type(struct fw_chain *ingress, const struct steer *steer, const struct addr *address,
	uint16_t port, uint8_t type, const struct addr *to)
{
	struct fw_rule *rule = fw_add_rule(ingress);
	rule_protocol(rule, address->family);
	rule_ip(rule, FW_DESTINATION, FW_EQUAL, address);
	rule_udp_dport(rule, port);
	rule_wg_type(rule, type);
	if (type != INITIATION)
		rule_wg_receiver_not_in(rule, type, STEER_OWN);
	rule_forward(rule, to, steer->ifindex, steer->device);
}

static void steer_address(struct fw_chain *ingress, const struct steer *steer, const struct steer_way *way,
	const struct addr *address)
{
	const struct addr *to = address->family == AF_INET ? &way->to4 : &way->to6;
	if (!addr_is_set(to))
		return;
	for (size_t p = 0; p < way->port_count; p++)
		for (uint8_t type = way->back ? RESPONSE : INITIATION; type <= DATA; type++)
			steer_type(ingress, steer, address, way->ports[p], type, to);
}

static void fill_ingress(struct fw_chain *ingress, const struct steer *steer)
{
	for (size_t w = 0; w < steer->way_count; w++) {
		struct fw_rule *rule = fw_add_rule(ingress);
		rule_ether_source(rule, steer->ways[w].mac);
		rule_accept(rule);
	}
	for (size_t w = 0; w < steer->way_count; w++)
		for (size_t a = 0; a < steer->ways[w].address_count; a++)
			steer_address(ingress, steer, &steer->ways[w], &steer->ways[w].addresses[a]);
}

void steer_scope(const char *device, char *buffer, size_t size)
{
	snprintf(buffer, size, "steer %s", device);
}

void steer_table(const char *device, char *buffer, size_t size)
{
	snprintf(buffer, size, "holdfast-steer-%s", device);
}

void steer_complete_format(int64_t complete_ms, char *buffer, size_t size)
{
	snprintf(buffer, size, COMPLETE "%" PRId64, complete_ms);
}

int64_t steer_complete_parse(const char *comment)
{
	int64_t complete_ms;
	char end;
	if (sscanf(comment, COMPLETE "%" SCNd64 "%c", &complete_ms, &end) != 1 || complete_ms < 0)
		return INT64_MAX;
	return complete_ms;
}

struct fw_ruleset *steer_build(const struct steer *steer)
{
	struct fw_ruleset *ruleset = mem_new(1, sizeof *ruleset);
	char name[FW_NAME_MAX + 1];
	steer_scope(steer->device, ruleset->scope, sizeof ruleset->scope);
	steer_table(steer->device, name, sizeof name);
	struct fw_table *table = fw_add_table(ruleset, FW_NETDEV, name);
	fw_add_learned_set(table, STEER_OWN, FW_KEY_INDEX, STEER_OWN_MAX, STEER_OWN_TIMEOUT_MS);
	steer_complete_format(steer->complete_ms, table->sets[0].comment, sizeof table->sets[0].comment);
	struct fw_chain *egress =
		fw_add_device_chain(table, STEER_EGRESS, FW_EGRESS, steer->device, PRIORITY);
	for (size_t w = 0; w < steer->way_count; w++)
		hold_back(egress, &steer->ways[w]);
	for (size_t p = 0; p < steer->port_count; p++)
		learn(egress, steer->ports[p]);
	fill_ingress(fw_add_device_chain(table, STEER_INGRESS, FW_INGRESS, steer->device, PRIORITY), steer);
	return ruleset;
}
