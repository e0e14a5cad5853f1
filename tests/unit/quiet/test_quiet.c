/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When files that change are read, under a virtual clock. Less than a second. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "controller/core/quiet/quiet.h"

enum { BEGIN_MS = 1000000, HERE = 1, THERE = 2 };

static struct quiet quiet;

static void setup(void)
{
	quiet = (struct quiet){0};
}

static void teardown(void)
{
	quiet_clear(&quiet);
}

START_TEST(without_a_change_nothing_is_read)
{
	ck_assert_int_eq(quiet_due_ms(&quiet), -1);
	ck_assert(!quiet_take(&quiet, BEGIN_MS));
}
END_TEST

START_TEST(a_change_is_read_once_when_it_is_quiet)
{
	quiet_note(&quiet, QUIET_CHANGED, HERE, "fleet.yaml", BEGIN_MS);
	quiet_note(&quiet, QUIET_CHANGED, HERE, "peers.yaml", BEGIN_MS + 150);
	ck_assert(!quiet_take(&quiet, BEGIN_MS + 150 + QUIET_MS - 1));
	ck_assert(quiet_take(&quiet, BEGIN_MS + 150 + QUIET_MS));
	ck_assert(!quiet_take(&quiet, BEGIN_MS + 10 * QUIET_MS));
}
END_TEST

START_TEST(half_a_file_is_waited_for)
{
	quiet_note(&quiet, QUIET_WRITTEN, HERE, "fleet.yaml", BEGIN_MS);
	quiet_note(&quiet, QUIET_WRITTEN, HERE, "fleet.yaml", BEGIN_MS + 1);
	ck_assert(!quiet_take(&quiet, BEGIN_MS + 1 + QUIET_WRITING_MS - 1));
	quiet_note(&quiet, QUIET_CHANGED, HERE, "fleet.yaml", BEGIN_MS + 1000);
	ck_assert(quiet_take(&quiet, BEGIN_MS + 1000 + QUIET_MS));
}
END_TEST

START_TEST(half_a_file_is_not_whole_by_another_mode)
{
	quiet_note(&quiet, QUIET_WRITTEN, HERE, "fleet.yaml", BEGIN_MS);
	quiet_note(&quiet, QUIET_TOUCHED, HERE, "fleet.yaml", BEGIN_MS + 1);
	ck_assert_int_eq(quiet_due_ms(&quiet), BEGIN_MS + 1 + QUIET_WRITING_MS);
	quiet_note(&quiet, QUIET_CHANGED, HERE, "fleet.yaml", BEGIN_MS + 2);
	quiet_note(&quiet, QUIET_TOUCHED, HERE, "fleet.yaml", BEGIN_MS + 3);
	ck_assert_int_eq(quiet_due_ms(&quiet), BEGIN_MS + 3 + QUIET_MS);
}
END_TEST

START_TEST(another_that_is_whole_does_not_make_it_whole)
{
	quiet_note(&quiet, QUIET_WRITTEN, HERE, "fleet.yaml", BEGIN_MS);
	quiet_note(&quiet, QUIET_CHANGED, THERE, "fleet.yaml", BEGIN_MS);
	quiet_note(&quiet, QUIET_CHANGED, HERE, "peers.yaml", BEGIN_MS);
	ck_assert(!quiet_take(&quiet, BEGIN_MS + QUIET_MS));
	ck_assert(quiet_take(&quiet, BEGIN_MS + QUIET_WRITING_MS));
}
END_TEST

START_TEST(what_never_rests_is_named)
{
	int64_t now_ms = BEGIN_MS;

	quiet_note(&quiet, QUIET_CHANGED, THERE, "peers.yaml", now_ms);
	for (; now_ms < BEGIN_MS + QUIET_RESTLESS_MS; now_ms += QUIET_MS / 2) {
		ck_assert(!quiet_take(&quiet, now_ms) && !quiet_restless(&quiet, now_ms));
		quiet_note(&quiet, QUIET_CHANGED, HERE, "fleet.yaml", now_ms);
	}
	ck_assert_ptr_null(quiet_restless(&quiet, BEGIN_MS + QUIET_RESTLESS_MS - 1));
	ck_assert_ptr_nonnull(quiet_restless(&quiet, BEGIN_MS + QUIET_RESTLESS_MS));
	ck_assert_int_eq(quiet_restless(&quiet, now_ms)->directory, HERE);
	ck_assert_str_eq(quiet_restless(&quiet, now_ms)->name, "fleet.yaml");
	/* After a pause it counts anew. */
	now_ms += QUIET_MS;
	ck_assert(quiet_take(&quiet, now_ms) && !quiet_restless(&quiet, now_ms));
	quiet_note(&quiet, QUIET_CHANGED, HERE, "fleet.yaml", now_ms);
	ck_assert_ptr_null(quiet_restless(&quiet, now_ms + QUIET_RESTLESS_MS - 1));
}
END_TEST

static void write_many(unsigned count)
{
	char name[16];

	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%u.yaml", i);
		quiet_note(&quiet, QUIET_WRITTEN, HERE, name, BEGIN_MS);
	}
}

static void close_many(unsigned count)
{
	char name[16];

	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%u.yaml", i);
		quiet_note(&quiet, QUIET_CHANGED, HERE, name, BEGIN_MS);
	}
}

START_TEST(as_many_are_waited_for_at_and_beyond_the_limit)
{
	write_many(QUIET_WRITINGS_MAX);
	close_many(QUIET_WRITINGS_MAX - 1);
	ck_assert_int_eq(quiet_due_ms(&quiet), BEGIN_MS + QUIET_WRITING_MS);
	close_many(QUIET_WRITINGS_MAX);
	ck_assert_int_eq(quiet_due_ms(&quiet), BEGIN_MS + QUIET_MS);
	write_many(QUIET_WRITINGS_MAX + 1);
	close_many(QUIET_WRITINGS_MAX);
	ck_assert_int_eq(quiet_due_ms(&quiet), BEGIN_MS + QUIET_MS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quiet");
	TCase *tcase = tcase_create("quiet");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, without_a_change_nothing_is_read);
	tcase_add_test(tcase, a_change_is_read_once_when_it_is_quiet);
	tcase_add_test(tcase, half_a_file_is_waited_for);
	tcase_add_test(tcase, half_a_file_is_not_whole_by_another_mode);
	tcase_add_test(tcase, another_that_is_whole_does_not_make_it_whole);
	tcase_add_test(tcase, as_many_are_waited_for_at_and_beyond_the_limit);
	tcase_add_test(tcase, what_never_rests_is_named);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
