/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "common/cluster/timing.h"

START_TEST(test_default_is_the_protocol_as_computed)
{
	struct timing t = timing_from_interval(TIMING_INTERVAL_DEFAULT_MS);

	ck_assert_uint_eq(t.interval_ms, 50);
	ck_assert_uint_eq(t.suspect_ms, 110);
	ck_assert_uint_eq(t.contact_ms, 160);
	ck_assert_uint_eq(t.probes, 8);
	ck_assert_uint_eq(t.probes_lone, 16);
	ck_assert_uint_eq(t.probe_gap_ms, 4);
	ck_assert_uint_eq(t.wait_ms, 20);
	ck_assert_uint_eq(t.wait_lone_ms, 25);
	ck_assert_uint_eq(t.lag_ms, 25);
	ck_assert_uint_eq(t.stall_ms, 100);
}
END_TEST

START_TEST(test_scales_with_the_interval)
{
	ck_assert_uint_eq(timing_from_interval(25).suspect_ms, 80);
	ck_assert_uint_eq(timing_from_interval(25).contact_ms, 130);
	ck_assert_uint_eq(timing_from_interval(200).suspect_ms, 440);
	ck_assert_uint_eq(timing_from_interval(200).contact_ms, 640);
	ck_assert_uint_eq(timing_from_interval(200).start_ms, 2000);
}
END_TEST

START_TEST(test_interval_is_limited)
{
	ck_assert_uint_eq(timing_from_interval(0).interval_ms, TIMING_INTERVAL_MIN_MS);
	ck_assert_uint_eq(timing_from_interval(UINT32_MAX).interval_ms, TIMING_INTERVAL_MAX_MS);
	ck_assert_uint_eq(timing_from_interval(TIMING_INTERVAL_MAX_MS).interval_ms, TIMING_INTERVAL_MAX_MS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timing");
	TCase *all = tcase_create("all");

	tcase_add_test(all, test_default_is_the_protocol_as_computed);
	tcase_add_test(all, test_scales_with_the_interval);
	tcase_add_test(all, test_interval_is_limited);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
