/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/io/store/writer.h"
#include "scratch.h"

static struct scratch scratch;
static struct event_base *base;
static struct store *store;
static struct writer *writer;
static char story[256];

static void setup(void)
{
	scratch_make(&scratch);
	story[0] = 0;
	base = event_base_new();
	ck_assert_int_eq(store_open(scratch_path(&scratch, "controller.db"), &store, NULL), 0);
	ck_assert_int_eq(writer_new(base, store, &writer, NULL), 0);
}

static void teardown(void)
{
	writer_free(writer);
	store_close(store);
	event_base_free(base);
	scratch_remove(&scratch);
}

static pthread_t main_thread;

static int write_one(struct store *of, void *context, struct err *err)
{
	const char *name = context;
	ck_assert_ptr_eq(of, store);
	ck_assert(!pthread_equal(pthread_self(), main_thread));
	return *name == '!' ? err_set(err, -EIO, "no %s", name) : 0;
}

static void done_one(void *context, int r, const struct err *err)
{
	ck_assert(pthread_equal(pthread_self(), main_thread));
	strcat(story, context);
	if (r < 0)
		strcat(story, err->text);
	strcat(story, ";");
	if (strcmp(context, "last") == 0)
		event_base_loopbreak(base);
}

static void add(const char *name)
{
	static char copies[8][8];
	static size_t next;
	char *copy = copies[next++ % 8];
	strcpy(copy, name);
	writer_add(writer, &(struct writer_job){.write = write_one, .done = done_one, .context = copy});
}

START_TEST(jobs_run_in_order_elsewhere_and_end_here)
{
	main_thread = pthread_self();
	add("a");
	add("!b");
	add("last");
	ck_assert_str_eq(story, "");
	event_base_dispatch(base);
	ck_assert_str_eq(story, "a;!bno !b;last;");
}
END_TEST

START_TEST(nothing_is_left_behind)
{
	main_thread = pthread_self();
	add("a");
	add("b");
	writer_free(writer);
	writer = NULL;
	ck_assert_str_eq(story, "a;b;");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writer");
	TCase *tests = tcase_create("writer");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, jobs_run_in_order_elsewhere_and_end_here);
	tcase_add_test(tests, nothing_is_left_behind);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
