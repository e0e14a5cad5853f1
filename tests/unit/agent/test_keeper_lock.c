/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node-agent/io/quick/keep.h"
#include "node-agent/io/quick/lock_file.h"

static char directory[] = "/tmp/hf-keeper-XXXXXX";

/* The linker passes every open() of the module through here (--wrap): what happens right after one. */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, mode_t mode);

static int ending_fd = -1;

int __wrap_open(const char *path, int flags, mode_t mode)
{
	int fd = __real_open(path, flags, mode), ending = ending_fd;
	const char *suffix = strrchr(path, '.');

	if (ending >= 0 && suffix && !strcmp(suffix, ".agent")) {
		ending_fd = -1;
		quick_keeper_close(directory, ending);
	}
	return fd;
}

/* An agent that ends removes the file, which the next one has open already. */
START_TEST(test_a_lock_on_a_removed_file_is_none)
{
	int fd;

	ending_fd = quick_keeper_open(directory, NULL);
	ck_assert_int_ge(ending_fd, 0);
	fd = quick_keeper_open(directory, NULL);
	ck_assert_int_eq(ending_fd, -1);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(quick_keeper_open(directory, NULL), -EBUSY);
	quick_keeper_close(directory, fd);
}
END_TEST

START_TEST(test_the_second_is_told)
{
	struct err err = {0};
	int fd = quick_keeper_open(directory, NULL);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(quick_keeper_open(directory, &err), -EBUSY);
	ck_assert(strstr(err.text, "another agent keeps"));
	quick_keeper_close(directory, fd);
	fd = quick_keeper_open(directory, NULL);
	ck_assert_int_ge(fd, 0);
	quick_keeper_close(directory, fd);
}
END_TEST

START_TEST(test_a_removed_file_is_not_the_current_one)
{
	char path[64];
	int fd, other;

	snprintf(path, sizeof(path), "%s/lock", directory);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert(lock_file_is_current(fd, path));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(!lock_file_is_current(fd, path));
	other = open(path, O_RDWR | O_CREAT, 0600);
	ck_assert(!lock_file_is_current(fd, path));
	ck_assert(lock_file_is_current(other, path));
	close(fd);
	close(other);
	unlink(path);
}
END_TEST

static void make_directory(void)
{
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_directory(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/quick", directory);
	rmdir(path);
	ck_assert_int_eq(rmdir(directory), 0); /* nothing stays */
}

int main(void)
{
	Suite *suite = suite_create("keeper-lock");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 50);
	tcase_add_checked_fixture(all, make_directory, remove_directory);
	tcase_add_test(all, test_a_lock_on_a_removed_file_is_none);
	tcase_add_test(all, test_the_second_is_told);
	tcase_add_test(all, test_a_removed_file_is_not_the_current_one);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
