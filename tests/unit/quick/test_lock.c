/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "node-agent/io/quick/child.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/session.h"

enum { PROCESSES = 3, TIMES = 2000, WAIT_MS = 100 };

/* The lock of a tunnel, TIMES over; what others do meanwhile is -EAGAIN and nothing else. Ends the process. */
static void take_and_free(const char *directory)
{
	struct err err = {0};
	struct quick quick = {.err = &err, .name = "wg0", .lock_fd = -1, .route_lock_fd = -1};
	int r, taken = 0;

	text_copy(quick.directory, sizeof(quick.directory), directory);
	text_copy(quick.route_directory, sizeof(quick.route_directory), directory);
	while (taken < TIMES) {
		r = quick_try_lock(&quick);
		if (r < 0 && r != -EAGAIN) {
			fprintf(stderr, "%s\n", err.text);
			_exit(EXIT_FAILURE);
		}
		if (r < 0)
			continue;
		taken++;
		quick_unlock(&quick);
	}
	_exit(EXIT_SUCCESS);
}

/* The file goes with the lock, and its directory with the last file: whoever opens one of them in that moment tries
 * again. */
START_TEST(a_lock_that_goes_is_tried_again)
{
	char directory[] = "/tmp/test-lock-XXXXXX";
	int status;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	for (int i = 0; i < PROCESSES; i++) {
		pid_t child = fork();

		ck_assert_int_ge(child, 0);
		if (child == 0)
			take_and_free(directory);
	}
	for (int i = 0; i < PROCESSES; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS, "status %d", status);
	}
	ck_assert_int_ne(access(directory, F_OK), 0);
}
END_TEST

/* An agent has no signals of its own to wait with. */
START_TEST(a_wait_takes_its_time_without_signals)
{
	struct quick quick = {.signal_fd = -1, .cancel_fd = -1};
	int64_t began_ms = clock_now_ms();

	ck_assert_int_eq(quick_check_signal(&quick, WAIT_MS), 0);
	ck_assert_int_ge(clock_now_ms() - began_ms, WAIT_MS - 1);
}
END_TEST

static void say_nothing(enum quick_word word, const char *text)
{
	(void)word;
	(void)text;
}

START_TEST(a_lock_is_not_waited_for_longer_than_allowed)
{
	char directory[] = "/tmp/test-lock-XXXXXX";
	struct quick_options options = {.say = say_nothing};
	struct err err = {0};
	struct quick other = {
		.options = &options, .err = &err, .name = "wg0", .lock_fd = -1, .route_lock_fd = -1};
	struct quick quick;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	text_copy(other.directory, sizeof(other.directory), directory);
	text_copy(other.route_directory, sizeof(other.route_directory), directory);
	other.signal_fd = other.cancel_fd = -1;
	quick = other;
	quick.lock_timeout_ms = WAIT_MS;
	ck_assert_int_eq(quick_lock_routes(&other), 0);
	ck_assert_int_eq(quick_lock_routes(&quick), -EAGAIN);
	ck_assert_str_eq(err.text, "another holdfast is at work on routes of all, for more than 100 ms");
	quick_unlock_routes(&other);
	ck_assert_int_eq(quick_lock_routes(&quick), 0);
	quick_unlock_routes(&quick);
}
END_TEST

/* Neither for a lock nor for a program that hangs, once an agent ends. */
START_TEST(who_is_cancelled_waits_no_longer)
{
	char directory[] = "/tmp/test-lock-XXXXXX", program[PATH_MAX];
	const char *const words[] = {"sleep", "300", NULL};
	struct quick_options options = {.say = say_nothing};
	struct err err = {0};
	struct quick other = {.options = &options,
		.err = &err,
		.name = "wg0",
		.lock_fd = -1,
		.route_lock_fd = -1,
		.signal_fd = -1,
		.cancel_fd = -1,
		.spaces = QUICK_SPACES_NONE};
	struct quick quick;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	text_copy(other.directory, sizeof(other.directory), directory);
	text_copy(other.route_directory, sizeof(other.route_directory), directory);
	quick = other;
	quick.cancel_fd = eventfd(1, EFD_CLOEXEC);
	ck_assert_int_ge(quick.cancel_fd, 0);
	ck_assert_int_eq(quick_lock_routes(&other), 0);
	ck_assert_int_eq(quick_lock_routes(&quick), -ECANCELED);
	quick_unlock_routes(&other);
	ck_assert(quick_has_program("sleep", program));
	ck_assert_int_eq(quick_run(&quick, program, words, NULL), -ECANCELED);
	close(quick.cancel_fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quick lock");
	TCase *test = tcase_create("race");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(test, 30);
	tcase_add_test(test, a_lock_that_goes_is_tried_again);
	tcase_add_test(test, a_wait_takes_its_time_without_signals);
	tcase_add_test(test, a_lock_is_not_waited_for_longer_than_allowed);
	tcase_add_test(test, who_is_cancelled_waits_no_longer);
	suite_add_tcase(suite, test);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
