/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/core/repair/repair.h"

static struct repair repair;
static struct repair_basis basis;
static const char *why;
static int64_t took_ms;

static void setup(void)
{
	repair = (struct repair){0};
	basis = (struct repair_basis){.generation = 1};
	repair_begin(&repair, &basis, 1000);
	repair_end(&repair, true, 1010);
}

/* A look in which one operation on `what` was done. */
static bool look_at(enum repair_what what, const char *operation, int64_t now_ms)
{
	bool counted;

	repair_begin(&repair, &basis, now_ms);
	counted = repair_done(&repair, what, operation, now_ms + 5, &why, &took_ms);
	repair_end(&repair, true, now_ms + 5);
	return counted;
}

static bool look(enum repair_what what, int64_t now_ms)
{
	return look_at(what, "ip route replace 172.30.0.0/16", now_ms);
}

START_TEST(the_first_set_up_is_no_repair)
{
	repair = (struct repair){0};
	ck_assert(!look(REPAIR_ROUTE, 1000));
	ck_assert(look(REPAIR_ROUTE, 2000));
	ck_assert_uint_eq(repair.totals[REPAIR_ROUTE], 1);
}
END_TEST

START_TEST(new_orders_are_no_repair)
{
	basis.serving[0] = true;
	ck_assert(!look(REPAIR_ADDRESS, 2000));
	ck_assert(look(REPAIR_ADDRESS, 3000));
	basis.waking[0] = true;
	ck_assert(!look(REPAIR_WIREGUARD, 4000));
	basis.generation = 2;
	ck_assert(!look(REPAIR_ADDRESS, 5000));
}
END_TEST

START_TEST(what_failed_at_first_is_set_up_when_it_succeeds)
{
	basis.generation = 2;
	repair_begin(&repair, &basis, 2000);
	repair_end(&repair, false, 2001);
	ck_assert(!look(REPAIR_ROUTE, 3000));
}
END_TEST

START_TEST(a_repair_that_fails_at_first_is_a_repair_in_the_end)
{
	repair_begin(&repair, &basis, 2000);
	repair_end(&repair, false, 2001);
	ck_assert(look(REPAIR_ROUTE, 3000));
}
END_TEST

START_TEST(it_says_why_and_how_long)
{
	repair_tell(&repair, REPAIR_RULE, 2000, "rule %u was deleted", 32764u);
	repair_tell(&repair, REPAIR_RULE, 2020, "rule %u was deleted", 32765u);
	ck_assert(look(REPAIR_RULE, 2050));
	ck_assert_str_eq(why, "rule 32764 was deleted");
	ck_assert_int_eq(took_ms, 55);
}
END_TEST

START_TEST(without_a_word_of_its_own_the_first_event_is_why)
{
	repair_tell(&repair, REPAIR_ADDRESS, 2010, "address");
	repair_tell(&repair, REPAIR_LINK, 2000, "wg0 went down");
	ck_assert(look(REPAIR_ROUTE, 2050));
	ck_assert_str_eq(why, "wg0 went down");
	ck_assert_int_eq(took_ms, 55);
}
END_TEST

START_TEST(what_a_look_did_itself_is_no_reason)
{
	repair_tell(&repair, REPAIR_MTU, 2000, "wg0 has MTU 1420");
	repair_forget(&repair, REPAIR_MTU);
	repair_tell(&repair, REPAIR_MTU, 2040, "wg0 has MTU 1300");
	ck_assert(look(REPAIR_MTU, 2050));
	ck_assert_str_eq(why, "wg0 has MTU 1300");
}
END_TEST

START_TEST(reasons_are_those_before_the_look)
{
	repair_tell(&repair, REPAIR_LINK, 2000, "wg0 went down");
	ck_assert(look(REPAIR_LINK, 2050));
	ck_assert(look(REPAIR_LINK, 9000));
	ck_assert_str_eq(why, "the regular look found it");
	ck_assert_int_eq(took_ms, 5);
	repair_begin(&repair, &basis, 10000);
	repair_tell(&repair, REPAIR_LINK, 10001, "during");
	repair_end(&repair, true, 10002);
	ck_assert(look(REPAIR_LINK, 10050));
	ck_assert_str_eq(why, "during");
}
END_TEST

/* What the failed look did put right is told, and no reason for anything else. */
START_TEST(a_look_that_fails_leaves_its_reasons_to_the_next)
{
	repair_tell(&repair, REPAIR_ADDRESS, 2000, "10.0.0.1 was deleted");
	repair_tell(&repair, REPAIR_RULE, 2010, "a rule was deleted");
	repair_begin(&repair, &basis, 2050);
	ck_assert(repair_done(&repair, REPAIR_ADDRESS, "ip address add", 2055, &why, &took_ms));
	repair_end(&repair, false, 2060);
	ck_assert(look(REPAIR_RULE, 3000));
	ck_assert_str_eq(why, "a rule was deleted");
	ck_assert_int_eq(took_ms, 3005 - 2010);
	repair_tell(&repair, REPAIR_ADDRESS, 4000, "10.0.0.1 was deleted");
	repair_begin(&repair, &basis, 4050);
	ck_assert(repair_done(&repair, REPAIR_ADDRESS, "ip address add", 4055, &why, &took_ms));
	repair_end(&repair, false, 4060);
	ck_assert(look(REPAIR_ADDRESS, 5000));
	ck_assert_str_eq(why, "the regular look found it");
}
END_TEST

START_TEST(reasons_do_not_get_old)
{
	repair_tell(&repair, REPAIR_RULE, 2000, "a rule was deleted");
	repair_begin(&repair, &basis, 2050);
	repair_end(&repair, false, 2000 + REPAIR_REASON_MS - 1);
	ck_assert(repair.events[REPAIR_RULE].told);
	repair_begin(&repair, &basis, 2000 + REPAIR_REASON_MS);
	repair_end(&repair, false, 2000 + REPAIR_REASON_MS);
	ck_assert(look(REPAIR_RULE, 2000 + 2 * REPAIR_REASON_MS));
	ck_assert_str_eq(why, "the regular look found it");
}
END_TEST

START_TEST(a_long_reason_is_cut)
{
	char text[300];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	repair_tell(&repair, REPAIR_LINK, 2000, "%s", text);
	ck_assert(look(REPAIR_LINK, 2050));
	ck_assert_uint_eq(strlen(why), REPAIR_WHY_MAX - 1);
}
END_TEST

START_TEST(a_fight_slows_it_down)
{
	int64_t now_ms = 10000;

	for (unsigned i = 1; i < REPAIR_FOUGHT; i++, now_ms += 100) {
		ck_assert(look(REPAIR_ROUTE, now_ms));
		ck_assert_int_eq(repair_delay_ms(&repair, now_ms), REPAIR_DEBOUNCE_MS);
		ck_assert(!repair_is_fought(&repair, now_ms));
	}
	ck_assert(look(REPAIR_ROUTE, now_ms));
	ck_assert(repair_is_fought(&repair, now_ms));
	ck_assert_int_eq(repair_delay_ms(&repair, now_ms), 2 * REPAIR_DEBOUNCE_MS);
	for (unsigned i = 0; i < 1000; i++)
		look(REPAIR_ROUTE, now_ms);
	ck_assert_int_eq(repair_delay_ms(&repair, now_ms), REPAIR_DEBOUNCE_MAX_MS);
	now_ms += REPAIR_CALM_MS + 5;
	ck_assert(repair_is_fought(&repair, now_ms));
	ck_assert(!repair_is_fought(&repair, now_ms + 1));
	ck_assert_int_eq(repair_delay_ms(&repair, now_ms + 1), REPAIR_DEBOUNCE_MS);
	ck_assert(look(REPAIR_ROUTE, now_ms + 1));
	ck_assert_uint_eq(repair.fights, 1);
}
END_TEST

START_TEST(other_repairs_each_time_are_no_fight)
{
	for (int i = 0; i < 100; i++)
		look_at(REPAIR_ROUTE, i % 2 ? "ip route replace 172.30.0.0/16" : "ip rule add", 2000 + i);
	ck_assert(!repair_is_fought(&repair, 2100));
}
END_TEST

START_TEST(one_of_many_again_and_again_is_a_fight)
{
	char other[32];

	for (int64_t now_ms = 2000; now_ms < 2010; now_ms++) {
		repair_begin(&repair, &basis, now_ms);
		snprintf(other, sizeof(other), "%lld", (long long)now_ms);
		repair_done(&repair, REPAIR_ROUTE, other, now_ms, &why, &took_ms);
		repair_done(&repair, REPAIR_ROUTE, "again", now_ms, &why, &took_ms);
		repair_end(&repair, true, now_ms);
	}
	ck_assert(repair_is_fought(&repair, 2010));
}
END_TEST

START_TEST(looks_without_repairs_are_no_fight)
{
	for (int i = 0; i < 100; i++) {
		repair_begin(&repair, &basis, 2000 + i);
		repair_end(&repair, true, 2000 + i);
	}
	ck_assert(!repair_is_fought(&repair, 2100));
}
END_TEST

START_TEST(each_kind_has_a_name)
{
	for (unsigned i = 0; i < REPAIR_WHATS; i++)
		ck_assert(repair_what_name((enum repair_what)i)[0]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("repair");
	TCase *tests = tcase_create("repair");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, the_first_set_up_is_no_repair);
	tcase_add_test(tests, new_orders_are_no_repair);
	tcase_add_test(tests, what_failed_at_first_is_set_up_when_it_succeeds);
	tcase_add_test(tests, a_repair_that_fails_at_first_is_a_repair_in_the_end);
	tcase_add_test(tests, it_says_why_and_how_long);
	tcase_add_test(tests, without_a_word_of_its_own_the_first_event_is_why);
	tcase_add_test(tests, reasons_are_those_before_the_look);
	tcase_add_test(tests, what_a_look_did_itself_is_no_reason);
	tcase_add_test(tests, a_look_that_fails_leaves_its_reasons_to_the_next);
	tcase_add_test(tests, reasons_do_not_get_old);
	tcase_add_test(tests, a_long_reason_is_cut);
	tcase_add_test(tests, a_fight_slows_it_down);
	tcase_add_test(tests, other_repairs_each_time_are_no_fight);
	tcase_add_test(tests, one_of_many_again_and_again_is_a_fight);
	tcase_add_test(tests, looks_without_repairs_are_no_fight);
	tcase_add_test(tests, each_kind_has_a_name);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
