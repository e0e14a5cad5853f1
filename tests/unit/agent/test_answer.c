/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "common/io/signature.h"
#include "node-agent/io/answer/answer.h"

enum { NOW_US = 5000000, LEASE_MS = 1000 };

static struct key seed;
static struct asker asker;
static struct grant grant;

static void sign(uint64_t store)
{
	uint8_t text[GRANT_TEXT_MAX];
	int size = grant_text(store, &grant.claim, text);

	ck_assert_int_gt(size, 0);
	signature_make(&seed, text, (size_t)size, grant.signature);
}

static void setup(void)
{
	seed = (struct key){.bytes = {1, 2, 3}};
	asker = (struct asker){.boot = 7, .terms = 8, .lease_ms = LEASE_MS, .store = 42};
	signature_public_key(&seed, &asker.grant_key);
	grant = (struct grant){.claim = {.endpoint = "vpn",
				       .gateway = "gw-a",
				       .epoch = {.term = 1, .n = 2},
				       .serves = true,
				       .terms = 8,
				       .nonce = {.boot = 7, .time_us = NOW_US - 1000}}};
	sign(42);
}

static enum answer_fault check(void)
{
	return answer_check_grant(&asker, &grant, NOW_US);
}

START_TEST(test_our_controllers_grant_is_taken)
{
	ck_assert_int_eq(check(), ANSWER_GOOD);
	ck_assert_int_eq(answer_check_promise(&asker, &grant.claim, NOW_US), ANSWER_GOOD);
}
END_TEST

START_TEST(test_one_that_was_changed_is_forged)
{
	grant.claim.epoch.n++;
	ck_assert_int_eq(check(), ANSWER_FORGED);
	grant.claim.epoch.n--;
	grant.signature[0] ^= 1;
	ck_assert_int_eq(check(), ANSWER_FORGED);
}
END_TEST

START_TEST(test_another_stores_is_forged)
{
	sign(43); /* a copy of the database that was given another id */
	ck_assert_int_eq(check(), ANSWER_FORGED);
	seed.bytes[0]++;
	sign(42);
	ck_assert_int_eq(check(), ANSWER_FORGED);
}
END_TEST

START_TEST(test_a_gateway_without_a_key_takes_none)
{
	asker.grant_key = (struct key){0};
	ck_assert_int_eq(check(), ANSWER_FORGED);
}
END_TEST

START_TEST(test_one_of_another_life_is_stale)
{
	grant.claim.nonce.boot++;
	sign(42);
	ck_assert_int_eq(check(), ANSWER_STALE);
}
END_TEST

START_TEST(test_one_is_good_for_less_than_a_lease)
{
	grant.claim.nonce.time_us = NOW_US - LEASE_MS * 1000 + 1;
	sign(42);
	ck_assert_int_eq(check(), ANSWER_GOOD);
	grant.claim.nonce.time_us--;
	sign(42);
	ck_assert_int_eq(check(), ANSWER_STALE);
	grant.claim.nonce.time_us = NOW_US + 1; /* nobody has asked that yet */
	sign(42);
	ck_assert_int_eq(check(), ANSWER_STALE);
}
END_TEST

START_TEST(test_one_on_other_terms_counts_for_nothing)
{
	grant.claim.terms++;
	sign(42);
	ck_assert_int_eq(check(), ANSWER_OTHER_TERMS);
	ck_assert_int_eq(answer_check_promise(&asker, &grant.claim, NOW_US), ANSWER_OTHER_TERMS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("answer");
	TCase *tcase = tcase_create("answer");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_our_controllers_grant_is_taken);
	tcase_add_test(tcase, test_one_that_was_changed_is_forged);
	tcase_add_test(tcase, test_another_stores_is_forged);
	tcase_add_test(tcase, test_a_gateway_without_a_key_takes_none);
	tcase_add_test(tcase, test_one_of_another_life_is_stale);
	tcase_add_test(tcase, test_one_is_good_for_less_than_a_lease);
	tcase_add_test(tcase, test_one_on_other_terms_counts_for_nothing);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
