/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/undo.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/wireguard/implementation.h"

/* The linker puts these in the places of what asks the kernel (--wrap). */
int __wrap_rtnl_link_get(struct rtnl *rtnl, const char *name, struct rtnl_link *ret_link, struct err *err);
int __wrap_wg_remove_made(const char *name, unsigned ifindex, int timeout_ms, struct err *err);

enum { OURS = 7, ANOTHER = 8 };

static int look, found, removed;

int __wrap_rtnl_link_get(struct rtnl *rtnl, const char *name, struct rtnl_link *ret_link, struct err *err)
{
	(void)rtnl;
	if (look < 0)
		return err_set(err, look, "%s: %s", name, strerror(-look));
	*ret_link = (struct rtnl_link){.ifindex = (unsigned)found};
	return 0;
}

int __wrap_wg_remove_made(const char *name, unsigned ifindex, int timeout_ms, struct err *err)
{
	(void)name;
	ck_assert_uint_eq(ifindex, OURS);
	(void)timeout_ms;
	(void)err;
	removed++;
	return look < 0 ? look : 0;
}

static void say_nothing(enum quick_word word, const char *text)
{
	(void)word;
	(void)text;
}

/* Of a tunnel of which nothing but its link is left; is its journal, too? */
static int undo(bool *ret_journal)
{
	char directory[] = "/tmp/test-undo-XXXXXX", path[sizeof(directory) + sizeof("/wg0.json")];
	struct quick_options options = {.say = say_nothing};
	struct err err = {0};
	struct quick quick = {.options = &options,
		.err = &err,
		.name = "wg0",
		.lock_fd = -1,
		.route_lock_fd = -1,
		.signal_fd = -1,
		.cancel_fd = -1,
		.spaces = QUICK_SPACES_NONE,
		.journal = {.stage = QUICK_STAGE_UP, .link = true, .ifindex = OURS}};
	int r;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	text_copy(quick.directory, sizeof(quick.directory), directory);
	text_copy(quick.route_directory, sizeof(quick.route_directory), directory);
	removed = 0;
	r = quick_undo(&quick);
	ck_assert(r >= 0 || err.text[0]);
	snprintf(path, sizeof(path), "%s/wg0.json", directory);
	*ret_journal = unlink(path) == 0;
	rmdir(directory);
	quick_journal_clear(&quick.journal);
	return r;
}

START_TEST(our_link_goes)
{
	bool journal;

	look = 0;
	found = OURS;
	ck_assert_int_eq(undo(&journal), 0);
	ck_assert_int_eq(removed, 1);
	ck_assert(!journal);
}
END_TEST

START_TEST(anothers_link_stays)
{
	bool journal;

	look = 0;
	found = ANOTHER;
	ck_assert_int_eq(undo(&journal), 0);
	ck_assert_int_eq(removed, 0);
	ck_assert(!journal);
}
END_TEST

START_TEST(a_link_that_is_gone_is_undone)
{
	bool journal;

	look = -ENODEV;
	ck_assert_int_eq(undo(&journal), 0);
	ck_assert(!journal);
}
END_TEST

START_TEST(a_look_that_fails_takes_nothing_away)
{
	bool journal;

	look = -ETIMEDOUT;
	ck_assert_int_eq(undo(&journal), -ETIMEDOUT);
	ck_assert_int_eq(removed, 0);
	ck_assert(journal);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quick undo");
	TCase *test = tcase_create("link");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(test, our_link_goes);
	tcase_add_test(test, anothers_link_stays);
	tcase_add_test(test, a_link_that_is_gone_is_undone);
	tcase_add_test(test, a_look_that_fails_takes_nothing_away);
	suite_add_tcase(suite, test);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
