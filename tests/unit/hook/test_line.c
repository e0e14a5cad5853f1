/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>

#include "node-agent/core/hook/line.h"

static const struct {
	const char *line, *words; /* words: with a | between; NULL: it needs a shell */
} lines[] = {
	{"/usr/local/bin/up", "/usr/local/bin/up"},
	{"  /usr/local/bin/up\twg0  -x=1 a,b:c@d%e+f ", "/usr/local/bin/up|wg0|-x=1|a,b:c@d%e+f"},
	{"up", NULL},
	{"", NULL},
	{" ", NULL},
	{"PATH=/tmp /usr/bin/up", NULL},
	{"/usr/bin/up; reboot", NULL},
	{"/usr/bin/up & reboot", NULL},
	{"/usr/bin/up | cat", NULL},
	{"/usr/bin/up > /etc/passwd", NULL},
	{"/usr/bin/up < /etc/shadow", NULL},
	{"/usr/bin/up $HOME", NULL},
	{"/usr/bin/up `id`", NULL},
	{"/usr/bin/up $(id)", NULL},
	{"/usr/bin/up *", NULL},
	{"/usr/bin/up ?", NULL},
	{"/usr/bin/up [a]", NULL},
	{"/usr/bin/up {a,b}", NULL},
	{"/usr/bin/up ~", NULL},
	{"/usr/bin/up !1", NULL},
	{"/usr/bin/up # more", NULL},
	{"/usr/bin/up 'a'", NULL},
	{"/usr/bin/up \"a\"", NULL},
	{"/usr/bin/up a\\ b", NULL},
	{"/usr/bin/up\nreboot", NULL},
	{"/usr/bin/up \xc3\xa4", NULL},
	{"(/usr/bin/up)", NULL},
	{"/usr/bin/up ^a", NULL},
};

START_TEST(a_line_is_plain_or_for_a_shell)
{
	struct texts words = {0};
	const char *expected = lines[_i].words;

	ck_assert_msg(hook_line_is_plain(lines[_i].line) == (expected != NULL), "%s", lines[_i].line);
	if (!expected)
		return;
	hook_line_words(lines[_i].line, &words);
	for (size_t i = 0; i < words.count; i++) {
		for (const char *at = words.items[i]; *at; at++)
			ck_assert_int_eq(*at, *expected++);
		ck_assert_int_eq(*expected, i + 1 < words.count ? '|' : '\0');
		expected += *expected == '|';
	}
	ck_assert_uint_gt(words.count, 0);
	texts_clear(&words);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hook lines");
	TCase *tcase = tcase_create("hook lines");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, a_line_is_plain_or_for_a_shell, 0, sizeof(lines) / sizeof(lines[0]));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
