/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a command waits for an apply, under a virtual clock. Less than a second. */
#include <check.h>
#include <stdlib.h>

#include "cli/vigil.h"

enum { BEGIN_MS = 1000000, LOOK_MS = 500 };

static struct vigil vigil;

static void setup(void)
{
	vigil_begin(&vigil, BEGIN_MS);
}

START_TEST(without_a_sign_it_lasts_a_minute)
{
	for (int64_t now_ms = BEGIN_MS; now_ms < BEGIN_MS + VIGIL_MS; now_ms += LOOK_MS) {
		vigil_look(&vigil, false, now_ms);
		ck_assert(!vigil_is_over(&vigil, now_ms));
	}
	ck_assert(!vigil_is_over(&vigil, BEGIN_MS + VIGIL_MS - 1));
	ck_assert(vigil_is_over(&vigil, BEGIN_MS + VIGIL_MS));
}
END_TEST

START_TEST(it_lasts_as_long_as_the_apply)
{
	int64_t now_ms = BEGIN_MS, end_ms = BEGIN_MS + 100 * (int64_t)VIGIL_MS;

	for (; now_ms < end_ms; now_ms += LOOK_MS) {
		vigil_look(&vigil, true, now_ms);
		ck_assert(!vigil_is_over(&vigil, now_ms));
	}
	/* it is under way no more, or nobody can tell: the answer may be on its way */
	vigil_look(&vigil, false, now_ms);
	ck_assert(!vigil_is_over(&vigil, now_ms - LOOK_MS + VIGIL_MS - 1));
	ck_assert(vigil_is_over(&vigil, now_ms - LOOK_MS + VIGIL_MS));
}
END_TEST

START_TEST(looks_that_fail_for_a_while_are_forgiven)
{
	vigil_look(&vigil, false, BEGIN_MS + VIGIL_MS - 1);
	vigil_look(&vigil, true, BEGIN_MS + VIGIL_MS - 1);
	ck_assert(!vigil_is_over(&vigil, BEGIN_MS + 2 * VIGIL_MS - 2));
	ck_assert(vigil_is_over(&vigil, BEGIN_MS + 2 * VIGIL_MS - 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vigil");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, without_a_sign_it_lasts_a_minute);
	tcase_add_test(all, it_lasts_as_long_as_the_apply);
	tcase_add_test(all, looks_that_fail_for_a_while_are_forgiven);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
