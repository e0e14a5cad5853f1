/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/trace/rule.h"

#include <arpa/inet.h>
#include <check.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/trace/sample.h"

static struct loaded_ruleset ruleset;
static struct loaded_table *table;
static struct loaded_rule *rule;
static struct trace_packet packet;
static struct trace_matched matched;

static void setup(void)
{
	ruleset = (struct loaded_ruleset){0};
	table = loaded_add_table(&ruleset, 2, "t"); /* NFPROTO_IPV4 */
	rule = sample_empty_rule(&ruleset, loaded_add_chain(table, "c"));
	packet = sample_ping();
}

static void teardown(void)
{
	loaded_clear(&ruleset);
}

static enum trace_match run(void)
{
	trace_rule(table, rule, &packet, &matched);
	return matched.match;
}

static struct loaded_expr *load(enum loaded_op op, uint32_t key)
{
	struct loaded_expr *expr = loaded_add_expr(rule, op);

	expr->load.key = key;
	return expr;
}

START_TEST(test_names)
{
	sample_meta(rule, NFT_META_OIFNAME, NFT_CMP_EQ, "wg0", 4);
	sample_meta(rule, NFT_META_OIFNAME, NFT_CMP_EQ, "wg", 2); /* wg* */
	ck_assert_int_eq(run(), TRACE_MATCH_YES);
	sample_meta(rule, NFT_META_IIFNAME, NFT_CMP_NEQ, "wg0", 4);
	ck_assert_int_eq(run(), TRACE_MATCH_YES);
	sample_meta(rule, NFT_META_OIFNAME, NFT_CMP_EQ, "wg", 3);
	ck_assert_int_eq(run(), TRACE_MATCH_NO);
}
END_TEST

START_TEST(test_addresses)
{
	uint8_t from[] = {10, 50, 0, 2}, net[] = {10, 60};

	sample_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
	sample_compare(rule, NFT_CMP_EQ, from, 4);
	sample_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 16, 2);
	sample_compare(rule, NFT_CMP_EQ, net, 2);
	ck_assert_int_eq(run(), TRACE_MATCH_YES);
	packet.from = (struct addr){0};
	ck_assert_int_eq(run(), TRACE_MATCH_PERHAPS);
	ck_assert_str_eq(matched.cause, "the network header's bytes from 12");
	packet.to.bytes[1] = 61; /* a later comparison fails for certain */
	ck_assert_int_eq(run(), TRACE_MATCH_NO);
}
END_TEST

START_TEST(test_ip6)
{
	packet.from = packet.to = (struct addr){0};
	ck_assert_int_eq(addr_parse("fd60::1", &packet.to, NULL), 0);
	packet.protocol = IPPROTO_ICMPV6;
	sample_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 24, 16);
	sample_compare(rule, NFT_CMP_EQ, packet.to.bytes, 16);
	sample_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
	sample_compare(rule, NFT_CMP_EQ, "\x80", 1);
	ck_assert_int_eq(run(), TRACE_MATCH_YES);
	packet.reply = true;
	ck_assert_int_eq(run(), TRACE_MATCH_NO);
}
END_TEST

START_TEST(test_ports)
{
	uint16_t port = htons(22);

	packet = sample_syn(22);
	sample_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	sample_compare(rule, NFT_CMP_EQ, &port, 2);
	ck_assert_int_eq(run(), TRACE_MATCH_YES);
	packet.dport = 0;
	ck_assert_int_eq(run(), TRACE_MATCH_PERHAPS);
	packet.dport = 23;
	ck_assert_int_eq(run(), TRACE_MATCH_NO);
}
END_TEST

/* Some bytes of a comparison known, and already different. */
START_TEST(test_partly_known)
{
	uint8_t ports[] = {0, 1, 0, 23};

	packet = sample_syn(22);
	sample_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 4);
	sample_compare(rule, NFT_CMP_EQ, ports, 4);
	ck_assert_int_eq(run(), TRACE_MATCH_NO);
	packet.dport = 23;
	ck_assert_int_eq(run(), TRACE_MATCH_PERHAPS);
}
END_TEST

START_TEST(test_what_is_not_in_the_packet)
{
	sample_payload(rule, NFT_PAYLOAD_LL_HEADER, 6, 6);
	sample_compare(rule, NFT_CMP_EQ, "\2\0\0\0\0\1", 6);
	ck_assert_int_eq(run(), TRACE_MATCH_PERHAPS);
	ck_assert_str_eq(matched.cause, "the link layer header's bytes from 6");
}
END_TEST

START_TEST(test_orders)
{
	uint8_t low[] = {10, 0, 0, 0}, high[] = {10, 255, 255, 255};
	struct loaded_expr *range;

	sample_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
	sample_compare(rule, NFT_CMP_GTE, low, 4);
	sample_compare(rule, NFT_CMP_GT, low, 4);
	sample_compare(rule, NFT_CMP_LT, high, 4);
	sample_compare(rule, NFT_CMP_LTE, high, 4);
	range = loaded_add_expr(rule, LOADED_RANGE);
	range->range.from.length = range->range.to.length = 4;
	memcpy(range->range.from.bytes, low, 4);
	memcpy(range->range.to.bytes, high, 4);
	range->range.how = NFT_RANGE_EQ;
	ck_assert_int_eq(run(), TRACE_MATCH_YES);
	range->range.how = NFT_RANGE_NEQ;
	ck_assert_int_eq(run(), TRACE_MATCH_NO);
}
END_TEST

START_TEST(test_ct_state)
{
	uint32_t mask = NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED), none = 0;
	struct loaded_expr *bitwise;

	load(LOADED_CT, NFT_CT_STATE);
	bitwise = loaded_add_expr(rule, LOADED_BITWISE);
	bitwise->bitwise.mask.length = bitwise->bitwise.exclusive.length = 4;
	memcpy(bitwise->bitwise.mask.bytes, &mask, 4);
	sample_compare(rule, NFT_CMP_NEQ, &none, 4);
	ck_assert_int_eq(run(), TRACE_MATCH_NO);
	packet.ct = TRACE_CT_ESTABLISHED;
	ck_assert_int_eq(run(), TRACE_MATCH_YES);
	packet.ct = TRACE_CT_UNTRACKED;
	ck_assert_int_eq(run(), TRACE_MATCH_NO);
}
END_TEST

/* A mask that leaves out what is not known leaves nothing unknown. */
START_TEST(test_mask_of_unknown)
{
	struct loaded_expr *bitwise;
	uint32_t none = 0;

	packet.mark.unknown = true;
	load(LOADED_META, NFT_META_MARK);
	bitwise = loaded_add_expr(rule, LOADED_BITWISE);
	bitwise->bitwise.mask.length = bitwise->bitwise.exclusive.length = 4;
	sample_compare(rule, NFT_CMP_EQ, &none, 4);
	ck_assert_int_eq(run(), TRACE_MATCH_YES);
	bitwise->bitwise.mask.bytes[0] = 1;
	ck_assert_int_eq(run(), TRACE_MATCH_PERHAPS);
}
END_TEST

START_TEST(test_byteorder)
{
	uint32_t index = htonl(7);
	struct loaded_expr *turn;

	load(LOADED_META, NFT_META_OIF);
	turn = loaded_add_expr(rule, LOADED_BYTEORDER);
	turn->byteorder.length = turn->byteorder.size = 4;
	sample_compare(rule, NFT_CMP_EQ, &index, 4);
	ck_assert_int_eq(run(), TRACE_MATCH_YES);
}
END_TEST

/* nft 1.0.6 turns a protocol round in units of 2 bytes: the kernel does nothing then. */
START_TEST(test_byteorder_of_less_than_a_unit)
{
	uint8_t protocol = IPPROTO_ICMP;
	struct loaded_expr *turn;

	load(LOADED_META, NFT_META_L4PROTO);
	turn = loaded_add_expr(rule, LOADED_BYTEORDER);
	turn->byteorder.length = 1;
	turn->byteorder.size = 2;
	sample_compare(rule, NFT_CMP_EQ, &protocol, 1);
	ck_assert_int_eq(run(), TRACE_MATCH_YES);
}
END_TEST

START_TEST(test_fib)
{
	struct loaded_expr *fib = load(LOADED_FIB, NFT_FIB_RESULT_ADDRTYPE);
	uint32_t local = RTN_LOCAL;

	fib->load.flags = NFTA_FIB_F_SADDR;
	sample_compare(rule, NFT_CMP_EQ, &local, 4);
	ck_assert_int_eq(run(), TRACE_MATCH_YES);
	fib->load.flags = NFTA_FIB_F_DADDR;
	ck_assert_int_eq(run(), TRACE_MATCH_NO);
	fib->load.flags = NFTA_FIB_F_DADDR | NFTA_FIB_F_IIF;
	ck_assert_int_eq(run(), TRACE_MATCH_PERHAPS);
	fib->load.key = NFT_FIB_RESULT_OIF;
	ck_assert_int_eq(run(), TRACE_MATCH_PERHAPS);
	ck_assert_str_eq(matched.cause, "fib (which interface)");
}
END_TEST

START_TEST(test_who_sends_it)
{
	uint32_t root = 0;

	sample_meta(rule, NFT_META_SKUID, NFT_CMP_EQ, &root, 4);
	sample_verdict(rule, 0, NULL);
	ck_assert_int_eq(run(), TRACE_MATCH_PERHAPS);
	ck_assert_str_eq(matched.cause, "meta skuid");
	ck_assert_ptr_nonnull(matched.verdict);
}
END_TEST

/* The source rule of the lease's fence: what follows sees the new source. */
START_TEST(test_written_source)
{
	struct addr source;
	struct loaded_expr *value = loaded_add_expr(rule, LOADED_IMMEDIATE), *set;

	ck_assert_int_eq(addr_parse("10.9.0.100", &source, NULL), 0);
	value->value.length = 4;
	memcpy(value->value.bytes, source.bytes, 4);
	set = loaded_add_expr(rule, LOADED_PAYLOAD_SET);
	set->payload.base = NFT_PAYLOAD_NETWORK_HEADER;
	set->payload.offset = 12;
	set->payload.length = 4;
	ck_assert_int_eq(run(), TRACE_MATCH_YES);
	ck_assert(addr_equal(&packet.from, &source));
	set->payload.offset = 16;
	run();
	ck_assert(matched.away);
}
END_TEST

START_TEST(test_unknown_register)
{
	struct loaded_expr *expr = loaded_add_what(rule, LOADED_UNKNOWN, "numgen");

	expr->target = 16;
	sample_compare(rule, NFT_CMP_EQ, "\0", 1);
	rule->exprs[1].source = 16;
	ck_assert_int_eq(run(), TRACE_MATCH_PERHAPS);
	ck_assert_str_eq(matched.cause, "numgen");
}
END_TEST

START_TEST(test_out_of_bounds)
{
	uint8_t bytes[LOADED_VALUE_MAX] = {0};

	sample_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 0, LOADED_VALUE_MAX);
	rule->exprs[0].target = 60;
	sample_compare(rule, NFT_CMP_EQ, bytes, LOADED_VALUE_MAX);
	rule->exprs[1].source = 4;
	ck_assert_int_eq(run(), TRACE_MATCH_PERHAPS);
	rule->exprs[0].payload.length = LOADED_VALUE_MAX + 1;
	ck_assert_int_eq(run(), TRACE_MATCH_NO);
	rule->exprs[0].payload.length = 4;
	rule->exprs[0].payload.offset = UINT32_MAX;
	ck_assert_int_eq(run(), TRACE_MATCH_PERHAPS);
}
END_TEST

START_TEST(test_expressions_limit)
{
	for (size_t i = 0; i < LOADED_EXPRS_MAX; i++)
		ck_assert_ptr_nonnull(loaded_add_expr(rule, LOADED_PASS));
	ck_assert_ptr_null(loaded_add_expr(rule, LOADED_PASS));
	ck_assert_int_eq(run(), TRACE_MATCH_YES);
}
END_TEST

START_TEST(test_registers)
{
	uint8_t offset = 99;

	ck_assert_int_lt(loaded_register(NFT_REG_VERDICT, &offset), 0);
	ck_assert_int_eq(loaded_register(NFT_REG_4, &offset), 0);
	ck_assert_uint_eq(offset, 48);
	ck_assert_int_lt(loaded_register(NFT_REG_4 + 1, &offset), 0);
	ck_assert_int_eq(loaded_register(NFT_REG32_15, &offset), 0);
	ck_assert_uint_eq(offset, 60);
	ck_assert_int_lt(loaded_register(NFT_REG32_15 + 1, &offset), 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("rule");
	TCase *tcase = tcase_create("rule");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_names);
	tcase_add_test(tcase, test_addresses);
	tcase_add_test(tcase, test_ip6);
	tcase_add_test(tcase, test_ports);
	tcase_add_test(tcase, test_partly_known);
	tcase_add_test(tcase, test_what_is_not_in_the_packet);
	tcase_add_test(tcase, test_orders);
	tcase_add_test(tcase, test_ct_state);
	tcase_add_test(tcase, test_mask_of_unknown);
	tcase_add_test(tcase, test_byteorder);
	tcase_add_test(tcase, test_byteorder_of_less_than_a_unit);
	tcase_add_test(tcase, test_fib);
	tcase_add_test(tcase, test_who_sends_it);
	tcase_add_test(tcase, test_written_source);
	tcase_add_test(tcase, test_unknown_register);
	tcase_add_test(tcase, test_out_of_bounds);
	tcase_add_test(tcase, test_expressions_limit);
	tcase_add_test(tcase, test_registers);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
