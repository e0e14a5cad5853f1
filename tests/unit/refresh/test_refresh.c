/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the fleet file is read, and what was read applied. Less than a second. */
#include <check.h>
#include <stdlib.h>

#include "controller/core/refresh/refresh.h"

static const char first[] = "first", second[] = "second";
static struct refresh refresh;

static void setup(void)
{
	refresh = (struct refresh){.watched = true};
}

START_TEST(nobody_asks)
{
	ck_assert(!refresh_begin(&refresh, false));
}
END_TEST

START_TEST(what_was_read_is_applied_once)
{
	refresh_want(&refresh, first);
	ck_assert(refresh_begin(&refresh, false));
	ck_assert_ptr_eq(refresh.who, first);
	ck_assert(!refresh_begin(&refresh, false));
	ck_assert(refresh_take(&refresh, false, true));
	ck_assert(!refresh_begin(&refresh, false));
	refresh_end(&refresh);
	ck_assert(!refresh_begin(&refresh, false));
}
END_TEST

/* The disk is slow: a change has come, and been quiet for long enough, before the reading ends. */
START_TEST(a_reading_that_a_change_overtakes_is_dropped)
{
	refresh_want(&refresh, first);
	ck_assert(refresh_begin(&refresh, false));
	refresh_want(&refresh, second);
	ck_assert(!refresh_take(&refresh, false, true));
	ck_assert(refresh_begin(&refresh, false));
	ck_assert_ptr_eq(refresh.who, second);
	ck_assert(refresh_take(&refresh, false, true));
}
END_TEST

START_TEST(a_reading_of_files_that_still_change_waits_for_them)
{
	refresh_want(&refresh, first);
	ck_assert(refresh_begin(&refresh, false));
	refresh_want(&refresh, second);
	ck_assert(!refresh_take(&refresh, false, false));
	ck_assert(!refresh_begin(&refresh, false));
}
END_TEST

/* Nobody knows whether they have changed: what was asked for first is applied, and then what was asked for next. */
START_TEST(files_that_are_not_watched_are_applied_as_they_were_read)
{
	refresh.watched = false;
	refresh_want(&refresh, first);
	ck_assert(refresh_begin(&refresh, false));
	refresh_want(&refresh, second);
	ck_assert(refresh_take(&refresh, false, true));
	ck_assert(!refresh_begin(&refresh, false));
	refresh_end(&refresh);
	ck_assert(refresh_begin(&refresh, false));
	ck_assert_ptr_eq(refresh.who, second);
}
END_TEST

START_TEST(an_apply_of_somebody_else_comes_first)
{
	refresh_want(&refresh, first);
	ck_assert(!refresh_begin(&refresh, true));
	ck_assert(refresh_begin(&refresh, false));
	ck_assert(!refresh_take(&refresh, true, true));
	ck_assert(!refresh_begin(&refresh, true));
	ck_assert(refresh_begin(&refresh, false));
	ck_assert_ptr_eq(refresh.who, first);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("refresh");
	TCase *tcase = tcase_create("refresh");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, nobody_asks);
	tcase_add_test(tcase, what_was_read_is_applied_once);
	tcase_add_test(tcase, a_reading_that_a_change_overtakes_is_dropped);
	tcase_add_test(tcase, a_reading_of_files_that_still_change_waits_for_them);
	tcase_add_test(tcase, files_that_are_not_watched_are_applied_as_they_were_read);
	tcase_add_test(tcase, an_apply_of_somebody_else_comes_first);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
