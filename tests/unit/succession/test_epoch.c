/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/succession/heir.h"

/* Under which epoch, and that it is on disk before. */
static struct heir heir;

static void succeed(void)
{
	heir.controller = heir.tls = false;
	heir_bury(&heir);
	heir_pass(&heir, 600);
}

static void expect(uint32_t minor)
{
	ck_assert_uint_eq(heir.taken, 1);
	ck_assert_uint_eq(heir.last.epoch.term, 7);
	ck_assert_uint_eq(heir.last.epoch.n, OWNER_EPOCH_N);
	ck_assert_uint_eq(heir.last.epoch.minor, minor);
}

START_TEST(test_first_succession)
{
	heir_init(&heir);
	succeed();
	expect(RANK_B);
}
END_TEST

/* Above all seen, and of this rank: 17 after 1 to 16, 33 after 17. */
START_TEST(test_next_minor_of_this_rank)
{
	static const struct {
		uint32_t highest, next;
	} cases[] = {{1, 17}, {2, 17}, {16, 17}, {17, 33}, {UINT32_MAX - 20, UINT32_MAX - 14}};

	heir_init(&heir);
	heir.view.highest.minor = cases[_i].highest;
	succeed();
	expect(cases[_i].next);
}
END_TEST

START_TEST(test_none_is_left)
{
	heir_init(&heir);
	heir.view.highest.minor = UINT32_MAX - 14;
	succeed();
	ck_assert_uint_eq(heir.taken + heir.persisted, 0);
}
END_TEST

/* What was claimed in an earlier life may have been served, and forgotten: never again. */
START_TEST(test_above_the_claim_of_an_earlier_life)
{
	heir_init_claimed(&heir, (struct epoch){7, OWNER_EPOCH_N, 17});
	succeed();
	expect(33);
}
END_TEST

START_TEST(test_a_claim_of_a_former_term_does_not_matter)
{
	heir_init_claimed(&heir, (struct epoch){6, 900, 17});
	succeed();
	expect(RANK_B);
}
END_TEST

START_TEST(test_never_before_it_is_on_disk)
{
	heir_init(&heir);
	heir.disk = false;
	succeed();
	heir_pass(&heir, SUCCESSION_AGAIN_MS);
	ck_assert_uint_eq(heir.taken, 0);
	ck_assert_uint_ge(heir.persisted, 2);
	heir.disk = true;
	heir_pass(&heir, SUCCESSION_AGAIN_MS);
	expect(RANK_B);
}
END_TEST

/* The disk is slow, and a higher epoch is heard of meanwhile. */
START_TEST(test_a_claim_that_was_overtaken_is_made_anew)
{
	heir_init(&heir);
	heir.disk = false;
	succeed();
	ck_assert_uint_ge(heir.persisted, 1);
	heir.view.highest.minor = 2;
	heir.disk = true;
	heir_step(&heir, (struct succession_event){
				 .kind = SUCCESSION_EVENT_PERSISTED, .epoch = {7, OWNER_EPOCH_N, 1}});
	expect(17);
}
END_TEST

/* gw-b moves to the place that was gw-a's: what it claimed as the second may be another's now. */
static void become_first(void)
{
	struct succession_config config = heir.succession.config;

	memcpy(config.members[0], "gw-b", sizeof("gw-b"));
	memcpy(config.members[1], "gw-a", sizeof("gw-a"));
	succession_configure(&heir.succession, &config);
}

START_TEST(test_a_claim_of_another_rank_goes)
{
	heir_init(&heir);
	heir.tls = true; /* a controller lives: the claim is made, and not used */
	heir.controller = false;
	heir_bury(&heir);
	heir_pass(&heir, 600);
	ck_assert_uint_eq(heir.persisted, 1);
	become_first();
	heir.tls = false;
	heir_pass(&heir, 600);
	expect(16);
}
END_TEST

START_TEST(test_a_claim_of_another_rank_that_arrives_late_is_none)
{
	heir_init(&heir);
	heir.disk = false;
	succeed();
	become_first();
	heir.disk = true;
	heir_step(&heir, (struct succession_event){
				 .kind = SUCCESSION_EVENT_PERSISTED, .epoch = {7, OWNER_EPOCH_N, RANK_B}});
	heir_pass(&heir, 600);
	expect(16);
}
END_TEST

START_TEST(test_nobody_has_ever_owned_it)
{
	heir_init(&heir);
	heir.view.highest = (struct epoch){0};
	succeed();
	ck_assert_uint_eq(heir.taken + heir.persisted, 0);
}
END_TEST

static Suite *epoch_suite(void)
{
	Suite *suite = suite_create("succession-epoch");
	TCase *tcase = tcase_create("epoch");

	tcase_add_test(tcase, test_first_succession);
	tcase_add_loop_test(tcase, test_next_minor_of_this_rank, 0, 5);
	tcase_add_test(tcase, test_none_is_left);
	tcase_add_test(tcase, test_above_the_claim_of_an_earlier_life);
	tcase_add_test(tcase, test_a_claim_of_a_former_term_does_not_matter);
	tcase_add_test(tcase, test_never_before_it_is_on_disk);
	tcase_add_test(tcase, test_a_claim_that_was_overtaken_is_made_anew);
	tcase_add_test(tcase, test_a_claim_of_another_rank_goes);
	tcase_add_test(tcase, test_a_claim_of_another_rank_that_arrives_late_is_none);
	tcase_add_test(tcase, test_nobody_has_ever_owned_it);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(epoch_suite());

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
