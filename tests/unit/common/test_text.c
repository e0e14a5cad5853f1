/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

START_TEST(text_grows)
{
	struct text text = {0};
	char *taken;

	for (int i = 0; i < 1000; i++)
		text_add(&text, "%d,", i % 10);
	ck_assert_uint_eq(text.length, 2000);
	ck_assert_uint_eq(strlen(text.data), 2000);
	text_add_bytes(&text, "\0x", 2);
	ck_assert_uint_eq(text.length, 2002);
	taken = text_take(&text);
	ck_assert_ptr_null(text.data);
	free(taken);
	taken = text_take(&text);
	ck_assert_str_eq(taken, "");
	free(taken);
	text_add_bytes(&text, NULL, 0);
	ck_assert_str_eq(text.data, "");
	text_clear(&text);
}
END_TEST

START_TEST(copies_say_when_they_cut)
{
	char buffer[4];

	ck_assert(text_copy(buffer, sizeof buffer, "abc"));
	ck_assert_str_eq(buffer, "abc");
	ck_assert(!text_copy(buffer, sizeof buffer, "abcd"));
	ck_assert_str_eq(buffer, "abc");
	ck_assert(!text_copy(buffer, 0, "a"));
}
END_TEST

START_TEST(the_nearest_word_is_offered)
{
	static const char *const known[] = {"listen_port", "mtu", "address", "private_key_file"};
	static const struct {
		const char *word, *nearest;
	} cases[] = {{"listen_prot", "listen_port"}, {"listenport", "listen_port"}, {"mut", "mtu"},
		{"adress", "address"}, {"mtux", "mtu"}, {"xyz", NULL}, {"", NULL}, {"private_key", NULL},
		{"privat_key_fil", "private_key_file"}};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const char *found = text_nearest(cases[i].word, known, ARRAY_COUNT(known));

		ck_assert_msg(found == cases[i].nearest ||
				      (found && cases[i].nearest && !strcmp(found, cases[i].nearest)),
			"%s: %s", cases[i].word, found ? found : "(none)");
	}
	ck_assert_ptr_null(text_nearest(
		"a_word_that_is_longer_than_any_key_could_be_and_so_has_no_neighbours", known, 4));
}
END_TEST

START_TEST(numbers_have_limits)
{
	uint64_t value = 7;

	ck_assert_int_eq(text_to_u64("18446744073709551615", 0, UINT64_MAX, &value), 0);
	ck_assert_uint_eq(value, UINT64_MAX);
	ck_assert_int_eq(text_to_u64("18446744073709551616", 0, UINT64_MAX, &value), -ERANGE);
	ck_assert_int_eq(text_to_u64("1", 1, 2, &value), 0);
	ck_assert_int_eq(text_to_u64("2", 1, 2, &value), 0);
	ck_assert_int_eq(text_to_u64("0", 1, 2, &value), -ERANGE);
	ck_assert_int_eq(text_to_u64("3", 1, 2, &value), -ERANGE);
	ck_assert_uint_eq(value, 2);
	ck_assert_int_eq(text_to_u64("", 0, 9, &value), -EINVAL);
	ck_assert_int_eq(text_to_u64("-1", 0, 9, &value), -EINVAL);
	ck_assert_int_eq(text_to_u64("1 ", 0, 9, &value), -EINVAL);
	ck_assert_int_eq(text_to_u64("0x1", 0, 9, &value), -EINVAL);
}
END_TEST

START_TEST(names_are_plain)
{
	ck_assert(text_is_name("gw-a", 63));
	ck_assert(text_is_name("0_.-", 4));
	ck_assert(!text_is_name("gw-ab", 4));
	ck_assert(!text_is_name("", 4));
	ck_assert(!text_is_name("-a", 4));
	ck_assert(!text_is_name("a b", 4));
	ck_assert(!text_is_name("a/b", 4));
	ck_assert(!text_is_name("\xc3\xa4", 4));
}
END_TEST

START_TEST(nothing_moves_the_cursor)
{
	char text[] = "a\033[2J\n\x7f\xc2\x9b"
		      "b\xc2\xa0\xc3\x9c\xc2";

	ck_assert_str_eq(text_for_terminal(text), "a?[2J????b\xc2\xa0\xc3\x9c\xc2");
	text[0] = '\0';
	ck_assert_str_eq(text_for_terminal(text), "");
}
END_TEST

START_TEST(arrays_grow_zeroed)
{
	size_t capacity = 0;
	int *array = mem_grow(NULL, &capacity, 1, sizeof *array);

	array[0] = 1;
	array = mem_grow(array, &capacity, 1000, sizeof *array);
	ck_assert_uint_ge(capacity, 1000);
	ck_assert_int_eq(array[0], 1);
	for (size_t i = 1; i < capacity; i++)
		ck_assert_int_eq(array[i], 0);
	free(array);
	ck_assert_ptr_null(mem_text(NULL));
	ck_assert_ptr_null(mem_copy(NULL, 3));
	mem_wipe(NULL, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, text_grows);
	tcase_add_test(tcase, copies_say_when_they_cut);
	tcase_add_test(tcase, the_nearest_word_is_offered);
	tcase_add_test(tcase, numbers_have_limits);
	tcase_add_test(tcase, names_are_plain);
	tcase_add_test(tcase, nothing_moves_the_cursor);
	tcase_add_test(tcase, arrays_grow_zeroed);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
