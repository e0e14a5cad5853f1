/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/program/program.h"
#include "tests/integration/node-agent/sandbox.h"

/* Programs of the user's, for real, in a process namespace of their own. */

enum { PATIENCE_S = 60, LONG_MS = 50000, SHORT_MS = 200 };

static const char path[] = "/run/program";
static struct event_base *base;
static struct programs *programs;
static struct program *program;
static bool ended, was_well;
static char failure[PROGRAM_FAILURE_MAX];

static void setup(void)
{
	sandbox_enter();
	base = event_base_new();
	programs = programs_new(base);
	ended = was_well = false;
}

static void teardown(void)
{
	programs_free(programs);
	event_base_free(base);
}

static void write_program(const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0755), 0);
}

static void on_ended(const char *why, void *context)
{
	(void)context;
	ended = true;
	was_well = why == NULL;
	text_copy(failure, sizeof(failure), why ? why : "");
	event_base_loopbreak(base);
}

static void start(int64_t deadline_ms)
{
	static const char *const environment[] = {"PATH=/usr/bin:/bin", "HOLDFAST_STATE=owner", NULL};
	struct program_start how = {.path = path, .environment = environment, .deadline_ms = deadline_ms};
	struct err err = {0};

	ck_assert_msg(program_start(programs, &how, on_ended, NULL, &program, &err) == 0, "%s", err.text);
}

static void run(const char *text, int64_t deadline_ms)
{
	write_program(text);
	start(deadline_ms);
	event_base_loopexit(base, &(struct timeval){.tv_sec = PATIENCE_S});
	event_base_dispatch(base);
	ck_assert_msg(ended, "it does not end");
}

/* Nobody but zombies, which init would reap, runs a program of that name. */
static void nobody_runs(const char *name)
{
	for (int tries = 0; tries < 3000; tries++) {
		char *found = sandbox_output("ps -e -o stat=,args=");
		char *line = found, *rest;
		bool runs = false;

		while ((line = strtok_r(line, "\n", &rest)) != NULL) {
			runs |= line[0] != 'Z' && strstr(line, name) != NULL;
			line = NULL;
		}
		free(found);
		if (!runs)
			return;
		usleep(10000);
	}
	ck_abort_msg("%s still runs", name);
}

static const struct {
	const char *text, *failure; /* NULL: it is well */
} ends[] = {
	{"#!/bin/sh\nexit 0\n", NULL},
	{"#!/bin/sh\necho all is well\n", NULL},
	{"#!/bin/sh\necho disk full >&2\necho and more\nexit 3\n", "exit status 3: disk full"},
	{"#!/bin/sh\nkill -TERM $$\n", "ended by signal 15"},
	{"#!/bin/sh\nprintf '\\n\\033[1mbold\\tx\\n'; exit 1\n", "exit status 1:  [1mbold x"},
	{"#!/bin/nosuch\n", "exit status 127: cannot be started: No such file or directory"},
	{"#!/bin/sh\nread line && exit 1\n[ $# = 0 ] && [ \"$PWD\" = / ] && [ \"$HOLDFAST_STATE\" = owner ] "
	 "&& "
	 "[ \"$(env | grep -cv -e ^PATH= -e ^PWD= -e ^_= -e ^OLDPWD= -e ^SHLVL=)\" = 1 ] && "
	 "[ \"$(ls /proc/self/fd | wc -l)\" = 4 ]\n",
		NULL},
};

START_TEST(how_it_ends_is_told)
{
	run(ends[_i].text, LONG_MS);
	ck_assert_str_eq(failure, ends[_i].failure ? ends[_i].failure : "");
	ck_assert(was_well == !ends[_i].failure);
}
END_TEST

START_TEST(what_it_says_is_kept_to_a_limit)
{
	char text[64], expected[PROGRAM_FAILURE_MAX];

	(void)snprintf(text, sizeof(text), "#!/bin/sh\nprintf '%%0%dd'; exit 1\n", PROGRAM_SAID_MAX + _i);
	run(text, LONG_MS);
	(void)snprintf(expected, sizeof(expected), "exit status 1: %0*d", PROGRAM_SAID_MAX, 0);
	ck_assert_str_eq(failure, expected);
}
END_TEST

START_TEST(what_it_may_write_has_a_limit)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "#!/bin/sh\nhead -c %d /dev/zero\n", PROGRAM_OUTPUT_MAX + _i);
	run(text, LONG_MS);
	if (_i)
		ck_assert_msg(!strncmp(failure, "says more than 64 KiB", 21), "%s", failure);
	else
		ck_assert_msg(was_well, "%s", failure);
}
END_TEST

START_TEST(one_that_writes_for_ever_is_killed)
{
	run("#!/bin/sh\nexec yes no\n", LONG_MS);
	ck_assert_str_eq(failure, "says more than 64 KiB: no");
	nobody_runs("yes no");
}
END_TEST

START_TEST(one_that_is_late_is_killed_with_its_children)
{
	run("#!/bin/sh\ntrap '' TERM INT HUP\necho waiting\nsleep 611 &\nsleep 612\n", SHORT_MS);
	ck_assert_msg(!strncmp(failure, "no end within 200 ms", 20), "%s", failure);
	nobody_runs("sleep 61");
}
END_TEST

START_TEST(what_it_leaves_ends_with_it)
{
	run("#!/bin/sh\nsleep 613 &\nexit 0\n", LONG_MS);
	ck_assert_msg(was_well, "%s", failure);
	nobody_runs("sleep 613");
}
END_TEST

START_TEST(one_that_is_forgotten_tells_nobody)
{
	write_program("#!/bin/sh\nexec sleep 614\n");
	start(LONG_MS);
	program_forget(program);
	event_base_loopexit(base, &(struct timeval){.tv_usec = 200000});
	event_base_dispatch(base);
	ck_assert(!ended);
	nobody_runs("sleep 614");
}
END_TEST

START_TEST(none_outlives_who_started_it)
{
	write_program("#!/bin/sh\nexec sleep 615\n");
	start(LONG_MS);
	programs_free(programs);
	nobody_runs("sleep 615");
	programs = programs_new(base);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("programs");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_set_timeout(all, 90);
	tcase_add_loop_test(all, how_it_ends_is_told, 0, ARRAY_COUNT(ends));
	tcase_add_loop_test(all, what_it_says_is_kept_to_a_limit, 0, 2);
	tcase_add_loop_test(all, what_it_may_write_has_a_limit, 0, 2);
	tcase_add_test(all, one_that_writes_for_ever_is_killed);
	tcase_add_test(all, one_that_is_late_is_killed_with_its_children);
	tcase_add_test(all, what_it_leaves_ends_with_it);
	tcase_add_test(all, one_that_is_forgotten_tells_nobody);
	tcase_add_test(all, none_outlives_who_started_it);
	suite_add_tcase(suite, all);
	return sandbox_main(suite);
}
