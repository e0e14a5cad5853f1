/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/explain/sample.h"

#include <check.h>
#include <linux/fib_rules.h>
#include <linux/in.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "common/base/text.h"

struct addr sample_addr(const char *text)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse(text, &addr, NULL), 0);
	return addr;
}

struct prefix sample_prefix(const char *text)
{
	struct prefix prefix;

	ck_assert_int_eq(prefix_parse(text, &prefix, NULL), 0);
	return prefix;
}

struct explain_route *sample_route(
	struct explain_way *way, const char *to, const char *device, uint32_t table)
{
	struct explain_route *route = explain_add_route(way);

	route->to = sample_prefix(to);
	route->table = table;
	route->type = RTN_UNICAST;
	if (device)
		text_copy(route->device, sizeof(route->device), device);
	return route;
}

struct explain_rule *sample_rule(struct explain_facts *facts, uint32_t priority, uint32_t table)
{
	struct explain_rule *rule = explain_add_rule(facts);

	rule->family = AF_INET;
	rule->priority = priority;
	rule->action = FR_ACT_TO_TBL;
	rule->table = table;
	return rule;
}

static void answer(
	struct explain_way *way, const char *to, const char *prefix, const char *device, const char *src)
{
	way->to = sample_addr(to);
	way->asked = true;
	way->answer = *sample_route(way, prefix, device, RT_TABLE_MAIN);
	way->answer.src = sample_addr(src);
	way->device_up = true;
	way->device_mtu = 1500;
}

struct explain_facts sample_facts(void)
{
	struct explain_facts facts = {.found = true, .now_s = 1000000};

	text_copy(facts.question.peer, sizeof(facts.question.peer), "alice");
	facts.question.to = sample_addr("10.60.0.1");
	facts.question.protocol = IPPROTO_ICMP;
	text_copy(facts.tunnel.name, sizeof(facts.tunnel.name), "wg0");
	facts.tunnel.up = facts.tunnel.has_private_key = true;
	facts.tunnel.mtu = 1420;
	facts.tunnel.listen_port = 51820;
	facts.peer.public_key.bytes[0] = 1;
	facts.peer.endpoint = (struct endpoint){.addr = sample_addr("192.0.2.1"), .port = 51820};
	facts.peer.handshake_s = facts.now_s - 20;
	facts.holder = (struct explain_holder){true, facts.peer.public_key, sample_prefix("10.60.0.0/16")};
	sample_rule(&facts, 0, RT_TABLE_LOCAL);
	sample_rule(&facts, 32766, RT_TABLE_MAIN);
	answer(&facts.inner, "10.60.0.1", "10.60.0.0/16", "wg0", "10.50.0.2");
	answer(&facts.back_inner, "10.60.0.1", "10.60.0.0/16", "wg0", "10.50.0.2");
	answer(&facts.outer, "192.0.2.1", "192.0.2.0/24", "eth0", "192.0.2.2");
	answer(&facts.back, "192.0.2.1", "192.0.2.0/24", "eth0", "192.0.2.2");
	answer(&facts.back_marked, "192.0.2.1", "192.0.2.0/24", "eth0", "192.0.2.2");
	return facts;
}
