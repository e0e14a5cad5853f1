/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a command waits for an apply, under a virtual clock. Less than a second. */
#include <check.h>
#include <stdlib.h>

#include "cli/vigil.h"

enum { BEGIN_MS = 1000000, LOOK_MS = 500, SIZE = 100 };

static struct vigil vigil;

static void setup(void)
{
	vigil_begin(&vigil, BEGIN_MS);
}

static void all_is_sent(int64_t now_ms)
{
	vigil_sent(&vigil, SIZE, SIZE, now_ms);
}

START_TEST(without_a_sign_it_lasts_a_minute)
{
	all_is_sent(BEGIN_MS);
	for (int64_t now_ms = BEGIN_MS; now_ms < BEGIN_MS + VIGIL_MS; now_ms += LOOK_MS) {
		vigil_look(&vigil, 0, now_ms);
		ck_assert(!vigil_is_over(&vigil, now_ms));
	}
	ck_assert(!vigil_is_over(&vigil, BEGIN_MS + VIGIL_MS - 1));
	ck_assert(vigil_is_over(&vigil, BEGIN_MS + VIGIL_MS));
}
END_TEST

START_TEST(it_lasts_as_long_as_the_apply)
{
	int64_t now_ms = BEGIN_MS, end_ms = BEGIN_MS + 100 * (int64_t)VIGIL_MS;

	all_is_sent(BEGIN_MS);
	for (; now_ms < end_ms; now_ms += LOOK_MS) {
		vigil_look(&vigil, 7, now_ms);
		ck_assert(!vigil_is_over(&vigil, now_ms));
	}
	/* it is under way no more, or nobody can tell: the answer may be on its way */
	vigil_look(&vigil, 0, now_ms);
	ck_assert(!vigil_is_over(&vigil, now_ms - LOOK_MS + VIGIL_MS - 1));
	ck_assert(vigil_is_over(&vigil, now_ms - LOOK_MS + VIGIL_MS));
}
END_TEST

START_TEST(looks_that_fail_for_a_while_are_forgiven)
{
	all_is_sent(BEGIN_MS);
	vigil_look(&vigil, 0, BEGIN_MS + VIGIL_MS - 1);
	vigil_look(&vigil, 7, BEGIN_MS + VIGIL_MS - 1);
	ck_assert(!vigil_is_over(&vigil, BEGIN_MS + 2 * VIGIL_MS - 2));
	ck_assert(vigil_is_over(&vigil, BEGIN_MS + 2 * VIGIL_MS - 1));
}
END_TEST

/* A byte a look, for as long as that takes; then a minute from the last. */
START_TEST(it_lasts_as_long_as_the_request_leaves)
{
	int64_t now_ms = BEGIN_MS;

	for (uint64_t sent = 1; sent < SIZE; sent++) {
		now_ms += VIGIL_MS - 1;
		ck_assert(!vigil_is_over(&vigil, now_ms));
		vigil_sent(&vigil, sent, SIZE, now_ms);
	}
	vigil_sent(&vigil, SIZE - 1, SIZE, now_ms + VIGIL_MS);
	ck_assert(!vigil_is_over(&vigil, now_ms + VIGIL_MS - 1));
	ck_assert(vigil_is_over(&vigil, now_ms + VIGIL_MS));
}
END_TEST

START_TEST(another_s_apply_is_no_sign)
{
	vigil_sent(&vigil, 1, SIZE, BEGIN_MS);
	vigil_look(&vigil, 7, BEGIN_MS + VIGIL_MS - 1); /* ours has not arrived yet */
	ck_assert(vigil_is_over(&vigil, BEGIN_MS + VIGIL_MS));
	all_is_sent(BEGIN_MS + VIGIL_MS);
	vigil_look(&vigil, 8, BEGIN_MS + VIGIL_MS);
	vigil_look(&vigil, 9, BEGIN_MS + 2 * VIGIL_MS - 1); /* ours has ended, and the answer is lost */
	ck_assert(!vigil_is_over(&vigil, BEGIN_MS + 2 * VIGIL_MS - 1));
	ck_assert(vigil_is_over(&vigil, BEGIN_MS + 2 * VIGIL_MS));
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
	tcase_add_test(all, it_lasts_as_long_as_the_request_leaves);
	tcase_add_test(all, another_s_apply_is_no_sign);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
