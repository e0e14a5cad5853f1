/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/http_match.h"

#include <check.h>
#include <stddef.h>

static const struct {
	const char *if_match, *etag;
	bool holds;
} cases[] = {
	{"\"1\"", "\"1\"", true},
	{"\"1\"", "\"12\"", false},
	{"\"12\"", "\"1\"", false},
	{"\"2\", \"1\"", "\"1\"", true},
	{",\t\"2\" ,, \"1\" ,", "\"1\"", true},
	{"*", "\"1\"", true},
	{" * ", "\"1\"", true},
	{"*", NULL, false},
	{"\"1\"", NULL, false},
	/* Weak ones never. */
	{"W/\"1\"", "\"1\"", false},
	{"W/\"1\", \"1\"", "\"1\"", true},
	{"w/\"1\"", "\"1\"", false},
	/* A comma in a tag does not end it. */
	{"\"a,\"", "\"a,\"", true},
	{"\"a,\"1\"", "\"1\"", false},
	/* No list of tags. */
	{"", "\"1\"", false},
	{"1", "\"1\"", false},
	{"x\"1\"", "\"1\"", false},
	{"\"1\"x", "\"1\"", false},
	{"\"1\" \"1\"", "\"1\"", false},
	{"\"1", "\"1\"", false},
	{"\"1\", *", "\"1\"", false},
};

START_TEST(tags_are_compared_strongly)
{
	ck_assert_msg(http_if_match_holds(cases[_i].if_match, cases[_i].etag) == cases[_i].holds, "%s",
		cases[_i].if_match);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http-match");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, tags_are_compared_strongly, 0, sizeof cases / sizeof cases[0]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
