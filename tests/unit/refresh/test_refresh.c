/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the fleet file is read, and what was read applied. Less than a second. */
#include <check.h>
#include <stdlib.h>

#include "controller/core/refresh/refresh.h"

enum { BEGIN_MS = 1000000 };

static const char first[] = "first", second[] = "second", again[] = "again";
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
	refresh_end(&refresh, false, BEGIN_MS);
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
	refresh_end(&refresh, false, BEGIN_MS);
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

/* Read, and hindered at that time. */
static void hinder(int64_t now_ms)
{
	ck_assert(refresh_begin(&refresh, false));
	ck_assert(refresh_take(&refresh, false, true));
	refresh_end(&refresh, true, now_ms);
}

START_TEST(what_is_hindered_is_tried_again_ever_more_slowly)
{
	int64_t now_ms = BEGIN_MS;

	refresh_want(&refresh, first);
	for (int64_t delay_ms = REFRESH_RETRY_MIN_MS; delay_ms < REFRESH_RETRY_MAX_MS; delay_ms *= 2) {
		hinder(now_ms);
		ck_assert_int_eq(refresh_due_ms(&refresh), now_ms + delay_ms);
		ck_assert(refresh_is_hindered(&refresh) && !refresh_begin(&refresh, false));
		now_ms += delay_ms;
		refresh_retry(&refresh, again);
		ck_assert_int_eq(refresh_due_ms(&refresh), -1);
	}
	for (int i = 0; i < 3; i++) {
		hinder(now_ms);
		ck_assert_int_eq(refresh_due_ms(&refresh), now_ms + REFRESH_RETRY_MAX_MS);
		refresh_retry(&refresh, again);
	}
	ck_assert(refresh_begin(&refresh, false));
	ck_assert_ptr_eq(refresh.who, again);
	ck_assert(refresh_take(&refresh, false, true));
	refresh_end(&refresh, false, now_ms);
	ck_assert(refresh_due_ms(&refresh) == -1 && !refresh_is_hindered(&refresh));
}
END_TEST

START_TEST(what_has_changed_is_tried_at_once)
{
	refresh_want(&refresh, first);
	hinder(BEGIN_MS);
	refresh_retry(&refresh, again);
	hinder(BEGIN_MS);
	refresh_want(&refresh, second);
	ck_assert_int_eq(refresh_due_ms(&refresh), -1);
	hinder(BEGIN_MS);
	ck_assert_ptr_eq(refresh.who, second);
	ck_assert_int_eq(refresh_due_ms(&refresh), BEGIN_MS + REFRESH_RETRY_MIN_MS);
}
END_TEST

/* It asked while the apply was under way that was hindered: it is served at once, and the delay is nothing to it. */
START_TEST(a_change_during_the_apply_is_read_after_it)
{
	refresh_want(&refresh, first);
	ck_assert(refresh_begin(&refresh, false));
	ck_assert(refresh_take(&refresh, false, true));
	refresh_want(&refresh, second);
	refresh_end(&refresh, true, BEGIN_MS);
	ck_assert(refresh_begin(&refresh, false));
	ck_assert(refresh.who == second && refresh_due_ms(&refresh) == -1);
}
END_TEST

START_TEST(only_what_was_hindered_and_is_watched_is_tried_again)
{
	refresh_retry(&refresh, again);
	ck_assert(!refresh_begin(&refresh, false));
	refresh.watched = false;
	refresh_want(&refresh, first);
	hinder(BEGIN_MS);
	ck_assert(refresh_due_ms(&refresh) == -1 && !refresh_is_hindered(&refresh));
	refresh_retry(&refresh, again);
	ck_assert(!refresh_begin(&refresh, false));
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
	tcase_add_test(tcase, what_is_hindered_is_tried_again_ever_more_slowly);
	tcase_add_test(tcase, what_has_changed_is_tried_at_once);
	tcase_add_test(tcase, a_change_during_the_apply_is_read_after_it);
	tcase_add_test(tcase, only_what_was_hindered_and_is_watched_is_tried_again);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
