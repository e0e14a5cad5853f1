/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/stranger.h"

static int decode(const char *text, struct stranger *ret_stranger)
{
	return stranger_decode(text, strlen(text), ret_stranger, NULL);
}

START_TEST(it_arrives)
{
	struct stranger sent = {.store = 0x0123456789abcdef, .gateway = "gw-a"}, got = {0};
	char *text = stranger_encode(&sent);

	ck_assert_int_eq(decode(text, &got), 0);
	ck_assert(got.store == sent.store);
	ck_assert_str_eq(got.gateway, "gw-a");
	free(text);
}
END_TEST

/* What a proxy, another program or another path of a controller says with 404 takes nothing away. */
START_TEST(no_other_answer_is_one)
{
	static const char *const others[] = {"", "not found", "{}",
		"{\"type\": \"about:blank\", \"title\": \"Not Found\", \"status\": 404, \"detail\": \"x\"}",
		"{\"version\": 1, \"type\": \"about:blank\", \"gateway\": \"gw-a\", \"store\": "
		"\"0123456789abcdef\"}",
		"{\"version\": 1, \"type\": \"" STRANGER_PROBLEM "\", \"gateway\": \"gw-a\"}",
		"{\"version\": 1, \"type\": \"" STRANGER_PROBLEM "\", \"store\": \"0123456789abcdef\"}",
		"{\"version\": 2, \"type\": \"" STRANGER_PROBLEM
		"\", \"gateway\": \"gw-a\", \"store\": \"0123456789abcdef\"}"};
	struct stranger got = {.store = 7};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(decode(others[i], &got) == -EINVAL, "%s", others[i]);
	ck_assert_uint_eq(got.store, 7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stranger");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(all, it_arrives);
	tcase_add_test(all, no_other_answer_is_one);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
