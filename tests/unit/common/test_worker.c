/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io/worker.h"

struct job {
	int begun[2], may_end[2]; /* pipes */
	int done;
	sigset_t blocked;
};

static struct err err;
static struct worker *worker;
static struct job job;

/* Waits for leave to end, so that a test knows in what state it is. */
static void work(void *context)
{
	struct job *at = context;
	char byte = 0;

	pthread_sigmask(SIG_SETMASK, NULL, &at->blocked);
	ck_assert_int_eq(write(at->begun[1], &byte, 1), 1);
	ck_assert_int_eq(read(at->may_end[0], &byte, 1), 1);
	at->done++;
}

static void setup(void)
{
	memset(&job, 0, sizeof job);
	ck_assert_int_eq(pipe(job.begun), 0);
	ck_assert_int_eq(pipe(job.may_end), 0);
	ck_assert_int_eq(worker_new(work, &worker, &err), 0);
}

static void wait_for_begin(void)
{
	char byte;

	ck_assert_int_eq(read(job.begun[0], &byte, 1), 1);
}

static void let_end(void)
{
	ck_assert_int_eq(write(job.may_end[1], "", 1), 1);
}

static bool is_readable(int timeout_ms)
{
	struct pollfd fd = {.fd = worker_fd(worker), .events = POLLIN};

	return poll(&fd, 1, timeout_ms) == 1;
}

START_TEST(test_a_job_is_given_back_once)
{
	ck_assert_ptr_null(worker_take(worker));
	ck_assert(worker_give(worker, &job));
	wait_for_begin();
	ck_assert(!is_readable(0));
	ck_assert_ptr_null(worker_take(worker));
	let_end();
	ck_assert(is_readable(-1));
	ck_assert_ptr_eq(worker_take(worker), &job);
	ck_assert_int_eq(job.done, 1);
	ck_assert(!is_readable(0));
	ck_assert_ptr_null(worker_take(worker));
	ck_assert_ptr_null(worker_free(worker));
}
END_TEST

START_TEST(test_one_at_a_time_and_the_next_when_it_was_taken)
{
	struct job other = {0};

	ck_assert(worker_give(worker, &job));
	wait_for_begin();
	ck_assert(!worker_give(worker, &other));
	let_end();
	ck_assert(is_readable(-1));
	ck_assert(!worker_give(worker, &other));
	ck_assert_ptr_eq(worker_take(worker), &job);
	let_end();
	ck_assert(worker_give(worker, &job));
	ck_assert(is_readable(-1));
	ck_assert_ptr_eq(worker_take(worker), &job);
	ck_assert_int_eq(job.done, 2);
	ck_assert_ptr_null(worker_free(worker));
}
END_TEST

START_TEST(test_the_end_waits_for_the_job)
{
	ck_assert(worker_give(worker, &job));
	wait_for_begin();
	let_end();
	ck_assert_ptr_eq(worker_free(worker), &job);
	ck_assert_int_eq(job.done, 1);
	ck_assert_ptr_null(worker_free(NULL));
}
END_TEST

START_TEST(test_signals_are_for_the_loop)
{
	ck_assert(worker_give(worker, &job));
	wait_for_begin();
	let_end();
	worker_free(worker);
	ck_assert(sigismember(&job.blocked, SIGTERM));
	ck_assert(sigismember(&job.blocked, SIGCHLD));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("worker");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_a_job_is_given_back_once);
	tcase_add_test(all, test_one_at_a_time_and_the_next_when_it_was_taken);
	tcase_add_test(all, test_the_end_waits_for_the_job);
	tcase_add_test(all, test_signals_are_for_the_loop);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
