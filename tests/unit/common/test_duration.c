/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/duration.h"

static const struct {
	const char *text;
	int64_t ms;
	const char *shortest;
} good[] = {
	{"0ms", 0, "0s"},
	{"0s", 0, "0s"},
	{"50ms", 50, "50ms"},
	{"1.5s", 1500, "1500ms"},
	{"3s", 3000, "3s"},
	{"0.001s", 1, "1ms"},
	{"2m", 120000, "2m"},
	{"90s", 90000, "90s"},
	{"12h", 43200000, "12h"},
	{"24h", 86400000, "1d"},
	{"0.5d", 43200000, "12h"},
	{"365d", INT64_C(31536000000), "365d"},
};

START_TEST(durations_are_read_and_said)
{
	char buffer[32];
	int64_t ms;

	ck_assert_int_eq(duration_parse(good[_i].text, &ms, NULL), 0);
	ck_assert_int_eq(ms, good[_i].ms);
	ck_assert_str_eq(duration_format(ms, buffer, sizeof buffer), good[_i].shortest);
}
END_TEST

START_TEST(a_bare_number_has_no_unit)
{
	int64_t ms = 7;
	struct err err;

	ck_assert_int_eq(duration_parse("50", &ms, &err), -EINVAL);
	ck_assert_str_eq(err.text, "\"50\" has no unit: write 50ms or 50s");
	ck_assert_int_eq(ms, 7);
}
END_TEST

START_TEST(what_is_no_duration_is_refused)
{
	static const char *const texts[] = {"", "s", "-1s", "+1s", " 1s", "1 s", "1s ", "1.s", ".5s",
		"1.5.5s", "1w", "1S", "1.0000000001s", "0.5ms", "1e3ms", "365d1ms"};
	struct err err;
	int64_t ms;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		ck_assert_msg(duration_parse(texts[i], &ms, &err) == -EINVAL, "%s", texts[i]);
	ck_assert_int_lt(duration_parse("366d", &ms, &err), 0);
	ck_assert_int_lt(duration_parse("365.1d", &ms, &err), 0);
	ck_assert_int_lt(duration_parse("31536000001ms", &ms, &err), 0);
	ck_assert_int_lt(duration_parse("99999999999999999999999d", &ms, &err), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("duration");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, durations_are_read_and_said, 0, sizeof good / sizeof good[0]);
	tcase_add_test(tcase, a_bare_number_has_no_unit);
	tcase_add_test(tcase, what_is_no_duration_is_refused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
