/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/succession/heir.h"

/* Does anybody answer for the endpoint's addresses? */
static struct heir heir;

static void setup(void)
{
	heir_init(&heir);
	heir.controller = heir.tls = false;
	heir_pass(&heir, 1000);
}

START_TEST(test_nothing_while_somebody_answers)
{
	heir.address = true;
	heir_bury(&heir);
	heir_pass(&heir, 60000);
	ck_assert_uint_eq(heir.taken, 0);
	ck_assert_uint_ge(heir.probes, 60);
	ck_assert_uint_le(heir.probes, 140); /* every SUCCESSION_ALIVE_MS */
	heir.address = false;
	heir_pass(&heir, SUCCESSION_ALIVE_MS + 200);
	ck_assert_uint_eq(heir.taken, 1);
}
END_TEST

START_TEST(test_the_last_answer_of_all_counts)
{
	heir_bury(&heir);
	while (heir.probes < SUCCESSION_PROBES)
		heir_pass(&heir, 1);
	heir_pass(&heir, SUCCESSION_PROBE_WAIT_MS - 1);
	ck_assert_uint_eq(heir.taken, 0);
	heir_step(&heir, (struct succession_event){.kind = SUCCESSION_EVENT_ANSWERED});
	heir_pass(&heir, SUCCESSION_ALIVE_MS);
	ck_assert_uint_eq(heir.taken, 0);
	heir_pass(&heir, 200);
	ck_assert_uint_eq(heir.taken, 1);
}
END_TEST

START_TEST(test_no_fewer_probes_than_loss_demands)
{
	heir_bury(&heir);
	while (heir.taken == 0)
		heir_pass(&heir, 1);
	ck_assert_uint_eq(heir.probes, SUCCESSION_PROBES);
}
END_TEST

/* What was asked long ago says nothing of now. */
START_TEST(test_an_interruption_begins_anew)
{
	heir_bury(&heir);
	while (heir.probes < SUCCESSION_PROBES)
		heir_pass(&heir, 1);
	heir.view.ready = false;
	heir_pass(&heir, 5000);
	heir.view.ready = true;
	unsigned before = heir.probes;
	while (heir.taken == 0)
		heir_pass(&heir, 1);
	ck_assert_uint_eq(heir.probes - before, SUCCESSION_PROBES);
}
END_TEST

/* While it waits for something else, it goes on asking. */
START_TEST(test_goes_on_while_it_waits)
{
	heir.third_has_one = true;
	heir_bury(&heir);
	heir_pass(&heir, 5000);
	ck_assert_uint_gt(heir.probes, SUCCESSION_PROBES + 30);
	heir.address = true;
	heir_pass(&heir, 2 * SUCCESSION_PROBE_AGAIN_MS);
	heir.third_has_one = false;
	heir_pass(&heir, SUCCESSION_ALIVE_MS - 3 * SUCCESSION_PROBE_AGAIN_MS);
	ck_assert_uint_eq(heir.taken, 0);
}
END_TEST

static Suite *address_suite(void)
{
	Suite *suite = suite_create("succession-address");
	TCase *tcase = tcase_create("address");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_nothing_while_somebody_answers);
	tcase_add_test(tcase, test_the_last_answer_of_all_counts);
	tcase_add_test(tcase, test_no_fewer_probes_than_loss_demands);
	tcase_add_test(tcase, test_an_interruption_begins_anew);
	tcase_add_test(tcase, test_goes_on_while_it_waits);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(address_suite());

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
