/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that change, with the kernel's word for it. 3 s, and more where 3,000 symbolic links take longer. */
#include <check.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/io/clock.h"
#include "controller/core/quiet/quiet.h"
#include "controller/io/fleet/file_watch.h"
#include "scratch.h"

static struct scratch scratch;
static struct event_base *base;
static struct file_watch *watch;

static void on_changed(void *context)
{
	(void)context;
	event_base_loopbreak(base);
}

static void on_restless(const char *path, void *context)
{
	(void)context;
	ck_abort_msg("%s", path); /* nothing here takes that long */
}

/* Paths are relative: of what others do in /tmp nothing is seen. */
static void enter(void)
{
	scratch_make(&scratch);
	ck_assert_int_eq(chdir(scratch.directory), 0);
}

static void setup(void)
{
	enter();
	base = event_base_new();
	ck_assert_int_eq(file_watch_new(base, on_changed, on_restless, NULL, &watch, NULL), 0);
}

static void teardown(void)
{
	file_watch_free(watch);
	event_base_free(base);
	scratch_remove(&scratch);
}

/* These and no others. */
static void set(const char *file, const char *other)
{
	struct file_places places = {0};
	struct err err;

	file_places_add_file(&places, file);
	if (other)
		file_places_add_file(&places, other);
	ck_assert_int_eq(file_watch_set(watch, &places, &err), 0);
}

static void wait_until_told(void)
{
	ck_assert_int_eq(event_base_dispatch(base), 0);
	ck_assert(file_watch_is_quiet(watch));
}

START_TEST(what_was_watched_already_is_no_change)
{
	set("fleet.yaml", "extra.yaml");
	ck_assert(!file_watch_is_quiet(watch));
	wait_until_told();
	set("fleet.yaml", "extra.yaml");
	ck_assert(file_watch_is_quiet(watch));
	set("fleet.yaml", NULL);
	ck_assert(file_watch_is_quiet(watch));
}
END_TEST

/* It may have changed after it was read, when nobody asked about it yet. */
START_TEST(another_name_in_the_same_directory_is_one)
{
	set("fleet.yaml", NULL);
	wait_until_told();
	scratch_file(&scratch, "extra.yaml", "peers: {}\n");
	ck_assert(file_watch_is_quiet(watch));
	set("fleet.yaml", "extra.yaml");
	ck_assert(!file_watch_is_quiet(watch));
	wait_until_told();
}
END_TEST

START_TEST(what_keeps_changing_is_named)
{
	char path[FILE_WATCH_PATH_MAX];
	int64_t later_ms = clock_now_ms() + 2 * QUIET_RESTLESS_MS;

	set("fleet.yaml", NULL);
	wait_until_told();
	ck_assert(!file_watch_is_restless(watch, later_ms, path, sizeof path));
	scratch_file(&scratch, "fleet.yaml", "fleet: edge\n");
	ck_assert(!file_watch_is_quiet(watch));
	ck_assert(!file_watch_is_restless(watch, clock_now_ms(), path, sizeof path));
	ck_assert(file_watch_is_restless(watch, later_ms, path, sizeof path));
	ck_assert_str_eq(path, "./fleet.yaml");
	wait_until_told();
	ck_assert(!file_watch_is_restless(watch, later_ms, path, sizeof path));
}
END_TEST

/* Of nobody's interest, in a directory that is watched. */
static void make_others(int count)
{
	char name[32];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%d.other", i);
		ck_assert_int_eq(symlink("nowhere", name), 0);
	}
}

START_TEST(what_is_looked_at_in_a_turn_is_bounded)
{
	enum { IN_A_TURN = 4 * 16384 / 32 }; /* with names of up to 15 characters */

	set("fleet.yaml", NULL);
	wait_until_told();
	make_others(IN_A_TURN / 2);
	ck_assert(file_watch_is_quiet(watch));
	scratch_remove(&scratch);
	enter();
	set("fleet.yaml", NULL);
	wait_until_told();
	make_others(IN_A_TURN + 1);
	ck_assert(!file_watch_is_quiet(watch));
	wait_until_told();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("file watch");
	TCase *tcase = tcase_create("file watch");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60); /* the disk may be slow */
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_was_watched_already_is_no_change);
	tcase_add_test(tcase, another_name_in_the_same_directory_is_one);
	tcase_add_test(tcase, what_keeps_changing_is_named);
	tcase_add_test(tcase, what_is_looked_at_in_a_turn_is_bounded);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
