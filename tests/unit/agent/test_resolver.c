/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node-agent/io/resolver/resolver.h"

static struct resolver *resolver;

static void setup(void)
{
	ck_assert_int_eq(resolver_new(&resolver, NULL), 0);
}

static void teardown(void)
{
	resolver_free(resolver);
}

/* A name of the hosts file: no network is asked. */
static void wait_for(struct resolver_answer *answer)
{
	struct pollfd poll_fd = {.fd = resolver_fd(resolver), .events = POLLIN};

	while (!resolver_next(resolver, answer))
		ck_assert_int_gt(poll(&poll_fd, 1, 10000), 0);
}

START_TEST(nothing_is_there_before_a_question)
{
	struct resolver_answer answer;

	ck_assert(!resolver_next(resolver, &answer));
}
END_TEST

START_TEST(a_question_has_its_answer)
{
	struct resolver_answer answer;
	struct addr loopback;

	ck_assert_int_eq(addr_parse("127.0.0.1", &loopback, NULL), 0);
	ck_assert_int_eq(resolver_ask(resolver, 7, "localhost", NULL), 0);
	wait_for(&answer);
	ck_assert_uint_eq(answer.id, 7);
	ck_assert_str_eq(answer.name, "localhost");
	ck_assert_str_eq(answer.failure, "");
	ck_assert_uint_ge(answer.count, 1);
	for (size_t i = 0; i < answer.count; i++)
		ck_assert(answer.addresses[i].family == AF_INET6 ||
			  addr_equal(&answer.addresses[i], &loopback));
	ck_assert(!resolver_next(resolver, &answer));
}
END_TEST

START_TEST(each_of_many_is_answered_once)
{
	struct resolver_answer answer;
	bool seen[200] = {false};

	for (uint64_t i = 0; i < 200; i++)
		ck_assert_int_eq(resolver_ask(resolver, i, "localhost", NULL), 0);
	for (int i = 0; i < 200; i++) {
		wait_for(&answer);
		ck_assert(!seen[answer.id]);
		seen[answer.id] = true;
	}
}
END_TEST

START_TEST(it_ends_without_waiting)
{
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(resolver_ask(resolver, 1, "localhost", NULL), 0);
}
END_TEST

START_TEST(what_waits_has_a_limit)
{
	int r = 0, asked = 0;

	while (r >= 0 && asked < 100000) {
		r = resolver_ask(resolver, 1, "localhost", NULL);
		asked++;
	}
	ck_assert_int_eq(r, -EBUSY);
	ck_assert_int_gt(asked, RESOLVER_WAITING_MAX);
}
END_TEST

/* pthread_create() as it is, or failing: see CMakeLists.txt. */
static atomic_int threads_left = INT_MAX;
int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* Whoever holds it keeps the next thread from beginning; only one is made meanwhile. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(void *(*)(void *)) held_start;

static atomic_int threads_running;

static void *start_late(void *context)
{
	void *result;

	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	result = held_start(context);
	atomic_fetch_sub(&threads_running, 1);
	return result;
}

int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *context)
{
	held_start = start;
	if (atomic_fetch_sub(&threads_left, 1) <= 0)
		return EAGAIN;
	atomic_fetch_add(&threads_running, 1);
	return __real_pthread_create(thread, attributes, start_late, context);
}

/* One that still ends while the process does leaves what the C library keeps for it. */
START_TEST(threads_with_nothing_to_do_have_ended_when_it_is_freed)
{
	struct resolver_answer answer;

	for (int round = 0; round < 20; round++) {
		for (uint64_t i = 0; i < RESOLVER_THREADS; i++)
			ck_assert_int_eq(resolver_ask(resolver, i, "localhost", NULL), 0);
		for (int i = 0; i < RESOLVER_THREADS; i++)
			wait_for(&answer);
		resolver_free(resolver);
		ck_assert_int_eq(atomic_load(&threads_running), 0);
		ck_assert_int_eq(resolver_new(&resolver, NULL), 0);
	}
}
END_TEST

/* A thread that was in another namespace ends; when no other can be started, those that wait are told. */
START_TEST(questions_do_not_wait_for_a_thread_that_cannot_start)
{
	struct resolver_answer answer;
	struct netns here = NETNS_NONE;
	struct resolver_place place = {.netns = &here};
	bool told = false;

	here.fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(here.fd, 0);
	atomic_store(&threads_left, 1);
	pthread_mutex_lock(&gate); /* or it has answered the one and ended before the other is asked */
	for (uint64_t i = 0; i < 2; i++)
		ck_assert_int_eq(resolver_ask(resolver, i, "localhost", &place), 0);
	pthread_mutex_unlock(&gate);
	for (int i = 0; i < 2; i++) {
		wait_for(&answer);
		told |= strstr(answer.failure, "no thread to ask") != NULL;
	}
	ck_assert(told);
	atomic_store(&threads_left, INT_MAX);
	close(here.fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resolver");
	TCase *tests = tcase_create("resolver");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, nothing_is_there_before_a_question);
	tcase_add_test(tests, a_question_has_its_answer);
	tcase_add_test(tests, each_of_many_is_answered_once);
	tcase_add_test(tests, it_ends_without_waiting);
	tcase_add_test(tests, threads_with_nothing_to_do_have_ended_when_it_is_freed);
	tcase_add_test(tests, what_waits_has_a_limit);
	tcase_add_test(tests, questions_do_not_wait_for_a_thread_that_cannot_start);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
