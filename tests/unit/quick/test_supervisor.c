/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node-agent/io/quick/child.h"

/* The pipe's two, and what the process between may need. */
enum { PIPE_FDS = 2, FDS_MAX = 8 };

static int spawn_true(void)
{
	static char name[] = "true";
	static char *const words[] = {name, NULL}, *const environment[] = {NULL};
	struct quick_program program = {.path = "/bin/true",
		.words = words,
		.environment = environment,
		.stdin_fd = -1,
		.group = true};
	int status = -1;
	pid_t pid;
	int r = quick_spawn(&program, &pid);

	if (r < 0)
		return r;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	return 0;
}

static int highest_open(void)
{
	int highest = 0;

	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			highest = fd;
	return highest;
}

/* The lowest above which all are free; whoever started this may have left some open, with gaps between: those are filled. */
static int first_free(void)
{
	int highest = highest_open(), fd;

	do {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		ck_assert_int_ge(fd, 0);
	} while (fd < highest);
	close(fd);
	return fd;
}

/* However few descriptors are left, it runs to its end or is said not to; with a hang, Check's time ends the test. */
START_TEST(few_descriptors_are_told)
{
	struct rlimit limit;
	int failed = 0, first = first_free();

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int left = PIPE_FDS; left <= FDS_MAX; left++) {
		int r;

		limit.rlim_cur = (rlim_t)(first + left);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		r = spawn_true();
		ck_assert_msg(r == 0 || r == -EMFILE, "%d left: %d", left, r);
		failed += r < 0;
	}
	ck_assert_int_eq(failed, 3); /* the parent's end, the signals, the program's end */
	ck_assert_int_eq(spawn_true(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quick supervisor");
	TCase *test = tcase_create("spawn");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(test, few_descriptors_are_told);
	suite_add_tcase(suite, test);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
