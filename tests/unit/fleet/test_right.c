/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/plan_view.h"
#include "tests/unit/fleet/sample.h"

/*
 * right/NAME.yaml is a fleet file, NAME.GATEWAY.json what it becomes there, NAME.plan what `holdfast plan --all` says of it
 * where there is none yet, NAME.expected its warnings, if any. FLEET_WRITE_PLANS=1 writes the plans anew, and fails.
 */
enum { NOW_S = 1800000000 }; /* January 2027 */

/* path with its ".yaml" replaced. */
static void beside(const char *path, const char *end, char *buffer, size_t size)
{
	(void)snprintf(buffer, size, "%.*s%s", (int)(strlen(path) - strlen(".yaml")), path, end);
}

static void check_warnings(const char *path, const char *found)
{
	char expected_path[256], *expected;

	beside(path, ".expected", expected_path, sizeof(expected_path));
	expected = sample_text(expected_path);
	ck_assert_msg(!strcmp(found, expected ? expected : ""), "%s:\n%s", path, found);
	free(expected);
}

static void check_gateway(const char *path, const struct fleet *fleet, const char *gateway)
{
	struct desired *desired = sample_compile(fleet, gateway);
	char expected_path[256], end[80], *expected, *found = desired_encode(desired);
	json_t *before, *after = json_loads(found, 0, NULL);

	(void)snprintf(end, sizeof(end), ".%s.json", gateway);
	beside(path, end, expected_path, sizeof(expected_path));
	expected = sample_text(expected_path);
	ck_assert_msg(expected != NULL, "%s is missing", expected_path);
	before = json_loads(expected, 0, NULL);
	ck_assert_msg(json_equal(before, after), "%s is not\n%s", expected_path, found);
	json_decref(before);
	json_decref(after);
	desired_free(desired);
	free(expected);
	free(found);
}

/* What a controller sends, an agent takes. */
static void check_travels(const struct fleet *fleet, const char *gateway)
{
	struct desired *desired = sample_compile(fleet, gateway), *back = NULL;
	char *text = desired_encode(desired);
	struct err err = {0};

	ck_assert_msg(!desired_decode(text, strlen(text), &back, &err), "%s", err.text);
	desired_free(desired);
	desired_free(back);
	free(text);
}

/* The caller frees. */
static char *plan_text(const struct fleet *fleet)
{
	struct fleet_plan plan;
	const struct plan_view view = {.plan = &plan, .peers_max = SIZE_MAX};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	fleet_plan_make(NULL, fleet, NOW_S, SIZE_MAX, &plan);
	plan_view_print(&view, out);
	fleet_plan_clear(&plan);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static void write_plan(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void check_plan(const char *path, const struct fleet *fleet)
{
	char plan_path[256], *expected, *found = plan_text(fleet);

	beside(path, ".plan", plan_path, sizeof(plan_path));
	if (getenv("FLEET_WRITE_PLANS"))
		write_plan(plan_path, found);
	expected = sample_text(plan_path);
	ck_assert_msg(expected != NULL, "%s is missing", plan_path);
	ck_assert_msg(!strcmp(expected, found), "%s is not\n%s", plan_path, found);
	free(expected);
	free(found);
}

static void check_file(const char *path)
{
	char *text = sample_text(path), *found;
	struct fleet *fleet;

	found = sample_read_text(strrchr(path, '/') + 1, text, &fleet);
	check_warnings(path, found);
	ck_assert_ptr_nonnull(fleet);
	for (size_t i = 0; i < fleet->gateway_count; i++) {
		check_gateway(path, fleet, fleet->gateways[i].name);
		check_travels(fleet, fleet->gateways[i].name);
	}
	check_plan(path, fleet);
	fleet_free(fleet);
	free(text);
	free(found);
}

START_TEST(each_fleet_becomes_what_is_expected)
{
	struct sample_files files = sample_list("right");

	ck_assert_uint_ge(files.count, 20);
	for (size_t i = 0; i < files.count; i++)
		check_file(files.paths[i]);
	sample_files_clear(&files);
	ck_assert_msg(
		!getenv("FLEET_WRITE_PLANS"), "the plans are written: see git diff, and run it without");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("right fleets");
	TCase *tcase = tcase_create("right fleets");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, each_fleet_becomes_what_is_expected);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
