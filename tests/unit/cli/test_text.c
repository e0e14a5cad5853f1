/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables and spans of time, as people read them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/printable.h"
#include "cli/screen.h"
#include "cli/size.h"
#include "cli/span.h"
#include "cli/table.h"

START_TEST(spans_have_two_units_where_the_first_is_small)
{
	static const struct sample {
		int64_t ms;
		const char *text;
	} samples[] = {
		{0, "0 ms"},
		{999, "999 ms"},
		{1000, "1 s"},
		{59999, "59 s"},
		{80000, "1 min 20 s"},
		{600000, "10 min"},
		{3600000, "1 h"},
		{9 * 3600000 + 120000, "9 h 2 min"},
		{400LL * 86400000, "400 d"},
	};
	char buffer[SPAN_TEXT_MAX];

	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		ck_assert_str_eq(span_format(samples[i].ms, buffer), samples[i].text);
}
END_TEST

START_TEST(nothing_is_padded_before_the_end_of_a_line)
{
	static const char *const cells[] = {"A", "LONG", "LAST", "wide cell", "7", "", "x", "", ""};
	struct table table;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	table_init(&table, 3);
	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++)
		table_add(&table, "%s", cells[i]);
	table_print(&table, out);
	fclose(out);
	ck_assert_str_eq(text, "A          LONG  LAST\n"
			       "wide cell  7\n"
			       "x\n");
	table_clear(&table);
	free(text);
}
END_TEST

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
	struct table table;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	table_init(&table, 3);
	table_add(&table, "A");
	table_add(&table, "LONG");
	table_add(&table, "LAST");
	table_add(&table, "%s", "wide cell");
	table_add(&table, "%d", 7);
	table_add(&table, "end");
	table_print(&table, out);
	fclose(out);
	ck_assert_str_eq(text, "A          LONG  LAST\n"
			       "wide cell  7     end\n");
	table_clear(&table);
	free(text);
}
END_TEST

START_TEST(a_cell_is_no_terminal_command)
{
	struct table table;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	table_init(&table, 1);
	table_add(&table, "move %s", "\033]0;x\a\n");
	table_print(&table, out);
	fclose(out);
	ck_assert_str_eq(text, "move ?]0;x??\n");
	table_clear(&table);
	free(text);
}
END_TEST

START_TEST(sizes_read_as_wg_shows_them)
{
	char buffer[SIZE_TEXT_MAX];

	ck_assert_str_eq(size_format(0, buffer), "0 B");
	ck_assert_str_eq(size_format(1023, buffer), "1023 B");
	ck_assert_str_eq(size_format(1024, buffer), "1.00 KiB");
	ck_assert_str_eq(size_format(1536 * 1024, buffer), "1.50 MiB");
	ck_assert_str_eq(size_format(UINT64_MAX, buffer), "16777216.00 TiB");
}
END_TEST

START_TEST(a_screen_shows_what_fits)
{
	char *fitted = screen_fit("abcdef\nÜbung\n\nlast\n", 3, 4);

	ck_assert_str_eq(fitted, "abcd\033[K\nÜbun\033[K\n\033[K");
	free(fitted);
	fitted = screen_fit("abcd\n", 3, 4);
	ck_assert_str_eq(fitted, "abcd\033[K");
	free(fitted);
	fitted = screen_fit("", 3, 4);
	ck_assert_str_eq(fitted, "");
	free(fitted);
}
END_TEST

START_TEST(nothing_that_a_terminal_obeys_is_left_in_an_answer)
{
	json_t *json = json_pack("{s:[s,{s:s}],s:s,s:i}", "reasons", "\033[2Jgone\007", "why",
		"a\x7f\xc2\x9b"
		"b",
		"text", "a\tb\r\nc: \xc3\xbc\xc2\xa0\xe2\x82\xac", "generation", 7);
	const json_t *reasons = json_object_get(json, "reasons");

	ck_assert_ptr_nonnull(json);
	printable_make(json);
	printable_make(NULL);
	ck_assert_str_eq(json_string_value(json_array_get(reasons, 0)), "?[2Jgone?");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(reasons, 1), "why")), "a??b");
	ck_assert_str_eq(
		json_string_value(json_object_get(json, "text")), "a\tb\r\nc: \xc3\xbc\xc2\xa0\xe2\x82\xac");
	json_decref(json);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli/text");
	TCase *test = tcase_create("text");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_add_test(test, spans_have_two_units_where_the_first_is_small);
	tcase_add_test(test, nothing_is_padded_before_the_end_of_a_line);
	tcase_add_test(test, columns_are_as_wide_as_their_widest_cell);
	tcase_add_test(test, a_cell_is_no_terminal_command);
	tcase_add_test(test, sizes_read_as_wg_shows_them);
	tcase_add_test(test, a_screen_shows_what_fits);
	tcase_add_test(test, nothing_that_a_terminal_obeys_is_left_in_an_answer);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
