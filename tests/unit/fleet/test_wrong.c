/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fleet/sample.h"

/* wrong/NAME.yaml is a fleet file with mistakes, NAME.expected every line that is said about it. */

static void check_file(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char *text = sample_text(path), *expected_path = strdup(path), *expected, *found;
	struct fleet *fleet;

	expected_path = realloc(expected_path, strlen(path) + 16);
	strcpy(strrchr(expected_path, '.'), ".expected");
	expected = sample_text(expected_path);
	ck_assert_msg(expected != NULL, "%s is missing", expected_path);
	found = sample_read_text(name, text, &fleet);
	ck_assert_ptr_null(fleet);
	ck_assert_msg(!strcmp(found, expected), "%s:\n%s-- expected --\n%s", path, found, expected);
	free(text);
	free(expected_path);
	free(expected);
	free(found);
}

START_TEST(each_mistake_is_told_in_its_place)
{
	struct sample_files files = sample_list("wrong");

	ck_assert_uint_ge(files.count, 60);
	for (size_t i = 0; i < files.count; i++)
		check_file(files.paths[i]);
	sample_files_clear(&files);
}
END_TEST

START_TEST(keys_are_never_shown)
{
	char *text = sample_text("tests/unit/fleet/wrong/bad-keys.yaml"), *found;
	struct fleet *fleet;

	found = sample_read_text("bad-keys.yaml", text, &fleet);
	ck_assert_ptr_nonnull(strstr(text, "X4LDvyoueTRb"));
	ck_assert_ptr_null(strstr(found, "X4LDvyoueTRb"));
	free(text);
	free(found);
}
END_TEST

/* What a gateway is sent it takes. */
static void check_sent(const struct fleet *fleet, const char *path)
{
	for (size_t i = 0; i < fleet->gateway_count; i++) {
		struct desired *desired = sample_compile(fleet, fleet->gateways[i].name), *back = NULL;
		char *text = desired_encode(desired);
		struct err err = {0};
		int r = desired_decode(text, strlen(text), &back, &err);

		ck_assert_msg(!r, "%s, for %s: %s", path, fleet->gateways[i].name, err.text);
		desired_free(desired);
		desired_free(back);
		free(text);
	}
}

/* 1 if it was read. Whatever was refused is told all the same. */
static size_t check_stored(const char *path)
{
	char *text = sample_text(path);
	struct fleet_source source = {.name = "f", .text = text, .size = strlen(text)};
	struct diagnostics strict = {0}, lenient = {0};
	struct fleet *fleet = NULL;
	int r;

	ck_assert_int_lt(fleet_read(&source, 1, &fleet, &strict), 0);
	r = fleet_read_stored(&source, 1, &fleet, &lenient);
	ck_assert(!r == !lenient.errors);
	ck_assert_uint_eq(lenient.errors + lenient.found[WARNING_STORED], strict.errors);
	ck_assert_uint_eq(strict.found[WARNING_STORED], 0);
	if (!r)
		check_sent(fleet, path);
	diagnostics_clear(&strict);
	diagnostics_clear(&lenient);
	fleet_free(fleet);
	free(text);
	return !r;
}

START_TEST(what_only_a_check_refuses_is_a_warning_of_a_stored_one)
{
	struct sample_files files = sample_list("wrong");
	size_t read = 0;

	for (size_t i = 0; i < files.count; i++)
		read += check_stored(files.paths[i]);
	ck_assert_uint_ge(read, 10);
	ck_assert_uint_eq(check_stored("tests/unit/fleet/wrong/probe-of-another.yaml"), 1);
	ck_assert_uint_eq(check_stored("tests/unit/fleet/wrong/unknown-gateway.yaml"), 0);
	sample_files_clear(&files);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wrong fleets");
	TCase *tcase = tcase_create("wrong fleets");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, each_mistake_is_told_in_its_place);
	tcase_add_test(tcase, keys_are_never_shown);
	tcase_add_test(tcase, what_only_a_check_refuses_is_a_warning_of_a_stored_one);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
