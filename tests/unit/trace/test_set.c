/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/trace/rule.h"
#include "tests/unit/trace/sample.h"

static struct loaded_ruleset ruleset;
static struct loaded_table *table;
static struct loaded_set *set;
static struct trace_matched matched;

static void setup(void)
{
	ruleset = (struct loaded_ruleset){0};
	table = loaded_add_table(&ruleset, NFPROTO_IPV4, "t");
	set = loaded_add_set(table, "s");
	set->key_length = 4;
}

static void teardown(void)
{
	loaded_clear(&ruleset);
}

static struct loaded_element *add(const char *address)
{
	struct loaded_element *element = loaded_add_element(set);
	struct addr addr;

	ck_assert_ptr_nonnull(element);
	ck_assert_int_eq(addr_parse(address, &addr, NULL), 0);
	element->key.length = 4;
	memcpy(element->key.bytes, addr.bytes, 4);
	return element;
}

static void add_end(const char *address)
{
	add(address)->interval_end = true;
}

static enum trace_found find(const char *address)
{
	const struct loaded_element *element;
	uint8_t key[LOADED_VALUE_MAX] = {0};
	struct addr addr;

	ck_assert_int_eq(addr_parse(address, &addr, NULL), 0);
	memcpy(key, addr.bytes, 4);
	return trace_find(set, key, &element);
}

START_TEST(test_exact)
{
	ck_assert_int_eq(find("10.0.0.1"), TRACE_ABSENT);
	add("10.0.0.1");
	add("10.0.0.3");
	ck_assert_int_eq(find("10.0.0.1"), TRACE_FOUND);
	ck_assert_int_eq(find("10.0.0.2"), TRACE_ABSENT);
}
END_TEST

START_TEST(test_intervals)
{
	set->interval = true;
	add_end("0.0.0.0");
	add("10.0.0.0");
	add_end("10.1.0.0");
	add("192.168.0.0"); /* to the end of all addresses */
	ck_assert_int_eq(find("9.255.255.255"), TRACE_ABSENT);
	ck_assert_int_eq(find("10.0.0.0"), TRACE_FOUND);
	ck_assert_int_eq(find("10.0.255.255"), TRACE_FOUND);
	ck_assert_int_eq(find("10.1.0.0"), TRACE_ABSENT);
	ck_assert_int_eq(find("255.255.255.255"), TRACE_FOUND);
}
END_TEST

/* One ends where the next begins; the kernel lists either first. */
START_TEST(test_adjacent_intervals)
{
	set->interval = true;
	add("10.0.0.0");
	add_end("11.0.0.0");
	add("11.0.0.0");
	add_end("12.0.0.0");
	ck_assert_int_eq(find("11.0.0.0"), TRACE_FOUND);
	loaded_clear_elements(set);
	add("11.0.0.0");
	add_end("11.0.0.0");
	add("10.0.0.0");
	ck_assert_int_eq(find("11.0.0.0"), TRACE_FOUND);
}
END_TEST

START_TEST(test_concatenated_ranges)
{
	struct loaded_element *element = add("10.0.0.0");
	uint8_t key[LOADED_VALUE_MAX] = {10, 0, 0, 5, 22};
	const struct loaded_element *found;

	set->interval = true;
	set->key_length = element->key.length = element->key_end.length = 8;
	set->fields[0] = 4;
	set->fields[1] = 1; /* padded to 4 */
	set->field_count = 2;
	element->key.bytes[4] = 20;
	memcpy(element->key_end.bytes, "\x0a\x00\x00\xff\x16", 5);
	ck_assert_int_eq(trace_find(set, key, &found), TRACE_FOUND);
	key[4] = 23; /* within as one number, not as two */
	ck_assert_int_eq(trace_find(set, key, &found), TRACE_ABSENT);
	key[4] = 20;
	key[3] = 255;
	ck_assert_int_eq(trace_find(set, key, &found), TRACE_FOUND);
}
END_TEST

/* Fields fill the registers, and no more: what does not fit is in no box. */
START_TEST(test_fields_up_to_the_last_register)
{
	struct loaded_element *element = loaded_add_element(set);
	uint8_t key[LOADED_VALUE_MAX + 1] = {0};
	const struct loaded_element *found;

	set->interval = true;
	set->key_length = element->key.length = element->key_end.length = LOADED_VALUE_MAX;
	set->fields[0] = LOADED_VALUE_MAX / 2;
	set->fields[1] = LOADED_VALUE_MAX / 2;
	set->field_count = 2;
	/* Behind the elements' bytes is the length of what comes next: there, a byte more would be within, too. */
	element->data.length = key[LOADED_VALUE_MAX] = LOADED_VALUE_MAX;
	ck_assert_int_eq(trace_find(set, key, &found), TRACE_FOUND);
	key[LOADED_VALUE_MAX - 1] = 1;
	ck_assert_int_eq(trace_find(set, key, &found), TRACE_ABSENT);
	key[LOADED_VALUE_MAX - 1] = 0;
	set->fields[1]++;
	ck_assert_int_eq(trace_find(set, key, &found), TRACE_ABSENT);
}
END_TEST

START_TEST(test_catch_all)
{
	struct loaded_element *element;

	add("10.0.0.1");
	element = loaded_add_element(set);
	element->catch_all = true;
	ck_assert_int_eq(find("192.0.2.1"), TRACE_FOUND);
	set->interval = true;
	ck_assert_int_eq(find("9.0.0.1"), TRACE_FOUND);
}
END_TEST

START_TEST(test_limit_of_an_element)
{
	add("10.0.0.1")->perhaps = true;
	ck_assert_int_eq(find("10.0.0.1"), TRACE_NOT_SURE);
	ck_assert_int_eq(find("10.0.0.2"), TRACE_ABSENT);
}
END_TEST

START_TEST(test_elements_limit)
{
	for (size_t i = 0; i < LOADED_ELEMENTS_MAX; i++)
		add("10.0.0.1");
	ck_assert_int_eq(find("10.0.0.2"), TRACE_ABSENT);
	ck_assert_ptr_null(loaded_add_element(set));
	ck_assert_int_eq(find("10.0.0.1"), TRACE_FOUND);
	ck_assert_int_eq(find("10.0.0.2"), TRACE_NOT_SURE);
}
END_TEST

static enum trace_match run_lookup(bool inverted, bool verdict, const char *name)
{
	struct loaded_rule *rule = sample_empty_rule(&ruleset, loaded_add_chain(table, "c"));
	struct trace_packet packet = sample_ping();
	struct loaded_expr *lookup;

	sample_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
	lookup = loaded_add_expr(rule, LOADED_LOOKUP);
	lookup->lookup.set = mem_text(name);
	lookup->lookup.inverted = inverted;
	lookup->lookup.verdict = lookup->has_target = verdict;
	trace_rule(table, rule, &packet, &matched);
	return matched.match;
}

START_TEST(test_lookup)
{
	ck_assert_int_eq(run_lookup(false, false, "s"), TRACE_MATCH_NO);
	ck_assert_int_eq(run_lookup(true, false, "s"), TRACE_MATCH_YES);
	add("10.60.0.1");
	ck_assert_int_eq(run_lookup(false, false, "s"), TRACE_MATCH_YES);
	ck_assert_int_eq(run_lookup(true, false, "s"), TRACE_MATCH_NO);
	ck_assert_int_eq(run_lookup(false, false, "none"), TRACE_MATCH_PERHAPS);
	ck_assert_str_eq(matched.cause, "a look-up in the set none");
}
END_TEST

START_TEST(test_verdict_map)
{
	add("10.60.0.1")->verdict.code = NF_DROP;
	ck_assert_int_eq(run_lookup(false, true, "s"), TRACE_MATCH_YES);
	ck_assert_int_eq(matched.verdict->code, NF_DROP);
	set->elements[0].perhaps = true;
	ck_assert_int_eq(run_lookup(false, true, "s"), TRACE_MATCH_PERHAPS);
	ck_assert(matched.away);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("set");
	TCase *tcase = tcase_create("set");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_exact);
	tcase_add_test(tcase, test_intervals);
	tcase_add_test(tcase, test_adjacent_intervals);
	tcase_add_test(tcase, test_concatenated_ranges);
	tcase_add_test(tcase, test_fields_up_to_the_last_register);
	tcase_add_test(tcase, test_catch_all);
	tcase_add_test(tcase, test_limit_of_an_element);
	tcase_add_test(tcase, test_elements_limit);
	tcase_add_test(tcase, test_lookup);
	tcase_add_test(tcase, test_verdict_map);
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
