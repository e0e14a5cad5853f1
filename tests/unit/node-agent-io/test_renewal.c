/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an earlier life left of a renewal, at a start. */
#include <check.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/authority/pair.h"
#include "common/io/clock.h"
#include "common/io/file.h"
#include "node-agent/io/renewal/renewal.h"
#include "tests/unit/common/pki.h"

static char dir[64];
static struct pki_files files;
static struct pair pair;
static struct event_base *base;
static struct renewal *renewal;

static void setup(void)
{
	pki_directory(dir, sizeof(dir));
	pki_authority(dir, "ca");
	pki_issue(dir, "ca", "gw-a", "holdfast:gateway:gw-a", -60, 3600);
	pki_files(&files, dir, "ca", "gw-a");
	ck_assert_int_eq(pair_paths(files.certificate, files.key, &pair, NULL), 0);
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
}

static void teardown(void)
{
	renewal_free(renewal);
	renewal = NULL;
	event_base_free(base);
	pki_remove(dir);
}

static void begin(void)
{
	struct err err;

	ck_assert_msg(renewal_new(base, &files.files, "gw-a", &renewal, &err) == 0, "%s", err.text);
	renewal_look(renewal, NULL); /* no controller: it reads the files, and asks nobody */
}

static int64_t seconds_left(void)
{
	return (renewal_lifetime(renewal)->end_ms - clock_wall_ms()) / 1000;
}

START_TEST(what_was_begun_is_finished)
{
	struct pki_files next;

	pki_issue(dir, "ca", "new", "holdfast:gateway:gw-a", -60, 7200);
	pki_files(&next, dir, "ca", "new");
	ck_assert_int_eq(rename(next.certificate, pair.next_certificate), 0);
	ck_assert_int_eq(rename(next.key, pair.next_key), 0);
	begin();
	ck_assert_str_eq(renewal_failure(renewal), "");
	ck_assert_int_gt(seconds_left(), 3600);
}
END_TEST

/* A directory where the new key was: it cannot take the place of a file, whoever tries. */
START_TEST(what_cannot_be_finished_leaves_what_is_in_force)
{
	ck_assert_int_eq(mkdir(pair.next_key, 0700), 0);
	ck_assert_int_eq(file_write(pair.next_certificate, "half", 4, 0644, NULL), 0);
	begin();
	ck_assert_ptr_nonnull(strstr(renewal_failure(renewal), "cannot be renamed to "));
	ck_assert_int_gt(seconds_left(), 3000);
	ck_assert_int_le(seconds_left(), 3600);
	ck_assert_int_eq(rmdir(pair.next_key), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("node-agent/renewal");
	TCase *test = tcase_create("renewal");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_add_checked_fixture(test, setup, teardown);
	tcase_add_test(test, what_was_begun_is_finished);
	tcase_add_test(test, what_cannot_be_finished_leaves_what_is_in_force);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
