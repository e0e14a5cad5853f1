/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/text.h"
#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/keeping.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/session.h"

/* An agent takes name servers of the file back while a command has the lock that the file is changed under. */

static void say_nothing(enum quick_word word, const char *text)
{
	(void)word;
	(void)text;
}

static int take_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	return fd;
}

START_TEST(a_taken_lock_is_told)
{
	char directory[] = "/tmp/test-dns-XXXXXX", path[sizeof(directory) + sizeof("/routes of all.lock")];
	struct quick_options options = {.say = say_nothing};
	struct quick_kept kept = {0};
	struct quick_keeping keeping = {.kept = &kept};
	struct err err = {0};
	struct quick quick = {.options = &options,
		.err = &err,
		.name = "wg0",
		.lock_fd = -1,
		.route_lock_fd = -1,
		.signal_fd = -1,
		.cancel_fd = -1,
		.undoing = true,
		.spaces = QUICK_SPACES_NONE,
		.keeping = &keeping,
		.journal = {.dns = {.way = QUICK_DNS_FILE}}};
	int fd, r;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	text_copy(quick.directory, sizeof(quick.directory), directory);
	text_copy(quick.route_directory, sizeof(quick.route_directory), directory);
	snprintf(path, sizeof(path), "%s/routes of all.lock", directory);
	fd = take_lock(path);
	r = quick_unset_dns(&quick);
	unlink(path);
	rmdir(directory);
	close(fd);
	ck_assert_int_eq(r, -EAGAIN);
	ck_assert(quick_found_lock_taken(&quick));
	ck_assert_str_eq(kept.awaited, "routes of all.lock");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quick unset_dns");
	TCase *test = tcase_create("lock");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(test, a_taken_lock_is_told);
	suite_add_tcase(suite, test);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
