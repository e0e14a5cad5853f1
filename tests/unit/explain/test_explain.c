/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/explain/explain.h"

#include <check.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "tests/unit/explain/sample.h"

static struct explain_facts facts;
static struct explain_findings findings;

static void setup(void)
{
	facts = sample_facts();
}

static void teardown(void)
{
	explain_facts_clear(&facts);
	explain_findings_clear(&findings);
}

static const struct explain_finding *at(enum explain_step step)
{
	for (size_t i = 0; i < findings.count; i++)
		if (findings.items[i].step == step)
			return &findings.items[i];
	return NULL;
}

static void run(void)
{
	explain_findings_clear(&findings);
	explain(&facts, &findings);
}

/* The first no is at that step, its sentence has the words, and says what to do. */
static void assert_no(enum explain_step step, const char *words)
{
	const struct explain_finding *first;

	run();
	first = explain_first_no(&findings);
	ck_assert_ptr_nonnull(first);
	ck_assert_str_eq(explain_step_name(first->step), explain_step_name(step));
	ck_assert_msg(strstr(first->text, words) != NULL, "%s", first->text);
	ck_assert(first->todo[0]);
}

static void assert_doubt(enum explain_step step, const char *words)
{
	run();
	ck_assert_ptr_null(explain_first_no(&findings));
	ck_assert_ptr_nonnull(at(step));
	ck_assert_int_eq(at(step)->says, EXPLAIN_DOUBTFUL);
	ck_assert_msg(strstr(at(step)->text, words) != NULL, "%s", at(step)->text);
}

START_TEST(test_all_is_well)
{
	run();
	for (size_t i = 0; i < findings.count; i++)
		ck_assert_msg(findings.items[i].says == EXPLAIN_OK, "%s", findings.items[i].text);
	ck_assert_uint_eq(findings.count, 17);
	ck_assert_str_eq(at(EXPLAIN_RULE)->text, "32766: from all lookup main");
	ck_assert_str_eq(at(EXPLAIN_ROUTE)->text, "10.60.0.0/16 dev wg0");
	ck_assert_str_eq(at(EXPLAIN_MTU)->text, "1420 + 60 of 1500");
}
END_TEST

START_TEST(test_unknown_peers)
{
	facts.found = false;
	assert_no(EXPLAIN_PEER, "no agent answers");
	facts.fleet.answered = true;
	assert_no(EXPLAIN_PEER, "knows no peer named alice");
	facts.fleet.known = true;
	text_copy(facts.fleet.name, sizeof(facts.fleet.name), "alice");
	assert_no(EXPLAIN_PEER, "the agent knows alice");
	facts.fleet.known = false;
	key_format(&facts.peer.public_key, facts.question.peer);
	assert_no(EXPLAIN_PEER, "no tunnel of this machine");
	ck_assert_uint_eq(findings.count, 1);
}
END_TEST

START_TEST(test_device)
{
	facts.tunnel.up = false;
	assert_no(EXPLAIN_TUNNEL, "wg0 is down");
	facts.tunnel.up = true;
	facts.tunnel.has_private_key = false;
	assert_no(EXPLAIN_TUNNEL, "no private key");
}
END_TEST

START_TEST(test_standby)
{
	text_copy(facts.fleet.endpoint, sizeof(facts.fleet.endpoint), "vpn");
	text_copy(facts.fleet.role, sizeof(facts.fleet.role), "standby");
	assert_no(EXPLAIN_OWNER, "standby for vpn");
	facts.fleet.serves = true;
	run();
	ck_assert_int_eq(at(EXPLAIN_OWNER)->says, EXPLAIN_OK);
}
END_TEST

START_TEST(test_allowed_ips)
{
	facts.holder.peer.bytes[0] = 2;
	facts.holder.prefix = sample_prefix("10.60.0.1/32");
	assert_no(EXPLAIN_ALLOWED, "to the peer AgAAA");
	ck_assert_ptr_nonnull(strstr(at(EXPLAIN_ALLOWED)->text, "not to AQAAA"));
	facts.holder.found = false;
	assert_no(EXPLAIN_ALLOWED, "of no peer");
}
END_TEST

START_TEST(test_a_shared_prefix_says_why)
{
	text_copy(
		facts.shared, sizeof(facts.shared), "site-a of wg0, priority 200: no handshake; hub of wg0");
	run();
	ck_assert_int_eq(at(EXPLAIN_ALLOWED)->says, EXPLAIN_OK);
	ck_assert_ptr_nonnull(strstr(at(EXPLAIN_ALLOWED)->text, "is the peer's; of those who share it"));
	ck_assert_ptr_nonnull(strstr(at(EXPLAIN_ALLOWED)->text, "site-a of wg0, priority 200: no handshake"));
	facts.holder.peer.bytes[0] = 2;
	assert_no(EXPLAIN_ALLOWED, "to the peer AgAAA");
	ck_assert_ptr_nonnull(strstr(at(EXPLAIN_ALLOWED)->todo, "site-a of wg0, priority 200: no handshake"));
}
END_TEST

START_TEST(test_no_route)
{
	facts.inner.error = -ENETUNREACH;
	facts.inner.route_count = 0;
	assert_no(EXPLAIN_ROUTE, "there is no route");
}
END_TEST

START_TEST(test_blackhole)
{
	facts.inner.error = -EINVAL;
	sample_route(&facts.inner, "10.60.0.0/24", NULL, RT_TABLE_MAIN)->type = RTN_BLACKHOLE;
	assert_no(EXPLAIN_ROUTE, "blackhole 10.60.0.0/24 refuses 10.60.0.1");
}
END_TEST

START_TEST(test_covered)
{
	facts.inner.answer = *sample_route(&facts.inner, "10.60.0.0/24", "eth1", RT_TABLE_MAIN);
	assert_no(EXPLAIN_ROUTE, "goes by 10.60.0.0/24 dev eth1, not into wg0");
	ck_assert_str_eq(at(EXPLAIN_ROUTE)->todo,
		"10.60.0.0/16 dev wg0 is less specific: delete the one, or add a longer prefix into wg0");
}
END_TEST

START_TEST(test_rule_in_the_way)
{
	struct explain_rule last = facts.rules[1];

	facts.rules[1] = (struct explain_rule){
		.family = AF_INET, .priority = 100, .action = 1 /* FR_ACT_TO_TBL */, .table = 77};
	*explain_add_rule(&facts) = last;
	facts.inner.answer = *sample_route(&facts.inner, "0.0.0.0/0", "eth1", 77);
	assert_no(EXPLAIN_ROUTE, "default dev eth1 table 77");
	ck_assert_str_eq(at(EXPLAIN_ROUTE)->todo,
		"10.60.0.0/16 dev wg0 is not asked, since the rule 100: from all lookup 77 comes first");
}
END_TEST

START_TEST(test_own_address)
{
	facts.inner.answer.type = RTN_LOCAL;
	assert_no(EXPLAIN_ROUTE, "this machine's own");
}
END_TEST

/* The kernel's answer counts, also where the walk through the rules cannot follow it. */
START_TEST(test_rule_not_known_here)
{
	facts.rules[0].has_more = true;
	run();
	ck_assert_int_eq(at(EXPLAIN_RULE)->says, EXPLAIN_OK);
	facts.inner.answer.table = 77;
	assert_doubt(EXPLAIN_RULE, "selects by more");
}
END_TEST

START_TEST(test_no_source)
{
	facts.inner.answer.src = (struct addr){0};
	assert_no(EXPLAIN_SOURCE, "no address");
}
END_TEST

START_TEST(test_ip6_off)
{
	facts.question.to = facts.inner.to = sample_addr("fd60::1");
	facts.on_tunnel.disable_ipv6 = 1;
	run();
	ck_assert_int_eq(at(EXPLAIN_SOURCE)->says, EXPLAIN_NO);
}
END_TEST

START_TEST(test_endpoint)
{
	facts.peer.endpoint = (struct endpoint){0};
	assert_no(EXPLAIN_ENDPOINT, "until it dials in");
	ck_assert_ptr_null(at(EXPLAIN_OUTER_ROUTE));
}
END_TEST

START_TEST(test_loop)
{
	text_copy(facts.outer.answer.device, IFNAMSIZ, "wg0");
	text_copy(facts.outer.routes[0].device, IFNAMSIZ, "wg0");
	assert_no(EXPLAIN_OUTER_ROUTE, "would come back into it");
}
END_TEST

START_TEST(test_uplink)
{
	facts.outer.device_up = false;
	assert_no(EXPLAIN_OUTER_ROUTE, "no carrier");
	facts.outer.error = -ENETUNREACH;
	facts.outer.route_count = 0;
	assert_no(EXPLAIN_OUTER_ROUTE, "192.0.2.1: there is no route");
}
END_TEST

START_TEST(test_mtu)
{
	facts.tunnel.mtu = 1440;
	run();
	ck_assert_int_eq(at(EXPLAIN_MTU)->says, EXPLAIN_OK);
	facts.tunnel.mtu = 1441;
	assert_no(EXPLAIN_MTU, "1501, and the way to the peer takes 1500");
	ck_assert_ptr_nonnull(strstr(at(EXPLAIN_MTU)->todo, "mtu 1440"));
	facts.tunnel.mtu = 1420;
	facts.outer.answer.mtu = 1400;
	assert_no(EXPLAIN_MTU, "takes 1400");
}
END_TEST

START_TEST(test_mtu_of_ip6)
{
	facts.question.to = sample_addr("fd60::1");
	facts.tunnel.mtu = 1280;
	run();
	ck_assert_int_eq(at(EXPLAIN_MTU)->says, EXPLAIN_OK);
	facts.tunnel.mtu = 1279;
	run();
	ck_assert_int_eq(at(EXPLAIN_MTU)->says, EXPLAIN_NO);
}
END_TEST

START_TEST(test_handshakes)
{
	facts.peer.handshake_s = facts.now_s - 180;
	run();
	ck_assert_int_eq(at(EXPLAIN_HANDSHAKE)->says, EXPLAIN_OK);
	facts.peer.handshake_s = facts.now_s - 181;
	assert_doubt(EXPLAIN_HANDSHAKE, "the session is over");
	facts.peer.keepalive_s = 25;
	assert_no(EXPLAIN_HANDSHAKE, "no longer answers");
	facts.peer.handshake_s = 0;
	assert_doubt(EXPLAIN_HANDSHAKE, "nor was one tried");
	facts.peer.tx_bytes = 148;
	assert_no(EXPLAIN_HANDSHAKE, "never was a handshake");
	facts.peer.handshake_s = facts.now_s + 5; /* the clock was set back */
	run();
	ck_assert_int_eq(at(EXPLAIN_HANDSHAKE)->says, EXPLAIN_OK);
}
END_TEST

START_TEST(test_rp_filter)
{
	facts.on_tunnel.rp_filter = 1;
	run();
	ck_assert_int_eq(at(EXPLAIN_RP_FILTER)->says, EXPLAIN_OK);
	text_copy(facts.back_inner.answer.device, IFNAMSIZ, "eth0");
	assert_no(EXPLAIN_RP_FILTER, "leads to eth0");
	facts.on_tunnel.rp_filter = 2;
	run();
	ck_assert_ptr_null(explain_first_no(&findings));
}
END_TEST

static struct loaded_chain *chain(const char *table, const char *name, uint32_t hook, uint32_t policy)
{
	struct loaded_chain *to =
		loaded_add_chain(loaded_add_table(&facts.ruleset, NFPROTO_INET, table), name);

	to->base = true;
	to->hook = hook;
	to->policy = policy;
	return to;
}

/* With src_valid_mark the mark counts that a rule gives the answer, as wg-quick's does from that of the connection. */
START_TEST(test_outer_rp_filter)
{
	struct loaded_rule *rule;

	facts.on_outer.rp_filter = 1;
	facts.tunnel.fwmark = facts.outer.mark = 51820;
	text_copy(facts.back.answer.device, IFNAMSIZ, "wg0");
	assert_no(EXPLAIN_OUTER_RP_FILTER, "leads to wg0");
	facts.on_outer.src_valid_mark = 1;
	assert_no(EXPLAIN_OUTER_RP_FILTER, "leads to wg0");
	rule = loaded_add_rule(&facts.ruleset, chain("q", "post", NF_INET_POST_ROUTING, NF_ACCEPT));
	loaded_add_expr(rule, LOADED_META)->load.key = NFT_META_MARK;
	loaded_add_expr(rule, LOADED_CT_SET)->load.key = NFT_CT_MARK;
	rule = loaded_add_rule(&facts.ruleset, chain("q", "pre", NF_INET_PRE_ROUTING, NF_ACCEPT));
	loaded_add_expr(rule, LOADED_CT)->load.key = NFT_CT_MARK;
	loaded_add_expr(rule, LOADED_META_SET)->load.key = NFT_META_MARK;
	run();
	ck_assert_ptr_null(explain_first_no(&findings));
}
END_TEST

START_TEST(test_firewall)
{
	chain("f", "out", NF_INET_LOCAL_OUT, NF_DROP);
	assert_no(EXPLAIN_FIREWALL, "inet f out, policy drops it at output");
	ck_assert_int_eq(at(EXPLAIN_OUTER_FIREWALL)->says, EXPLAIN_NO);
	loaded_clear(&facts.ruleset);
	chain("f", "in", NF_INET_LOCAL_IN, NF_DROP);
	assert_no(EXPLAIN_ANSWER_FIREWALL, "at input");
	ck_assert_int_eq(at(EXPLAIN_REPLY_FIREWALL)->says, EXPLAIN_NO);
}
END_TEST

START_TEST(test_fence)
{
	struct loaded_rule *rule =
		loaded_add_rule(&facts.ruleset, chain("holdfast", "fence_out", NF_INET_LOCAL_OUT, NF_ACCEPT));
	struct loaded_expr *compare;
	uint32_t mark = 51820;

	facts.tunnel.fwmark = facts.outer.mark = mark;
	loaded_add_expr(rule, LOADED_META)->load.key = NFT_META_MARK;
	compare = loaded_add_expr(rule, LOADED_COMPARE);
	compare->compare.value.length = sizeof(mark);
	memcpy(compare->compare.value.bytes, &mark, sizeof(mark));
	loaded_add_expr(rule, LOADED_VERDICT)->verdict.code = NF_DROP;
	assert_no(EXPLAIN_OUTER_FIREWALL, "inet holdfast fence_out, rule 1");
	ck_assert_ptr_nonnull(strstr(at(EXPLAIN_OUTER_FIREWALL)->todo, "lease"));
}
END_TEST

START_TEST(test_firewall_not_known)
{
	struct loaded_rule *rule =
		loaded_add_rule(&facts.ruleset, chain("f", "out", NF_INET_LOCAL_OUT, NF_ACCEPT));

	loaded_add_what(rule, LOADED_PERHAPS, "limit");
	loaded_add_expr(rule, LOADED_VERDICT)->verdict.code = NF_DROP;
	assert_doubt(EXPLAIN_FIREWALL, "cannot tell: inet f out, rule 1 (handle 0) uses limit (output)");
	loaded_clear(&facts.ruleset);
	facts.legacy = true;
	assert_doubt(EXPLAIN_FIREWALL, "iptables-legacy");
	text_copy(facts.ruleset_failure, sizeof(facts.ruleset_failure), "nft list ruleset: no");
	assert_doubt(EXPLAIN_FIREWALL, "nft list ruleset: no");
}
END_TEST

static void forward(void)
{
	text_copy(facts.question.in, IFNAMSIZ, "eth1");
	text_copy(facts.inner.iif, IFNAMSIZ, "eth1");
	facts.question.from = facts.inner.from = facts.back_in.to = sample_addr("192.168.1.9");
	text_copy(facts.back_in.iif, IFNAMSIZ, "wg0");
	facts.inner.asked = facts.back_inner.asked = false;
	facts.in.forwarding = facts.on_tunnel.forwarding = 1;
}

START_TEST(test_forwarded)
{
	forward();
	sample_route(&facts.back_in, "192.168.1.0/24", "eth1", RT_TABLE_MAIN);
	run();
	ck_assert_ptr_null(explain_first_no(&findings));
	facts.on_tunnel.forwarding = 0;
	assert_no(EXPLAIN_FORWARDING, "from wg0");
	facts.in.forwarding = 0;
	assert_no(EXPLAIN_FORWARDING, "from eth1");
	forward();
	facts.in.rp_filter = 1;
	run();
	ck_assert_ptr_null(explain_first_no(&findings));
	text_copy(facts.back_in.routes[0].device, IFNAMSIZ, "eth0");
	assert_no(EXPLAIN_FORWARDING,
		"rp_filter is strict (1) on eth1, and the way back to 192.168.1.9 leads to eth0");
	facts.in.rp_filter = 0;
	chain("f", "fwd", NF_INET_FORWARD, NF_DROP);
	assert_no(EXPLAIN_FIREWALL, "at forward");
	loaded_clear(&facts.ruleset);
	facts.inner.route_count = 0;
	assert_no(EXPLAIN_ROUTE, "no route");
}
END_TEST

/* The kernel looks the way back up as if from where the packet leaves: a rule about that interface counts. */
START_TEST(test_rp_filter_of_forwarded)
{
	struct explain_rule *rule = &facts.rules[0];

	forward();
	facts.on_tunnel.rp_filter = 1;
	rule->table = 77;
	text_copy(rule->iif, IFNAMSIZ, "eth1");
	sample_route(&facts.inner, "10.60.0.0/16", "wg0", 77);
	facts.back_inner.route_count = 0;
	sample_route(&facts.back_inner, "10.60.0.0/16", "wg0", 77);
	run();
	ck_assert_int_eq(at(EXPLAIN_RP_FILTER)->says, EXPLAIN_NO);
	text_copy(facts.back_inner.iif, IFNAMSIZ, "eth1");
	run();
	ck_assert_ptr_null(explain_first_no(&findings));
	rule->has_more = true;
	run();
	ck_assert_int_eq(at(EXPLAIN_RP_FILTER)->says, EXPLAIN_DOUBTFUL);
}
END_TEST

/* A mark that prerouting sets decides about the rule. */
START_TEST(test_forwarded_with_a_mark)
{
	struct loaded_rule *rule;
	struct loaded_expr *value;
	uint32_t mark = 7;

	forward();
	facts.rules[0].table = 77;
	facts.rules[0].has_fwmark = true;
	facts.rules[0].fwmark = facts.rules[0].fwmask = mark;
	sample_route(&facts.inner, "0.0.0.0/0", "eth0", 77);
	run();
	ck_assert_ptr_null(explain_first_no(&findings));
	rule = loaded_add_rule(&facts.ruleset, chain("f", "pre", NF_INET_PRE_ROUTING, NF_ACCEPT));
	value = loaded_add_expr(rule, LOADED_IMMEDIATE);
	value->value.length = sizeof(mark);
	memcpy(value->value.bytes, &mark, sizeof(mark));
	loaded_add_expr(rule, LOADED_META_SET)->load.key = NFT_META_MARK;
	assert_no(EXPLAIN_ROUTE, "default dev eth0 table 77");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("explain");
	TCase *tcase = tcase_create("steps");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_all_is_well);
	tcase_add_test(tcase, test_unknown_peers);
	tcase_add_test(tcase, test_device);
	tcase_add_test(tcase, test_standby);
	tcase_add_test(tcase, test_allowed_ips);
	tcase_add_test(tcase, test_a_shared_prefix_says_why);
	tcase_add_test(tcase, test_no_route);
	tcase_add_test(tcase, test_blackhole);
	tcase_add_test(tcase, test_covered);
	tcase_add_test(tcase, test_rule_in_the_way);
	tcase_add_test(tcase, test_own_address);
	tcase_add_test(tcase, test_rule_not_known_here);
	tcase_add_test(tcase, test_no_source);
	tcase_add_test(tcase, test_ip6_off);
	tcase_add_test(tcase, test_endpoint);
	tcase_add_test(tcase, test_loop);
	tcase_add_test(tcase, test_uplink);
	tcase_add_test(tcase, test_mtu);
	tcase_add_test(tcase, test_mtu_of_ip6);
	tcase_add_test(tcase, test_handshakes);
	tcase_add_test(tcase, test_rp_filter);
	tcase_add_test(tcase, test_outer_rp_filter);
	tcase_add_test(tcase, test_firewall);
	tcase_add_test(tcase, test_fence);
	tcase_add_test(tcase, test_firewall_not_known);
	tcase_add_test(tcase, test_forwarded);
	tcase_add_test(tcase, test_rp_filter_of_forwarded);
	tcase_add_test(tcase, test_forwarded_with_a_mark);
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
