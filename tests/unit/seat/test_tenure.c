/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "node-agent/core/seat/tenure.h"

enum { START_MS = 1000 };
static const char others[2][PROTO_NAME_MAX + 1] = {"gw-b", "gw-c"};
static const struct epoch five = {.term = 7, .n = 5}, six = {.term = 7, .n = 6};
static struct tenure tenure;

static void setup(void)
{
	tenure_init(&tenure, START_MS);
	tenure_set_pool(&tenure, others, 2);
}

START_TEST(test_a_lease_runs_from_when_leave_was_asked_for)
{
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 2000), TENURE_NEVER);
	tenure_grant(&tenure, &five, 2000, 7000);
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 7000), 2000);
	tenure_grant(&tenure, &five, 1900, 7001); /* an older one arrives later */
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 7001), 2000);
}
END_TEST

START_TEST(test_what_was_asked_in_the_future_or_before_the_start_is_none)
{
	tenure_grant(&tenure, &five, START_MS - 1, 2000);
	tenure_grant(&tenure, &five, 2001, 2000);
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 2000), TENURE_NEVER);
	tenure_grant(&tenure, &five, START_MS, 2000);
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 2000), START_MS);
}
END_TEST

START_TEST(test_promises_count_when_all_have_given_one)
{
	tenure_promise(&tenure, "gw-b", &five, 2500, 3000);
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 3000), TENURE_NEVER);
	tenure_promise(&tenure, "gw-x", &five, 2600, 3000);
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 3000), TENURE_NEVER);
	tenure_promise(&tenure, "gw-c", &five, 2400, 3000);
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 3000), 2400);
	tenure_grant(&tenure, &five, 2450, 3000);
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 3000), 2450);
}
END_TEST

START_TEST(test_another_epoch_begins_with_nothing)
{
	tenure_grant(&tenure, &five, 2000, 2000);
	ck_assert_int_eq(tenure_from_ms(&tenure, &six, 2000), TENURE_NEVER);
	tenure_promise(&tenure, "gw-b", &six, 2100, 2100);
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 2100), TENURE_NEVER);
	ck_assert_int_eq(tenure_from_ms(&tenure, &six, 2100), TENURE_NEVER);
	tenure_grant(&tenure, &five, 2200, 2200);
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 2200), TENURE_NEVER);
}
END_TEST

START_TEST(test_after_a_stall_all_has_to_be_asked_anew)
{
	tenure_grant(&tenure, &five, 2000, 2000);
	tenure_promise(&tenure, "gw-b", &five, 2000, 2000);
	tenure_promise(&tenure, "gw-c", &five, 2000, 2000);
	tenure_forget(&tenure, 2500);
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 2500), TENURE_NEVER);
	tenure_grant(&tenure, &five, 2499, 2600); /* it was under way */
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 2600), TENURE_NEVER);
	tenure_grant(&tenure, &five, 2500, 2600);
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 2600), 2500);
}
END_TEST

START_TEST(test_a_new_member_has_promised_nothing_and_one_who_stays_keeps_its_word)
{
	const char wider[3][PROTO_NAME_MAX + 1] = {"gw-d", "gw-b", "gw-c"};

	tenure_promise(&tenure, "gw-b", &five, 2000, 2000);
	tenure_promise(&tenure, "gw-c", &five, 2000, 2000);
	tenure_set_pool(&tenure, wider, 3);
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 2100), TENURE_NEVER);
	tenure_promise(&tenure, "gw-d", &five, 2050, 2100);
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 2100), 2000);
}
END_TEST

START_TEST(test_a_pool_of_one_asks_nobody)
{
	tenure_set_pool(&tenure, others, 0);
	ck_assert_int_eq(tenure_from_ms(&tenure, &five, 4000), 4000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tenure");
	TCase *tcase = tcase_create("tenure");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_a_lease_runs_from_when_leave_was_asked_for);
	tcase_add_test(tcase, test_what_was_asked_in_the_future_or_before_the_start_is_none);
	tcase_add_test(tcase, test_promises_count_when_all_have_given_one);
	tcase_add_test(tcase, test_another_epoch_begins_with_nothing);
	tcase_add_test(tcase, test_after_a_stall_all_has_to_be_asked_anew);
	tcase_add_test(tcase, test_a_new_member_has_promised_nothing_and_one_who_stays_keeps_its_word);
	tcase_add_test(tcase, test_a_pool_of_one_asks_nobody);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
