/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "controller/core/ownership/epoch_source.h"

static struct epoch_source source;

static uint32_t claim(int64_t seconds)
{
	uint32_t term = 0;

	ck_assert(epoch_source_wants_term(&source, seconds, &term));
	epoch_source_claimed(&source, term);
	return term;
}

START_TEST(test_nothing_before_a_term_is_on_disk)
{
	struct epoch epoch = {9, 9, 9};
	uint32_t term;

	epoch_source_init(&source, 41);
	ck_assert_int_eq(epoch_source_next(&source, &epoch), -EAGAIN);
	ck_assert_uint_eq(epoch.term, 9);
	ck_assert(epoch_source_wants_term(&source, 7, &term));
	ck_assert_uint_eq(term, 42);
	ck_assert(!epoch_source_is_ready(&source));
	epoch_source_claimed(&source, term);
	ck_assert_int_eq(epoch_source_next(&source, &epoch), 0);
	ck_assert_uint_eq(epoch.term, 42);
	ck_assert_uint_eq(epoch.n, 1);
	ck_assert_uint_eq(epoch.minor, 0);
	ck_assert(!epoch_source_wants_term(&source, 7, &term));
}
END_TEST

START_TEST(test_term_is_above_stored_heard_and_the_date)
{
	struct epoch heard = {.term = 500};

	epoch_source_init(&source, 400);
	ck_assert_uint_eq(claim(30000000), 30000001);
	epoch_source_init(&source, 400);
	epoch_source_hear(&source, &heard);
	ck_assert_uint_eq(claim(3), 501);
	epoch_source_init(&source, 600);
	epoch_source_hear(&source, &heard);
	ck_assert_uint_eq(claim(-5), 601);
}
END_TEST

START_TEST(test_a_higher_term_heard_later_wants_another)
{
	struct epoch epoch, heard = {.term = 5000, .n = 3};

	epoch_source_init(&source, 10);
	claim(0);
	ck_assert_int_eq(epoch_source_next(&source, &epoch), 0);
	epoch_source_hear(&source, &heard);
	ck_assert_int_eq(epoch_source_next(&source, &epoch), -EAGAIN);
	ck_assert_uint_eq(claim(0), 5001);
	ck_assert_int_eq(epoch_source_next(&source, &epoch), 0);
	ck_assert_int_gt(epoch_compare(&epoch, &heard), 0);
}
END_TEST

START_TEST(test_epochs_rise_and_run_out_with_a_new_term)
{
	struct epoch before, epoch;

	epoch_source_init(&source, 1);
	claim(0);
	epoch_source_next(&source, &before);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(epoch_source_next(&source, &epoch), 0);
		ck_assert_int_gt(epoch_compare(&epoch, &before), 0);
		before = epoch;
	}
	source.n = UINT32_MAX;
	ck_assert_int_eq(epoch_source_next(&source, &epoch), -EOVERFLOW);
	claim(0);
	ck_assert_int_eq(epoch_source_next(&source, &epoch), 0);
	ck_assert_int_gt(epoch_compare(&epoch, &before), 0);
}
END_TEST

START_TEST(test_no_term_beyond_the_last)
{
	struct epoch heard = {.term = UINT32_MAX};
	uint32_t term;

	epoch_source_init(&source, 1);
	epoch_source_hear(&source, &heard);
	ck_assert(!epoch_source_wants_term(&source, 0, &term));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("epoch_source");
	TCase *all = tcase_create("all");

	tcase_add_test(all, test_nothing_before_a_term_is_on_disk);
	tcase_add_test(all, test_term_is_above_stored_heard_and_the_date);
	tcase_add_test(all, test_a_higher_term_heard_later_wants_another);
	tcase_add_test(all, test_epochs_rise_and_run_out_with_a_new_term);
	tcase_add_test(all, test_no_term_beyond_the_last);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
