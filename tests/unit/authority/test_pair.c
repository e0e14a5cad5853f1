/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wherever it stops, the next start finds a certificate and a key that belong together. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/authority/pair.h"
#include "common/io/file.h"

static char directory[] = "/tmp/holdfast-pair-XXXXXX";
static struct pair pair;

static void setup(void)
{
	char certificate[64], key[64];

	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(certificate, sizeof(certificate), "%s/gw.pem", directory);
	snprintf(key, sizeof(key), "%s/gw.key", directory);
	ck_assert_int_eq(pair_paths(certificate, key, &pair, NULL), 0);
	ck_assert_int_eq(file_write(pair.certificate, "old", 3, 0644, NULL), 0);
	ck_assert_int_eq(file_write(pair.key, "old", 3, 0600, NULL), 0);
}

static void teardown(void)
{
	unlink(pair.certificate);
	unlink(pair.key);
	ck_assert_int_eq(rmdir(directory), 0); /* nothing else is left */
}

static void check(const char *path, const char *expected)
{
	char *text;

	ck_assert_int_eq(file_read(path, 100, &text, NULL, NULL), 0);
	ck_assert_str_eq(text, expected);
	free(text);
}

static void check_both(const char *expected)
{
	check(pair.certificate, expected);
	check(pair.key, expected);
}

static void prepare(void)
{
	ck_assert_int_eq(pair_prepare_key(&pair, "new", NULL), 0);
	ck_assert_int_eq(pair_prepare_certificate(&pair, "new", NULL), 0);
}

START_TEST(both_are_replaced)
{
	struct stat status;

	prepare();
	check_both("old");
	ck_assert_int_eq(pair_commit(&pair, NULL), 0);
	check_both("new");
	ck_assert_int_eq(stat(pair.key, &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0600);
}
END_TEST

START_TEST(or_dropped)
{
	prepare();
	pair_drop(&pair);
	check_both("old");
}
END_TEST

START_TEST(a_key_alone_is_dropped)
{
	ck_assert_int_eq(pair_prepare_key(&pair, "new", NULL), 0);
	ck_assert_int_eq(pair_recover(&pair, NULL), 0);
	check_both("old");
}
END_TEST

START_TEST(what_was_prepared_is_finished)
{
	prepare();
	ck_assert_int_eq(pair_recover(&pair, NULL), 0);
	check_both("new");
}
END_TEST

START_TEST(also_between_the_two)
{
	prepare();
	ck_assert_int_eq(rename(pair.next_key, pair.key), 0);
	ck_assert_int_eq(pair_recover(&pair, NULL), 0);
	check_both("new");
}
END_TEST

/* Killed between the two, and whoever comes next wants a pair of his own: both are of one life, whenever he is killed. */
START_TEST(also_by_who_begins_anew)
{
	prepare();
	ck_assert_int_eq(rename(pair.next_key, pair.key), 0);
	ck_assert_int_eq(pair_prepare_key(&pair, "newer", NULL), 0);
	ck_assert_int_eq(pair_recover(&pair, NULL), 0);
	check_both("new");
}
END_TEST

/* A directory that is not empty: nothing takes its place. */
static void put_in_the_way(void)
{
	char path[PATH_MAX + 8];

	ck_assert_int_eq(unlink(pair.certificate), 0);
	ck_assert_int_eq(mkdir(pair.certificate, 0700), 0);
	snprintf(path, sizeof(path), "%s/x", pair.certificate);
	ck_assert_int_eq(file_write(path, "x", 1, 0600, NULL), 0);
}

static void clear_the_way(void)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/x", pair.certificate);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(pair.certificate), 0);
	ck_assert_int_eq(file_write(pair.certificate, "old", 3, 0644, NULL), 0);
}

static void check_nothing_is_replaced(void)
{
	check(pair.key, "old");
	check(pair.next_key, "new");
	check(pair.next_certificate, "new");
	ck_assert_int_lt(access(pair.key_before, F_OK), 0);
}

START_TEST(a_certificate_that_cannot_be_replaced_keeps_its_key)
{
	struct err err;

	prepare();
	put_in_the_way();
	for (int i = 0; i < 2; i++) {
		ck_assert_int_lt(pair_commit(&pair, &err), 0);
		ck_assert_ptr_nonnull(strstr(err.text, "cannot be renamed to "));
		check_nothing_is_replaced();
	}
	clear_the_way();
	check_both("old");
	ck_assert_int_eq(pair_recover(&pair, NULL), 0);
	check_both("new");
}
END_TEST

/* Every place where one can be killed: after the second name of the old key; between the two; and while it put the key back. */
enum { KILLED_PLACES = 4 };
static void stop_at(int place)
{
	prepare();
	ck_assert_int_eq(link(pair.key, pair.key_before), 0);
	if (place == 0)
		return;
	ck_assert_int_eq(rename(pair.next_key, pair.key), 0);
	if (place == 1)
		return;
	ck_assert_int_eq(link(pair.key, pair.next_key), 0);
	if (place == 2)
		return;
	ck_assert_int_eq(rename(pair.key_before, pair.key), 0);
}

START_TEST(killed_anywhere_it_is_finished)
{
	stop_at(_i);
	ck_assert_int_eq(pair_recover(&pair, NULL), 0);
	check_both("new");
}
END_TEST

/* Nor is the old key lost where the certificate still cannot take its place: at any start, or with what was prepared dropped. */
START_TEST(killed_anywhere_the_old_key_comes_back)
{
	stop_at(_i);
	put_in_the_way();
	for (int i = 0; i < 2; i++) {
		ck_assert_int_lt(pair_recover(&pair, NULL), 0);
		check_nothing_is_replaced();
	}
	clear_the_way();
	pair_drop(&pair);
	check_both("old");
}
END_TEST

START_TEST(killed_anywhere_it_can_be_dropped)
{
	stop_at(_i);
	pair_drop(&pair);
	check_both("old");
}
END_TEST

START_TEST(what_was_in_force_before_goes_once_both_are_in_place)
{
	stop_at(1);
	ck_assert_int_eq(rename(pair.next_certificate, pair.certificate), 0);
	ck_assert_int_eq(pair_recover(&pair, NULL), 0);
	check_both("new");
}
END_TEST

/* Nothing is put in force, and the old key does not take the name of the one that is missing. */
START_TEST(a_certificate_without_its_key_is_not_committed)
{
	ck_assert_int_eq(pair_prepare_certificate(&pair, "new", NULL), 0);
	ck_assert_int_lt(pair_commit(&pair, NULL), 0);
	check_both("old");
	ck_assert_int_lt(access(pair.next_key, F_OK), 0);
	pair_drop(&pair);
}
END_TEST

START_TEST(a_backup_that_somebody_made_is_not_touched)
{
	static const char *const names[] = {"before", "bak", "old"};
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/gw.key.%s", directory, names[_i]);
	ck_assert_int_eq(file_write(path, "backup", 6, 0600, NULL), 0);
	prepare();
	ck_assert_int_eq(pair_commit(&pair, NULL), 0);
	ck_assert_int_eq(pair_recover(&pair, NULL), 0);
	check(path, "backup");
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(where_nothing_was_begun_nothing_is_done)
{
	ck_assert_int_eq(pair_recover(&pair, NULL), 0);
	check_both("old");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("authority/pair");
	TCase *test = tcase_create("pair");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_add_checked_fixture(test, setup, teardown);
	tcase_add_test(test, both_are_replaced);
	tcase_add_test(test, or_dropped);
	tcase_add_test(test, a_key_alone_is_dropped);
	tcase_add_test(test, what_was_prepared_is_finished);
	tcase_add_test(test, also_between_the_two);
	tcase_add_test(test, also_by_who_begins_anew);
	tcase_add_test(test, a_certificate_that_cannot_be_replaced_keeps_its_key);
	tcase_add_loop_test(test, killed_anywhere_it_is_finished, 0, KILLED_PLACES);
	tcase_add_loop_test(test, killed_anywhere_the_old_key_comes_back, 0, KILLED_PLACES);
	tcase_add_loop_test(test, killed_anywhere_it_can_be_dropped, 0, KILLED_PLACES);
	tcase_add_test(test, what_was_in_force_before_goes_once_both_are_in_place);
	tcase_add_test(test, a_certificate_without_its_key_is_not_committed);
	tcase_add_loop_test(test, a_backup_that_somebody_made_is_not_touched, 0, 3);
	tcase_add_test(test, where_nothing_was_begun_nothing_is_done);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
