/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "node-agent/core/forwarding/proof.h"

static struct proof proof;
static int64_t now_ms;

static void setup(void)
{
	proof = (struct proof){0};
	now_ms = 1000;
}

/* When it is due. */
static void take(enum proof_result result)
{
	if (proof.next_ms > now_ms)
		now_ms = proof.next_ms;
	proof_take(&proof, result, now_ms);
}

static int64_t wait_ms(void)
{
	return proof.next_ms - now_ms;
}

START_TEST(test_now_and_then)
{
	ck_assert_int_le(proof.next_ms, now_ms);
	take(PROOF_THROUGH);
	ck_assert_int_eq(proof.proven_ms, 1000);
	ck_assert_int_eq(wait_ms(), PROOF_EVERY_MS);
	take(PROOF_THROUGH);
	ck_assert_int_eq(proof.proven_ms, 1000 + PROOF_EVERY_MS);
	ck_assert(!proof_is_broken(&proof));
}
END_TEST

START_TEST(test_several_in_a_row_are_lost)
{
	take(PROOF_THROUGH);
	for (int i = 1; i < PROOF_LOST_MAX; i++) {
		take(PROOF_LOST);
		ck_assert(!proof_is_broken(&proof));
		ck_assert_int_eq(wait_ms(), PROOF_RETRY_MS);
	}
	take(PROOF_LOST);
	ck_assert(proof_is_broken(&proof));
	ck_assert_int_eq(wait_ms(), PROOF_BROKEN_MS);
	take(PROOF_LOST);
	ck_assert(proof_is_broken(&proof));
	take(PROOF_THROUGH);
	ck_assert(!proof_is_broken(&proof));
	ck_assert_int_eq(proof.proven_ms, now_ms);
}
END_TEST

START_TEST(test_one_that_comes_through_begins_anew)
{
	take(PROOF_THROUGH);
	for (int i = 0; i < 10; i++) {
		for (int j = 1; j < PROOF_LOST_MAX; j++)
			take(PROOF_LOST);
		take(PROOF_THROUGH);
		ck_assert(!proof_is_broken(&proof));
	}
}
END_TEST

START_TEST(test_what_never_came_through_is_not_broken)
{
	for (int i = 0; i < 10; i++) {
		take(PROOF_LOST);
		ck_assert(!proof_is_broken(&proof));
		ck_assert_int_eq(wait_ms(), PROOF_EVERY_MS);
	}
	ck_assert_int_eq(proof.proven_ms, 0);
}
END_TEST

START_TEST(test_one_that_was_not_sent_says_nothing)
{
	take(PROOF_UNSENT);
	ck_assert_int_eq(wait_ms(), PROOF_EVERY_MS);
	take(PROOF_THROUGH);
	for (int i = 0; i < PROOF_LOST_MAX; i++)
		take(PROOF_LOST);
	take(PROOF_UNSENT);
	ck_assert(proof_is_broken(&proof));
}
END_TEST

START_TEST(test_without_a_route_it_is_forgotten)
{
	take(PROOF_THROUGH);
	for (int i = 0; i < PROOF_LOST_MAX; i++)
		take(PROOF_LOST);
	take(PROOF_NO_WAY);
	ck_assert(!proof_is_broken(&proof));
	ck_assert_int_eq(proof.proven_ms, 0);
	for (int i = 0; i < PROOF_LOST_MAX; i++)
		take(PROOF_LOST);
	ck_assert(!proof_is_broken(&proof));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proof");
	TCase *tests = tcase_create("proof");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, test_now_and_then);
	tcase_add_test(tests, test_several_in_a_row_are_lost);
	tcase_add_test(tests, test_one_that_comes_through_begins_anew);
	tcase_add_test(tests, test_what_never_came_through_is_not_broken);
	tcase_add_test(tests, test_one_that_was_not_sent_says_nothing);
	tcase_add_test(tests, test_without_a_route_it_is_forgotten);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
