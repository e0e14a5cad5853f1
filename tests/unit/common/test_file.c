/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io/file.h"
#include "pki.h"

static char dir[64], path[128];

static void open_dir(void)
{
	pki_directory(dir, sizeof dir);
	snprintf(path, sizeof path, "%s/file", dir);
}

static void close_dir(void)
{
	pki_remove(dir);
}

static mode_t mode_of(const char *name)
{
	struct stat status;

	ck_assert_int_eq(stat(name, &status), 0);
	return status.st_mode & 07777;
}

START_TEST(what_is_written_is_read)
{
	char *data;
	size_t size;
	struct err err;

	umask(077);
	ck_assert_int_eq(file_write(path, "a\0b", 3, 0644, &err), 0);
	ck_assert_uint_eq(mode_of(path), 0644);
	ck_assert_int_eq(file_read(path, 3, &data, &size, &err), 0);
	ck_assert_uint_eq(size, 3);
	ck_assert_mem_eq(data, "a\0b", 4);
	free(data);
	ck_assert_int_eq(file_write(path, "", 0, 0600, &err), 0);
	ck_assert_uint_eq(mode_of(path), 0600);
	ck_assert_int_eq(file_read(path, 0, &data, NULL, &err), 0);
	ck_assert_str_eq(data, "");
	free(data);
}
END_TEST

START_TEST(reading_has_a_limit)
{
	char *data = NULL;
	char big[40000];
	struct err err;

	memset(big, 'x', sizeof big);
	ck_assert_int_eq(file_write(path, big, sizeof big, 0600, &err), 0);
	ck_assert_int_eq(file_read(path, sizeof big - 1, &data, NULL, &err), -EFBIG);
	ck_assert_ptr_null(data);
	ck_assert_str_eq(err.where, path);
	ck_assert_int_eq(file_read(path, sizeof big, &data, NULL, &err), 0);
	free(data);
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
	char *data = NULL, text[2048], expected[256];
	struct err err;

	ck_assert_int_eq(file_read(path, 9, &data, NULL, &err), -ENOENT);
	snprintf(expected, sizeof expected, "%s: cannot open: No such file or directory", path);
	ck_assert_str_eq(err_format(&err, text, sizeof text), expected);
	ck_assert_int_eq(file_read(dir, 9, &data, NULL, &err), -EINVAL);
	ck_assert_str_eq(err.text, "not a regular file");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(file_read(path, 9, &data, NULL, &err), -EINVAL);
	ck_assert_ptr_null(data);
}
END_TEST

START_TEST(creating_does_not_replace)
{
	char *data;
	struct err err;

	ck_assert_int_eq(file_create(path, "one", 3, 0600, &err), 0);
	ck_assert_int_eq(file_create(path, "two", 3, 0600, &err), -EEXIST);
	ck_assert_int_eq(file_read(path, 9, &data, NULL, &err), 0);
	ck_assert_str_eq(data, "one");
	free(data);
	/* And leaves nothing beside it. */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(file_create("/nonexistent-holdfast/x", "", 0, 0600, &err), -ENOENT);
}
END_TEST

START_TEST(a_symlink_is_replaced_not_followed)
{
	char target[160];
	struct stat status;
	char *data;

	snprintf(target, sizeof target, "%s/target", dir);
	ck_assert_int_eq(file_write(target, "old", 3, 0600, NULL), 0);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_int_eq(file_write(path, "new", 3, 0600, NULL), 0);
	ck_assert_int_eq(lstat(path, &status), 0);
	ck_assert(S_ISREG(status.st_mode));
	ck_assert_int_eq(file_read(target, 9, &data, NULL, NULL), 0);
	ck_assert_str_eq(data, "old");
	free(data);
}
END_TEST

START_TEST(directories_are_made_with_their_parents)
{
	char deep[200], middle[200];
	struct err err;

	snprintf(middle, sizeof middle, "%s/a", dir);
	snprintf(deep, sizeof deep, "%s/a/b/", dir);
	ck_assert_int_eq(file_make_directories(deep, 0700, &err), 0);
	ck_assert_uint_eq(mode_of(deep), 0700);
	ck_assert_int_eq(file_make_directories(deep, 0755, &err), 0);
	ck_assert_uint_eq(mode_of(deep), 0700);
	ck_assert_int_eq(rmdir(deep), 0);
	ck_assert_int_eq(rmdir(middle), 0);
	ck_assert_int_eq(file_write(middle, "", 0, 0600, &err), 0);
	ck_assert_int_eq(file_make_directories(deep, 0700, &err), -ENOTDIR);
	ck_assert_str_eq(err.where, middle);
}
END_TEST

START_TEST(open_secrets_are_noticed)
{
	char warning[512] = "";

	file_write(path, "", 0, 0600, NULL);
	ck_assert(!file_secret_is_open(path, warning, sizeof warning));
	file_write(path, "", 0, 0640, NULL);
	ck_assert(file_secret_is_open(path, warning, sizeof warning));
	ck_assert_ptr_nonnull(strstr(warning, path));
	ck_assert_ptr_nonnull(strstr(warning, "0640"));
	ck_assert(!file_secret_is_open("/nonexistent-holdfast", warning, sizeof warning));
}
END_TEST

START_TEST(key_files_hold_one_key)
{
	static const char good[] = "\n AwsTGyMrMztDS1NbY2tze4OLk5ujq7O7w8vT2+Pr8/s=\r\n";
	struct key key = {0};
	struct err err;

	file_write(path, good, sizeof good - 1, 0600, NULL);
	ck_assert_int_eq(file_read_key(path, &key, &err), 0);
	ck_assert_uint_eq(key.bytes[1], 11);
	file_write(path, good, sizeof good, 0600, NULL); /* its NUL too */
	ck_assert_int_eq(file_read_key(path, &key, &err), -EINVAL);
	file_write(path, "hunter2", 7, 0600, NULL);
	ck_assert_int_eq(file_read_key(path, &key, &err), -EINVAL);
	ck_assert_str_eq(err.where, path);
	ck_assert_ptr_null(strstr(err.text, "hunter2"));
	file_write(path, "", 0, 0600, NULL);
	ck_assert_int_eq(file_read_key(path, &key, &err), -EINVAL);
	unlink(path);
	ck_assert_int_eq(file_read_key(path, &key, &err), -ENOENT);
	ck_assert_uint_eq(key.bytes[1], 11);
}
END_TEST

static char *beside(const char *rest)
{
	static char name[192];

	snprintf(name, sizeof name, "%s%s", path, rest);
	return name;
}

static void leave(const char *rest)
{
	int fd = open(beside(rest), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static bool is_there(const char *rest)
{
	return access(beside(rest), F_OK) == 0;
}

#define LEFT ".0123456789abcdef.tmp"

START_TEST(what_a_dead_writer_left_goes)
{
	static const char *const others[] = {".0123456789abcde.tmp", ".0123456789abcdef0.tmp",
		".0123456789ABCDEF.tmp", ".0123456789abcdef.tmp2", ".0123456789abcdef", ".tmp", "2" LEFT,
		LEFT LEFT};

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		leave(others[i]);
	leave(LEFT);
	ck_assert_int_eq(file_write(path, "x", 1, 0600, NULL), 0);
	ck_assert(is_there(LEFT)); /* only who starts looks */
	file_sweep(path);
	ck_assert(!is_there(LEFT));
	ck_assert(is_there(""));
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		ck_assert_msg(is_there(others[i]), "%s", others[i]);
	ck_assert_int_eq(mkdir(beside(LEFT), 0700), 0);
	file_sweep(path);
	ck_assert(is_there(LEFT));
	ck_assert_int_eq(rmdir(beside(LEFT)), 0);
	ck_assert_int_eq(symlink(path, beside(LEFT)), 0);
	file_sweep(path);
	ck_assert_int_eq(unlink(beside(LEFT)), 0);
	file_sweep("/nosuch/file");
}
END_TEST

START_TEST(what_a_living_writer_has_stays)
{
	int fd;

	leave(LEFT);
	fd = open(beside(LEFT), O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	file_sweep(path);
	ck_assert(is_there(LEFT));
	close(fd);
	file_sweep(path);
	ck_assert(!is_there(LEFT));
}
END_TEST

/* The test may fail, and kill nobody. */
static void sweep_beside(pid_t parent)
{
	while (getppid() == parent)
		file_sweep(path);
	_exit(0);
}

/* One sweeps all the time: whatever is written has its place. */
START_TEST(nobody_loses_what_he_writes)
{
	pid_t parent = getpid(), sweeper = fork();
	char *data;

	if (sweeper == 0)
		sweep_beside(parent);
	for (int i = 0; i < 1500; i++) {
		ck_assert_int_eq(file_write(path, &i, sizeof i, 0600, NULL), 0);
		ck_assert_int_eq(file_read(path, sizeof i, &data, NULL, NULL), 0);
		ck_assert_mem_eq(data, &i, sizeof i);
		free(data);
	}
	ck_assert_int_eq(kill(sweeper, SIGKILL), 0);
	ck_assert_int_eq(waitpid(sweeper, NULL, 0), sweeper);
}
END_TEST

START_TEST(paths_are_beside_their_file)
{
	static const struct {
		const char *base, *path, *result;
	} cases[] = {{"/etc/holdfast/agent.yaml", "ca.pem", "/etc/holdfast/ca.pem"},
		{"/etc/holdfast/agent.yaml", "/x/ca.pem", "/x/ca.pem"}, {"agent.yaml", "ca.pem", "ca.pem"},
		{"/agent.yaml", "ca.pem", "/ca.pem"}, {"conf/agent.yaml", "../ca.pem", "conf/../ca.pem"}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *result = file_beside(cases[i].base, cases[i].path);

		ck_assert_str_eq(result, cases[i].result);
		free(result);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("file");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60); /* a disk may be slow to say that it has it */
	tcase_add_checked_fixture(tcase, open_dir, close_dir);
	tcase_add_test(tcase, what_is_written_is_read);
	tcase_add_test(tcase, reading_has_a_limit);
	tcase_add_test(tcase, what_cannot_be_read_is_named);
	tcase_add_test(tcase, creating_does_not_replace);
	tcase_add_test(tcase, a_symlink_is_replaced_not_followed);
	tcase_add_test(tcase, directories_are_made_with_their_parents);
	tcase_add_test(tcase, open_secrets_are_noticed);
	tcase_add_test(tcase, key_files_hold_one_key);
	tcase_add_test(tcase, what_a_dead_writer_left_goes);
	tcase_add_test(tcase, what_a_living_writer_has_stays);
	tcase_add_test(tcase, nobody_loses_what_he_writes);
	tcase_add_test(tcase, paths_are_beside_their_file);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
