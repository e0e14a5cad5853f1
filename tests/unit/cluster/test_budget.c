/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "common/cluster/budget.h"

START_TEST(test_five_hundred_in_any_thirty_ms)
{
	struct budget budget = {0};

	ck_assert_uint_eq(budget_left(&budget, 100000), 500);
	budget_spend(&budget, 300);
	ck_assert_uint_eq(budget_left(&budget, 100020), 200);
	budget_spend(&budget, 200);
	ck_assert_uint_eq(budget_left(&budget, 100029), 0);
	ck_assert_uint_eq(budget_left(&budget, 100030), 300);
	budget_spend(&budget, 300);
	ck_assert_uint_eq(budget_left(&budget, 100049), 0);
	ck_assert_uint_eq(budget_left(&budget, 100050), 200);
}
END_TEST

START_TEST(test_a_long_quiet_leaves_all_of_it)
{
	struct budget budget = {0};

	budget_left(&budget, 5);
	budget_spend(&budget, 500);
	ck_assert_uint_eq(budget_left(&budget, INT64_C(1) << 50), 500);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("budget");
	TCase *all = tcase_create("all");

	tcase_add_test(all, test_five_hundred_in_any_thirty_ms);
	tcase_add_test(all, test_a_long_quiet_leaves_all_of_it);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
