/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "common/cluster/terms.h"

static uint64_t terms_of(uint32_t lease_ms, const char *a, const char *b)
{
	return terms_add_member(terms_add_member(terms_of_lease(lease_ms), a), b);
}

START_TEST(test_the_order_of_the_names_says_nothing)
{
	ck_assert_uint_eq(terms_of(1000, "gw-a", "gw-b"), terms_of(1000, "gw-b", "gw-a"));
}
END_TEST

START_TEST(test_another_lease_or_pool_has_another_number)
{
	uint64_t terms = terms_of(1000, "gw-a", "gw-b");

	ck_assert_uint_ne(terms, terms_of(1001, "gw-a", "gw-b"));
	ck_assert_uint_ne(terms, terms_of(1000, "gw-a", "gw-c"));
	ck_assert_uint_ne(terms, terms_add_member(terms, "gw-c"));
	ck_assert_uint_ne(terms, terms_add_member(terms_of_lease(1000), "gw-a"));
	ck_assert_uint_ne(terms_of(1000, "ab", "cd"), terms_of(1000, "ac", "bd"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("terms");
	TCase *tcase = tcase_create("terms");

	tcase_add_test(tcase, test_the_order_of_the_names_says_nothing);
	tcase_add_test(tcase, test_another_lease_or_pool_has_another_number);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
