/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/io/fleet/bundle.h"

static int decode(const char *text, struct bundle *bundle, struct err *err)
{
	return bundle_decode(text, strlen(text), bundle, err);
}

START_TEST(files_come_back_as_they_went)
{
	struct bundle bundle = {0}, back = {0};
	ck_assert_int_eq(bundle_add(&bundle, "fleet.yaml", "fleet: \"edge\"\n", 14, NULL), 0);
	ck_assert_int_eq(bundle_add(&bundle, "peers.d/a.yaml", "", 0, NULL), 0);
	char *text = bundle_encode(&bundle);
	ck_assert_int_eq(decode(text, &back, NULL), 0);
	ck_assert_uint_eq(back.count, 2);
	ck_assert_str_eq(back.files[0].name, "fleet.yaml");
	ck_assert_str_eq(back.files[0].text, "fleet: \"edge\"\n");
	ck_assert_uint_eq(back.files[0].size, 14);
	ck_assert_str_eq(back.files[1].name, "peers.d/a.yaml");
	char *again = bundle_encode(&back);
	ck_assert_str_eq(text, again);
	free(text);
	free(again);
	bundle_clear(&bundle);
	bundle_clear(&back);
}
END_TEST

START_TEST(other_shapes_are_refused)
{
	static const char *const wrong[] = {"", "{", "[]", "{}", "{\"files\":[]}", "{\"files\":{}}",
		"{\"files\":[{\"name\":\"a\"}]}", "{\"files\":[{\"name\":\"\",\"text\":\"\"}]}",
		"{\"files\":[{\"name\":\"a\",\"text\":1}]}",
		"{\"files\":[{\"name\":\"a\",\"text\":\"\\u0000\"}]}"};
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		struct bundle bundle = {0};
		struct err err = {0};
		ck_assert_msg(decode(wrong[i], &bundle, &err) < 0, "%s", wrong[i]);
		ck_assert_msg(err.text[0] != 0, "%s", wrong[i]);
		ck_assert_ptr_null(bundle.files);
	}
}
END_TEST

START_TEST(the_number_of_files_is_limited)
{
	struct bundle bundle = {0};
	struct err err = {0};
	for (int i = 0; i < BUNDLE_FILES_MAX; i++)
		ck_assert_int_eq(bundle_add(&bundle, "a", "b", 1, NULL), 0);
	ck_assert_int_eq(bundle_add(&bundle, "a", "b", 1, &err), -E2BIG);
	ck_assert_uint_eq(bundle.count, BUNDLE_FILES_MAX);
	bundle_clear(&bundle);
}
END_TEST

START_TEST(their_size_is_limited)
{
	struct bundle bundle = {0};
	char *text = mem_new(BUNDLE_BYTES_MAX, 1);
	ck_assert_int_eq(bundle_add(&bundle, "a", text, BUNDLE_BYTES_MAX - 1, NULL), 0);
	ck_assert_int_eq(bundle_add(&bundle, "b", text, 2, NULL), -E2BIG);
	ck_assert_int_eq(bundle_add(&bundle, "b", text, 1, NULL), 0);
	ck_assert_uint_eq(bundle.bytes, BUNDLE_BYTES_MAX);
	free(text);
	bundle_clear(&bundle);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bundle");
	TCase *tests = tcase_create("bundle");
	tcase_add_test(tests, files_come_back_as_they_went);
	tcase_add_test(tests, other_shapes_are_refused);
	tcase_add_test(tests, the_number_of_files_is_limited);
	tcase_add_test(tests, their_size_is_limited);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
