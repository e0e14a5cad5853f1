/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <string.h>

#include "common/base/date.h"
#include "common/base/mem.h"

START_TEST(dates_are_read_and_written)
{
	static const struct {
		const char *text, *until;
		int64_t until_s;
	} rows[] = {
		{"1970-01-01", "1970-01-02T00:00:00Z", 86400},
		{"1970-01-01T00:00:01Z", "1970-01-01T00:00:01Z", 1},
		{"2027-03-31", "2027-04-01T00:00:00Z", 1806537600},
		{"2028-02-29", "2028-03-01T00:00:00Z", 1835481600},
		{"2100-02-28", "2100-03-01T00:00:00Z", 4107542400},
		{"2027-03-31T18:00:00Z", "2027-03-31T18:00:00Z", 1806516000},
		{"2027-03-31T18:00Z", "2027-03-31T18:00:00Z", 1806516000},
		{"2027-03-31T20:00:00+02:00", "2027-03-31T18:00:00Z", 1806516000},
		{"2027-03-31T12:30-05:30", "2027-03-31T18:00:00Z", 1806516000},
		{"9999-12-30", "9999-12-31T00:00:00Z", 253402214400},
		{"9999-12-31", "9999-12-31T23:59:59Z", DATE_MAX_S},
		{"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", DATE_MAX_S},
	};
	char text[DATE_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		int64_t until_s = 0;

		ck_assert_msg(date_parse_until(rows[i].text, &until_s, NULL) == 0, "%s", rows[i].text);
		ck_assert_int_eq(until_s, rows[i].until_s);
		ck_assert_str_eq(date_format(until_s, text), rows[i].until);
	}
}
END_TEST

START_TEST(what_is_no_date_is_refused)
{
	static const char *const texts[] = {"", "tomorrow", "2027", "2027-3-31", "2027-02-29", "2100-02-29", "2027-13-01",
		"2027-00-10", "2027-04-31", "1969-12-31", "2027-03-31 18:00:00Z", "2027-03-31T18:00", "2027-03-31T24:00Z",
		"2027-03-31T18:60Z", "2027-03-31T18:00:60Z", "2027-03-31T18:00Zzz", "2027-03-31T18:00+2", "2027-03-31T",
		"2027-03-31T18:00:Z", "31.3.2027", "1970-01-01T00:00:00Z",
		"1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"};

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		int64_t until_s;
		struct err err = {0};

		ck_assert_msg(date_parse_until(texts[i], &until_s, &err) < 0, "%s", texts[i]);
		ck_assert_ptr_nonnull(strstr(err.text, "is not a date such as 2027-03-31"));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("date");
	TCase *tcase = tcase_create("date");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, dates_are_read_and_written);
	tcase_add_test(tcase, what_is_no_date_is_refused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
