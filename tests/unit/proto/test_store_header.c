/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "proto/store_header.h"

START_TEST(a_line_is_read_as_it_was_written)
{
	static const uint64_t stores[] = {1, 0x5d41402abc4b2a76, UINT64_MAX};
	char line[STORE_HEADER_LINE_MAX], *end;

	store_header_line(stores[_i], line);
	ck_assert_int_eq(strncmp(line, STORE_HEADER ": ", sizeof(STORE_HEADER ": ") - 1), 0);
	end = strstr(line, "\r\n");
	ck_assert_ptr_nonnull(end);
	ck_assert_str_eq(end, "\r\n");
	*end = '\0';
	ck_assert(store_header_read(line + sizeof(STORE_HEADER ": ") - 1) == stores[_i]);
}
END_TEST

START_TEST(anything_else_is_none)
{
	static const char *const bad[] = {NULL, "", "5d41402abc4b2a7", "5d41402abc4b2a761",
		"5D41402ABC4B2A76", "0x5d41402abc4b2a", " 5d41402abc4b2a7", "5d41402abc4b2a7 "};

	ck_assert(store_header_read(bad[_i]) == 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proto/store_header");
	TCase *test = tcase_create("store_header");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_add_loop_test(test, a_line_is_read_as_it_was_written, 0, 3);
	tcase_add_loop_test(test, anything_else_is_none, 0, 8);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
