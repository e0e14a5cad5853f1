/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/fleet/sample.h"

/* Many diagnostics: what is listed, what is only counted, and that no kind hides another. */

/* Takes the text over; the diagnostics are the caller's. */
static struct diagnostics read_text(char *text)
{
	struct diagnostics diagnostics = {0};
	struct fleet_source source = {.name = "f", .text = text, .size = strlen(text)};
	struct fleet *fleet = NULL;

	(void)fleet_read(&source, 1, &fleet, &diagnostics);
	fleet_free(fleet);
	free(text);
	return diagnostics;
}

static size_t listed(const struct diagnostics *diagnostics, enum diagnostic_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < diagnostics->count; i++)
		count += diagnostics->items[i].kind == kind && !diagnostics->items[i].is_rest;
	return count;
}

/* NULL: all of the kind are listed. */
static const struct diagnostic *rest(const struct diagnostics *diagnostics, enum diagnostic_kind kind)
{
	for (size_t i = 0; i < diagnostics->count; i++)
		if (diagnostics->items[i].kind == kind && diagnostics->items[i].is_rest)
			return &diagnostics->items[i];
	return NULL;
}

/* The rest, as it is printed, is the last of all; expected NULL: there is none. */
static void check_rest(const struct diagnostics *diagnostics, enum diagnostic_kind kind, const char *expected)
{
	const struct diagnostic *found = rest(diagnostics, kind);
	char line[DIAGNOSTIC_TEXT_MAX];

	ck_assert(!found == !expected);
	if (found)
		ck_assert_str_eq(diagnostic_format(found, line, sizeof(line)), expected);
	for (size_t i = 1; i < diagnostics->count; i++)
		ck_assert(!diagnostics->items[i - 1].is_rest || diagnostics->items[i].is_rest);
}

/* The first peer is in line 13. `wrong` without a key, behind `doubtful` of a prefix with host bits. */
static char *with_peers(size_t doubtful, size_t wrong)
{
	char key[KEY_TEXT_MAX];
	struct text text = {0};

	text_add(&text, "%speers:\n", sample_base);
	for (size_t i = 0; i < doubtful; i++)
		text_add(&text, "  p%zu: { public_key: \"%s\", allowed_ips: 10.%zu.%zu.1/24 }\n", i,
			sample_key((unsigned)i, key), i >> 8, i & 255);
	for (size_t i = 0; i < wrong; i++)
		text_add(&text, "  w%zu: {}\n", i);
	return text_take(&text);
}

START_TEST(errors_at_their_limit_are_listed)
{
	size_t max = diagnostics_max(DIAGNOSTIC_ERROR);
	struct diagnostics diagnostics = read_text(with_peers(0, max));

	ck_assert_uint_eq(max, 1000);
	ck_assert_uint_eq(diagnostics.errors, max);
	ck_assert_uint_eq(listed(&diagnostics, DIAGNOSTIC_ERROR), max);
	check_rest(&diagnostics, DIAGNOSTIC_ERROR, NULL);
	diagnostics_clear(&diagnostics);
}
END_TEST

START_TEST(errors_beyond_their_limit_are_counted)
{
	size_t max = diagnostics_max(DIAGNOSTIC_ERROR);
	struct diagnostics diagnostics = read_text(with_peers(0, max + 1));

	ck_assert_uint_eq(listed(&diagnostics, DIAGNOSTIC_ERROR), max);
	check_rest(&diagnostics, DIAGNOSTIC_ERROR, "f:1013:10: errors: 1 more, this one the first");
	diagnostics_clear(&diagnostics);
	diagnostics = read_text(with_peers(0, max + 5));
	ck_assert_uint_eq(diagnostics.errors, max + 5);
	ck_assert_uint_eq(listed(&diagnostics, DIAGNOSTIC_ERROR), max);
	check_rest(&diagnostics, DIAGNOSTIC_ERROR, "f:1013:10: errors: 5 more, this one the first");
	diagnostics_clear(&diagnostics);
}
END_TEST

START_TEST(warnings_at_their_limit_are_listed)
{
	size_t max = diagnostics_max(DIAGNOSTIC_WARNING);
	struct diagnostics diagnostics = read_text(with_peers(max, 0));

	ck_assert_uint_eq(diagnostics.warnings, max);
	ck_assert_uint_eq(listed(&diagnostics, DIAGNOSTIC_WARNING), max);
	check_rest(&diagnostics, DIAGNOSTIC_WARNING, NULL);
	diagnostics_clear(&diagnostics);
}
END_TEST

START_TEST(warnings_beyond_their_limit_are_counted)
{
	size_t max = diagnostics_max(DIAGNOSTIC_WARNING);
	struct diagnostics diagnostics = read_text(with_peers(max + 1, 0));

	ck_assert_uint_eq(diagnostics.warnings, max + 1);
	ck_assert_uint_eq(listed(&diagnostics, DIAGNOSTIC_WARNING), max);
	check_rest(&diagnostics, DIAGNOSTIC_WARNING, "f:1013:85: warnings: 1 more, this one the first");
	diagnostics_clear(&diagnostics);
}
END_TEST

/* The errors come last in the file, and are found last. */
START_TEST(warnings_hide_no_error)
{
	struct diagnostics diagnostics = read_text(with_peers(2 * diagnostics_max(DIAGNOSTIC_WARNING), 3));

	ck_assert_uint_eq(diagnostics.errors, 3);
	ck_assert_uint_eq(listed(&diagnostics, DIAGNOSTIC_ERROR), 3);
	check_rest(&diagnostics, DIAGNOSTIC_ERROR, NULL);
	diagnostics_clear(&diagnostics);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("diagnostics");
	TCase *tcase = tcase_create("diagnostics");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, errors_at_their_limit_are_listed);
	tcase_add_test(tcase, errors_beyond_their_limit_are_counted);
	tcase_add_test(tcase, warnings_at_their_limit_are_listed);
	tcase_add_test(tcase, warnings_beyond_their_limit_are_counted);
	tcase_add_test(tcase, warnings_hide_no_error);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
