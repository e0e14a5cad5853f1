/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "common/base/texts.h"

START_TEST(a_list_grows_and_is_compared_in_order)
{
	struct texts a = {0}, b = {0};

	ck_assert(texts_equal(&a, &b));
	for (int i = 0; i < 40; i++)
		texts_add(&a, i % 2 ? "odd" : "even");
	ck_assert_uint_eq(a.count, 40);
	ck_assert_str_eq(a.items[39], "odd");
	ck_assert(!texts_equal(&a, &b));
	for (int i = 0; i < 40; i++)
		texts_add(&b, i % 2 ? "even" : "odd");
	ck_assert(!texts_equal(&a, &b));
	texts_clear(&a);
	texts_clear(&b);
	ck_assert_uint_eq(a.count, 0);
	ck_assert(texts_equal(&a, &b));
}
END_TEST

START_TEST(a_copy_is_its_own)
{
	struct texts a = {0}, copy = {0};

	texts_add(&a, "one");
	texts_copy(&copy, &a);
	ck_assert(texts_equal(&a, &copy));
	copy.items[0][0] = 'O';
	ck_assert_str_eq(a.items[0], "one");
	texts_clear(&a);
	ck_assert_str_eq(copy.items[0], "One");
	texts_clear(&copy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("texts");
	TCase *tcase = tcase_create("texts");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, a_list_grows_and_is_compared_in_order);
	tcase_add_test(tcase, a_copy_is_its_own);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
