/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/trace/trace.h"
#include "node-agent/io/netlink/datagram.h"
#include "node-agent/io/nft/attr.h"
#include "node-agent/io/nft/load_take.h"
#include "tests/fuzz/fuzz_target.h"

static const char *text_of(const struct nlmsghdr *message, uint16_t type)
{
	const struct nlattr *attr = nft_attr(message, type);

	return attr && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0 ? mnl_attr_get_str(attr) : "";
}

/* The kernel is asked for the elements of one set, and answers with no other's. */
static struct loaded_set *set_of(struct loaded_ruleset *ruleset, const struct nlmsghdr *message)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		struct loaded_table *table = &ruleset->tables[i];

		if (strcmp(table->name, text_of(message, NFTA_SET_ELEM_LIST_TABLE)))
			continue;
		for (size_t j = 0; j < table->set_count; j++)
			if (!strcmp(table->sets[j].name, text_of(message, NFTA_SET_ELEM_LIST_SET)))
				return &table->sets[j];
	}
	return NULL;
}

static int take_elements(struct loaded_ruleset *ruleset, const struct nlmsghdr *message)
{
	struct loaded_set *set = set_of(ruleset, message);

	return set ? nft_load_take_elements(message, set) : 0;
}

static int take(struct loaded_ruleset *ruleset, const struct nlmsghdr *message)
{
	switch (NFNL_MSG_TYPE(message->nlmsg_type)) {
	case NFT_MSG_NEWTABLE:
		return nft_load_take_table(message, ruleset);
	case NFT_MSG_NEWCHAIN:
		return nft_load_take_chain(message, ruleset);
	case NFT_MSG_NEWRULE:
		return nft_load_take_rule(message, ruleset);
	case NFT_MSG_NEWSET:
		return nft_load_take_set(message, ruleset);
	case NFT_MSG_NEWSETELEM:
		return take_elements(ruleset, message);
	default: /* a number, not an enum of ours */
		return 0;
	}
}

static void check_expr(const struct loaded_expr *expr)
{
	FUZZ_CHECK(expr->source < LOADED_VALUE_MAX && expr->target < LOADED_VALUE_MAX);
	switch (expr->op) {
	case LOADED_IMMEDIATE:
		FUZZ_CHECK(expr->value.length <= LOADED_VALUE_MAX);
		return;
	case LOADED_COMPARE:
		FUZZ_CHECK(expr->compare.value.length <= LOADED_VALUE_MAX);
		return;
	case LOADED_RANGE:
		FUZZ_CHECK(expr->range.from.length <= LOADED_VALUE_MAX);
		FUZZ_CHECK(expr->range.from.length == expr->range.to.length);
		return;
	case LOADED_BITWISE:
		FUZZ_CHECK(expr->bitwise.mask.length <= LOADED_VALUE_MAX);
		FUZZ_CHECK(expr->bitwise.mask.length == expr->bitwise.exclusive.length);
		return;
	case LOADED_BYTEORDER:
		FUZZ_CHECK(expr->byteorder.length <= LOADED_VALUE_MAX);
		return;
	case LOADED_LOOKUP:
		FUZZ_CHECK(expr->lookup.set);
		return;
	case LOADED_UNKNOWN:
	case LOADED_PERHAPS:
	case LOADED_AWAY:
		FUZZ_CHECK(memchr(expr->what, '\0', sizeof(expr->what)) && expr->what[0]);
		return;
	case LOADED_META:
	case LOADED_CT:
	case LOADED_FIB:
	case LOADED_PAYLOAD:
	case LOADED_META_SET:
	case LOADED_CT_SET:
	case LOADED_PAYLOAD_SET:
	case LOADED_VERDICT:
	case LOADED_PASS:
	case LOADED_NOTRACK:
	case LOADED_REJECT:
	case LOADED_SOURCE_NAT:
		return;
	}
	FUZZ_CHECK(!"an operation that there is");
}

static void check_chain(const struct loaded_chain *chain)
{
	FUZZ_CHECK(chain->name);
	for (size_t i = 0; i < chain->count; i++)
		for (size_t j = 0; j < chain->rules[i].count; j++)
			check_expr(&chain->rules[i].exprs[j]);
}

static void check_set(const struct loaded_set *set)
{
	FUZZ_CHECK(set->name);
	FUZZ_CHECK(set->key_length <= LOADED_VALUE_MAX && set->field_count <= LOADED_FIELDS_MAX);
	for (size_t i = 0; i < set->field_count; i++)
		FUZZ_CHECK(set->fields[i] && set->fields[i] <= LOADED_VALUE_MAX);
	for (size_t i = 0; i < set->count; i++) {
		FUZZ_CHECK(set->elements[i].key.length <= LOADED_VALUE_MAX);
		FUZZ_CHECK(set->elements[i].key_end.length <= LOADED_VALUE_MAX);
		FUZZ_CHECK(set->elements[i].data.length <= LOADED_VALUE_MAX);
	}
}

static void check_table(const struct loaded_table *table)
{
	FUZZ_CHECK(table->name);
	for (size_t i = 0; i < table->chain_count; i++)
		check_chain(&table->chains[i]);
	for (size_t i = 0; i < table->set_count; i++)
		check_set(&table->sets[i]);
}

static struct trace_packet packet_of(int family)
{
	struct trace_packet packet = {.protocol = IPPROTO_UDP,
		.from = {.family = (uint8_t)family, .bytes = {10, 0, 0, 1}},
		.to = {.family = (uint8_t)family, .bytes = {10, 0, 0, 2}},
		.dport = 51820,
		.iif_index = 2,
		.oif_index = 3};

	text_copy(packet.iif, sizeof(packet.iif), "eth0");
	text_copy(packet.oif, sizeof(packet.oif), "wg0");
	return packet;
}

/* What is loaded decides about packets, whatever it is. */
static void trace_all(const struct loaded_ruleset *ruleset)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_COUNT(families); i++) {
		for (enum trace_hook hook = TRACE_PREROUTING; hook <= TRACE_EGRESS; hook++) {
			struct trace_packet packet = packet_of(families[i]);
			struct trace_result result;
			char text[TRACE_PLACE_TEXT_MAX];

			trace_hook(ruleset, hook, &packet, &result);
			FUZZ_CHECK(memchr(result.why, '\0', sizeof(result.why)));
			FUZZ_CHECK((result.verdict == TRACE_UNSURE) == (result.why[0] != '\0'));
			if (result.place.table)
				FUZZ_CHECK(trace_place_format(&result.place, text) == text && text[0]);
		}
	}
}

/* A listing of nftables, whoever wrote the ruleset, as `holdfast explain` reads it: the messages in any order. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netlink_datagram datagram = {data, size};
	const struct nlmsghdr *message;
	struct loaded_ruleset ruleset = {0};

	while ((message = netlink_datagram_next(&datagram))) {
		int r = take(&ruleset, message);

		FUZZ_CHECK(r == 0 || r == -EBADMSG);
	}
	for (size_t i = 0; i < ruleset.count; i++)
		check_table(&ruleset.tables[i]);
	trace_all(&ruleset);
	loaded_clear(&ruleset);
	return 0;
}
