/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/trace/sample.h"

#include <check.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

struct trace_packet sample_ping(void)
{
	struct trace_packet packet = {
		.protocol = IPPROTO_ICMP, .oif_index = 7, .from_type = RTN_LOCAL, .to_type = RTN_UNICAST};

	ck_assert_int_eq(addr_parse("10.50.0.2", &packet.from, NULL), 0);
	ck_assert_int_eq(addr_parse("10.60.0.1", &packet.to, NULL), 0);
	text_copy(packet.oif, sizeof(packet.oif), "wg0");
	return packet;
}

struct trace_packet sample_syn(uint16_t port)
{
	struct trace_packet packet = sample_ping();

	packet.protocol = IPPROTO_TCP;
	packet.dport = port;
	return packet;
}

struct loaded_chain *sample_base(
	struct loaded_table *table, const char *name, uint32_t hook, int32_t priority, uint32_t policy)
{
	struct loaded_chain *chain = loaded_add_chain(table, name);

	chain->base = true;
	chain->hook = hook;
	chain->priority = priority;
	chain->policy = policy;
	return chain;
}

void sample_verdict(struct loaded_rule *rule, int verdict, const char *to)
{
	struct loaded_expr *expr = loaded_add_expr(rule, LOADED_VERDICT);

	expr->verdict.code = verdict;
	expr->verdict.chain = mem_text(to);
}

struct loaded_rule *sample_empty_rule(struct loaded_ruleset *ruleset, struct loaded_chain *chain)
{
	struct loaded_rule *rule = loaded_add_rule(ruleset, chain);

	ck_assert_ptr_nonnull(rule);
	rule->handle = ruleset->rule_count;
	return rule;
}

struct loaded_rule *sample_rule(
	struct loaded_ruleset *ruleset, struct loaded_chain *chain, int verdict, const char *to)
{
	struct loaded_rule *rule = sample_empty_rule(ruleset, chain);

	sample_verdict(rule, verdict, to);
	return rule;
}

void sample_compare(struct loaded_rule *rule, uint32_t how, const void *bytes, size_t length)
{
	struct loaded_expr *expr = loaded_add_expr(rule, LOADED_COMPARE);

	expr->compare.how = how;
	expr->compare.value.length = (uint8_t)length;
	memcpy(expr->compare.value.bytes, bytes, length);
}

void sample_meta(struct loaded_rule *rule, uint32_t key, uint32_t how, const void *bytes, size_t length)
{
	loaded_add_expr(rule, LOADED_META)->load.key = key;
	sample_compare(rule, how, bytes, length);
}

void sample_payload(struct loaded_rule *rule, uint32_t base, uint32_t offset, uint32_t length)
{
	struct loaded_expr *expr = loaded_add_expr(rule, LOADED_PAYLOAD);

	expr->payload.base = base;
	expr->payload.offset = offset;
	expr->payload.length = length;
}
