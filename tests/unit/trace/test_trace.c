/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/unit/trace/sample.h"

static struct loaded_ruleset ruleset;
static struct loaded_table *table;
static struct trace_result result;
static struct trace_packet packet;

static void setup(void)
{
	ruleset = (struct loaded_ruleset){0};
	table = loaded_add_table(&ruleset, NFPROTO_IPV4, "filter");
	packet = sample_ping();
}

static void teardown(void)
{
	loaded_clear(&ruleset);
}

static enum trace_verdict run(void)
{
	trace_hook(&ruleset, TRACE_OUTPUT, &packet, &result);
	return result.verdict;
}

static const char *place(void)
{
	static char text[TRACE_PLACE_TEXT_MAX];

	return trace_place_format(&result.place, text);
}

static struct loaded_chain *output(uint32_t policy)
{
	return sample_base(table, "output", NF_INET_LOCAL_OUT, 0, policy);
}

START_TEST(test_nothing)
{
	ck_assert_int_eq(run(), TRACE_ACCEPT);
	output(NF_ACCEPT);
	ck_assert_int_eq(run(), TRACE_ACCEPT);
}
END_TEST

START_TEST(test_policy)
{
	output(NF_DROP);
	ck_assert_int_eq(run(), TRACE_DROP);
	ck_assert_str_eq(place(), "ip filter output, policy");
}
END_TEST

START_TEST(test_rule_before_policy)
{
	struct loaded_chain *chain = output(NF_DROP);

	sample_rule(&ruleset, chain, NFT_CONTINUE, NULL);
	sample_rule(&ruleset, chain, NF_ACCEPT, NULL);
	ck_assert_int_eq(run(), TRACE_ACCEPT);
}
END_TEST

START_TEST(test_dropping_rule)
{
	struct loaded_chain *chain = output(NF_ACCEPT);

	sample_rule(&ruleset, chain, NFT_CONTINUE, NULL);
	sample_rule(&ruleset, chain, NF_DROP, NULL)->comment = strdup("no ping");
	ck_assert_int_eq(run(), TRACE_DROP);
	ck_assert_str_eq(place(), "ip filter output, rule 2 (handle 2, \"no ping\")");
}
END_TEST

/* Accept ends a base chain, not the hook: the next one is asked, by priority and not as they were made. */
START_TEST(test_priorities)
{
	struct loaded_chain *late = sample_base(table, "late", NF_INET_LOCAL_OUT, 10, NF_ACCEPT), *early;

	sample_rule(&ruleset, late, NF_DROP, NULL);
	early = sample_base(table, "early", NF_INET_LOCAL_OUT, -10, NF_ACCEPT);
	sample_rule(&ruleset, early, NF_ACCEPT, NULL);
	ck_assert_int_eq(run(), TRACE_DROP);
	ck_assert_str_eq(result.place.chain->name, "late");
	sample_rule(&ruleset, loaded_find_chain(table, "early"), NF_ACCEPT, NULL);
	loaded_find_chain(table, "early")->rules[0].exprs[0].verdict.code = NF_DROP;
	ck_assert_int_eq(run(), TRACE_DROP);
	ck_assert_str_eq(result.place.chain->name, "early");
}
END_TEST

/* As a kernel was seen to do it: integration/explain/test_firewall.py, EXPLAIN_SEED=46995309. */
START_TEST(test_of_the_same_priority_the_last_made_comes_first)
{
	sample_base(table, "first", NF_INET_LOCAL_OUT, 0, NF_DROP);
	sample_base(table, "last", NF_INET_LOCAL_OUT, 0, NF_DROP);
	ck_assert_int_eq(run(), TRACE_DROP);
	ck_assert_str_eq(result.place.chain->name, "last");
}
END_TEST

START_TEST(test_other_hooks_and_families)
{
	struct loaded_table *other;

	sample_base(table, "input", NF_INET_LOCAL_IN, 0, NF_DROP);
	other = loaded_add_table(&ruleset, NFPROTO_IPV6, "six");
	sample_base(other, "output", NF_INET_LOCAL_OUT, 0, NF_DROP);
	other = loaded_add_table(&ruleset, NFPROTO_INET, "asleep");
	other->dormant = true;
	sample_base(other, "output", NF_INET_LOCAL_OUT, 0, NF_DROP);
	ck_assert_int_eq(run(), TRACE_ACCEPT);
	ruleset.tables[2].dormant = false;
	ck_assert_int_eq(run(), TRACE_DROP);
	ck_assert_str_eq(place(), "inet asleep output, policy");
}
END_TEST

START_TEST(test_devices)
{
	struct loaded_table *netdev = loaded_add_table(&ruleset, NFPROTO_NETDEV, "egress");
	struct loaded_chain *chain = sample_base(netdev, "c", NF_NETDEV_EGRESS, 0, NF_DROP);

	loaded_add_device(chain, "eth0");
	trace_hook(&ruleset, TRACE_EGRESS, &packet, &result);
	ck_assert_int_eq(result.verdict, TRACE_ACCEPT);
	loaded_add_device(chain, "wg0");
	trace_hook(&ruleset, TRACE_EGRESS, &packet, &result);
	ck_assert_int_eq(result.verdict, TRACE_DROP);
	trace_hook(&ruleset, TRACE_INGRESS, &packet, &result);
	ck_assert_int_eq(result.verdict, TRACE_ACCEPT);
}
END_TEST

/* jump comes back, goto does not, return from the base chain is its policy. */
START_TEST(test_jump_goto_return)
{
	struct loaded_chain *base = output(NF_DROP);

	sample_rule(&ruleset, base, NFT_JUMP, "sub");
	sample_rule(&ruleset, base, NF_ACCEPT, NULL);
	sample_rule(&ruleset, loaded_add_chain(table, "sub"), NFT_RETURN, NULL);
	ck_assert_int_eq(run(), TRACE_ACCEPT);
	loaded_find_chain(table, "output")->rules[0].exprs[0].verdict.code = NFT_GOTO;
	ck_assert_int_eq(run(), TRACE_DROP);
	ck_assert_str_eq(place(), "ip filter output, policy");
	loaded_find_chain(table, "output")->rules[0].exprs[0].verdict.code = NFT_RETURN;
	ck_assert_int_eq(run(), TRACE_DROP);
}
END_TEST

/* A goto within a jumped-to chain comes back to where the jump was. */
START_TEST(test_goto_within_jump)
{
	struct loaded_chain *base = output(NF_DROP);

	sample_rule(&ruleset, base, NFT_JUMP, "one");
	sample_rule(&ruleset, base, NF_ACCEPT, NULL);
	sample_rule(&ruleset, loaded_add_chain(table, "one"), NFT_GOTO, "two");
	loaded_add_chain(table, "two");
	ck_assert_int_eq(run(), TRACE_ACCEPT);
}
END_TEST

static void add_links(size_t count)
{
	char name[32], next[32];

	for (size_t i = 1; i <= count; i++) {
		snprintf(name, sizeof(name), "c%zu", i);
		snprintf(next, sizeof(next), "c%zu", i + 1);
		sample_rule(&ruleset, loaded_add_chain(table, name), i < count ? NFT_JUMP : NF_ACCEPT,
			i < count ? next : NULL);
	}
}

START_TEST(test_depth)
{
	sample_rule(&ruleset, output(NF_DROP), NFT_JUMP, "c1");
	add_links(TRACE_JUMPS_MAX);
	ck_assert_int_eq(run(), TRACE_ACCEPT);
}
END_TEST

START_TEST(test_depth_beyond)
{
	sample_rule(&ruleset, output(NF_DROP), NFT_JUMP, "c1");
	add_links(TRACE_JUMPS_MAX + 1);
	ck_assert_int_eq(run(), TRACE_UNSURE);
	ck_assert_str_eq(result.why, "is the 17th jump within jumps");
}
END_TEST

/* The kernel lets no such thing in; an answer that was read while it changed might show it. */
START_TEST(test_loop)
{
	sample_rule(&ruleset, output(NF_DROP), NFT_GOTO, "output");
	ck_assert_int_eq(run(), TRACE_UNSURE);
	ck_assert_ptr_nonnull(strstr(result.why, "comes after"));
}
END_TEST

START_TEST(test_missing_chain)
{
	sample_rule(&ruleset, output(NF_DROP), NFT_JUMP, "nowhere");
	ck_assert_int_eq(run(), TRACE_UNSURE);
	ck_assert_str_eq(result.why, "leads to a chain that is not there");
}
END_TEST

static struct loaded_rule *limit(struct loaded_chain *chain, int verdict, const char *to)
{
	struct loaded_rule *rule = sample_empty_rule(&ruleset, chain);

	loaded_add_what(rule, LOADED_PERHAPS, "limit");
	sample_verdict(rule, verdict, to);
	return rule;
}

START_TEST(test_perhaps_matters)
{
	limit(output(NF_DROP), NF_ACCEPT, NULL);
	ck_assert_int_eq(run(), TRACE_UNSURE);
	ck_assert_str_eq(result.why, "uses limit");
	ck_assert_uint_eq(result.place.number, 1);
}
END_TEST

START_TEST(test_perhaps_does_not_matter)
{
	struct loaded_chain *chain = output(NF_ACCEPT);

	limit(chain, NF_ACCEPT, NULL);
	ck_assert_int_eq(run(), TRACE_ACCEPT);
	limit(chain, NFT_JUMP, "sub");
	sample_rule(&ruleset, loaded_add_chain(table, "sub"), NFT_RETURN, NULL);
	ck_assert_int_eq(run(), TRACE_ACCEPT);
}
END_TEST

/* What drops for certain behind a doubt is a drop. */
START_TEST(test_certain_after_doubt)
{
	limit(output(NF_DROP), NF_ACCEPT, NULL);
	sample_base(table, "second", NF_INET_LOCAL_OUT, 1, NF_DROP);
	ck_assert_int_eq(run(), TRACE_DROP);
	ck_assert_str_eq(place(), "ip filter second, policy");
}
END_TEST

static void add_forks(size_t count)
{
	struct loaded_chain *chain = output(NF_ACCEPT);

	for (size_t i = 0; i < count; i++)
		limit(chain, NF_ACCEPT, NULL);
}

START_TEST(test_forks)
{
	add_forks(TRACE_FORKS_MAX);
	ck_assert_int_eq(run(), TRACE_ACCEPT);
}
END_TEST

START_TEST(test_forks_beyond)
{
	add_forks(TRACE_FORKS_MAX + 1);
	ck_assert_int_eq(run(), TRACE_UNSURE);
}
END_TEST

START_TEST(test_rules_limit)
{
	struct loaded_chain *chain = output(NF_ACCEPT);

	for (size_t i = 0; i < LOADED_RULES_MAX; i++)
		ck_assert_ptr_nonnull(loaded_add_rule(&ruleset, chain));
	ck_assert_int_eq(run(), TRACE_ACCEPT);
	ck_assert_ptr_null(loaded_add_rule(&ruleset, chain));
	ck_assert_int_eq(run(), TRACE_UNSURE);
	ck_assert_str_eq(result.why, "there are more than 65536 rules");
}
END_TEST

START_TEST(test_source_nat)
{
	struct loaded_chain *chain = output(NF_DROP);

	chain->nat = true;
	loaded_add_expr(sample_empty_rule(&ruleset, chain), LOADED_SOURCE_NAT);
	ck_assert_int_eq(run(), TRACE_ACCEPT);
	ck_assert_ptr_eq(result.nat.table, table);
	loaded_clear_rules(&ruleset);
	ck_assert_int_eq(run(), TRACE_DROP);
	packet.ct = TRACE_CT_ESTABLISHED; /* translation was decided before */
	ck_assert_int_eq(run(), TRACE_ACCEPT);
}
END_TEST

START_TEST(test_reject_and_away)
{
	struct loaded_chain *chain = output(NF_ACCEPT);

	loaded_add_expr(sample_empty_rule(&ruleset, chain), LOADED_REJECT);
	ck_assert_int_eq(run(), TRACE_REJECT);
	loaded_clear_rules(&ruleset);
	loaded_add_what(sample_empty_rule(&ruleset, chain), LOADED_AWAY, "queue: it goes elsewhere");
	ck_assert_int_eq(run(), TRACE_UNSURE);
	ck_assert_str_eq(result.why, "uses queue: it goes elsewhere");
}
END_TEST

static void set_mark(struct loaded_rule *rule, uint32_t value)
{
	struct loaded_expr *expr = loaded_add_expr(rule, LOADED_IMMEDIATE);

	expr->value.length = sizeof(value);
	memcpy(expr->value.bytes, &value, sizeof(value));
	loaded_add_expr(rule, LOADED_META_SET)->load.key = NFT_META_MARK;
}

START_TEST(test_marks)
{
	struct loaded_chain *chain = output(NF_ACCEPT);
	uint32_t mark = 51820;

	set_mark(sample_empty_rule(&ruleset, chain), mark);
	ck_assert_int_eq(run(), TRACE_ACCEPT);
	ck_assert_uint_eq(packet.mark.value, mark);
	ck_assert(!result.rerouted);
	packet = sample_ping();
	loaded_find_chain(table, "output")->route = true;
	ck_assert_int_eq(run(), TRACE_ACCEPT);
	ck_assert(result.rerouted);
}
END_TEST

/* Whether the mark is set depends on what nobody knows: whatever depends on the mark then does, too. */
START_TEST(test_mark_behind_a_doubt)
{
	struct loaded_chain *chain = output(NF_ACCEPT);
	struct loaded_rule *rule = sample_empty_rule(&ruleset, chain);
	uint32_t mark = 7;

	loaded_add_what(rule, LOADED_PERHAPS, "limit");
	set_mark(rule, mark);
	rule = sample_empty_rule(&ruleset, chain);
	sample_meta(rule, NFT_META_MARK, NFT_CMP_EQ, &mark, sizeof(mark));
	sample_verdict(rule, NF_DROP, NULL);
	ck_assert_int_eq(run(), TRACE_UNSURE);
	ck_assert_str_eq(result.why, "uses meta mark");
	ck_assert_uint_eq(result.place.number, 2);
	ck_assert(packet.mark.unknown);
}
END_TEST

static void add_state_rule(struct loaded_chain *chain, uint32_t state, int verdict)
{
	struct loaded_rule *rule = sample_empty_rule(&ruleset, chain);

	loaded_add_expr(rule, LOADED_CT)->load.key = NFT_CT_STATE;
	sample_compare(rule, NFT_CMP_EQ, &state, sizeof(state));
	sample_verdict(rule, verdict, NULL);
}

/* Before connection tracking (-200) a packet is of no state, and only there can it be kept from it. */
START_TEST(test_before_conntrack)
{
	struct loaded_chain *chain = sample_base(table, "raw", NF_INET_LOCAL_OUT, -300, NF_ACCEPT);

	add_state_rule(chain, NF_CT_STATE_BIT(IP_CT_NEW), NF_DROP);
	ck_assert_int_eq(run(), TRACE_ACCEPT);
	ck_assert_int_eq(packet.ct, TRACE_CT_NEW);
	loaded_find_chain(table, "raw")->priority = -199;
	ck_assert_int_eq(run(), TRACE_DROP);
	loaded_clear_rules(&ruleset);
	loaded_add_expr(sample_empty_rule(&ruleset, chain), LOADED_NOTRACK);
	run();
	ck_assert_int_eq(packet.ct, TRACE_CT_NEW);
	loaded_find_chain(table, "raw")->priority = -201;
	run();
	ck_assert_int_eq(packet.ct, TRACE_CT_UNTRACKED);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("trace");
	TCase *tcase = tcase_create("hook");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_nothing);
	tcase_add_test(tcase, test_policy);
	tcase_add_test(tcase, test_rule_before_policy);
	tcase_add_test(tcase, test_dropping_rule);
	tcase_add_test(tcase, test_priorities);
	tcase_add_test(tcase, test_of_the_same_priority_the_last_made_comes_first);
	tcase_add_test(tcase, test_other_hooks_and_families);
	tcase_add_test(tcase, test_devices);
	tcase_add_test(tcase, test_jump_goto_return);
	tcase_add_test(tcase, test_goto_within_jump);
	tcase_add_test(tcase, test_depth);
	tcase_add_test(tcase, test_depth_beyond);
	tcase_add_test(tcase, test_loop);
	tcase_add_test(tcase, test_missing_chain);
	tcase_add_test(tcase, test_perhaps_matters);
	tcase_add_test(tcase, test_perhaps_does_not_matter);
	tcase_add_test(tcase, test_certain_after_doubt);
	tcase_add_test(tcase, test_forks);
	tcase_add_test(tcase, test_forks_beyond);
	tcase_add_test(tcase, test_rules_limit);
	tcase_add_test(tcase, test_source_nat);
	tcase_add_test(tcase, test_reject_and_away);
	tcase_add_test(tcase, test_before_conntrack);
	tcase_add_test(tcase, test_marks);
	tcase_add_test(tcase, test_mark_behind_a_doubt);
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
