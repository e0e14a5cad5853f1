/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>

#include "controller/core/confirmation/confirmation.h"

enum { NOW = 1000000, GIVEN = 60000, WALL = 1790000000 };

START_TEST(it_is_rolled_back_when_the_time_is_over)
{
	struct confirmation confirmation;

	confirmation_begin(&confirmation, 5, 4, GIVEN, NOW);
	ck_assert(confirmation.awaited);
	ck_assert_int_eq(confirmation_deadline(&confirmation), NOW + GIVEN);
	ck_assert_int_eq(confirmation_left_ms(&confirmation, NOW + 1), GIVEN - 1);
	ck_assert(!confirmation_is_over(&confirmation, NOW + GIVEN - 1));
	ck_assert(!confirmation_attempt(&confirmation, NOW + GIVEN - 1));
	ck_assert(confirmation_is_over(&confirmation, NOW + GIVEN));
	ck_assert(confirmation_attempt(&confirmation, NOW + GIVEN));
	ck_assert_int_eq(confirmation_left_ms(&confirmation, NOW + GIVEN), 0);
}
END_TEST

START_TEST(an_attempt_is_repeated)
{
	struct confirmation confirmation;
	int64_t due = NOW + GIVEN;

	confirmation_begin(&confirmation, 5, 4, GIVEN, NOW);
	ck_assert(confirmation_attempt(&confirmation, due));
	ck_assert(!confirmation_attempt(&confirmation, due + CONFIRMATION_RETRY_MS - 1));
	ck_assert_int_eq(confirmation_deadline(&confirmation), due + CONFIRMATION_RETRY_MS);
	ck_assert(confirmation_attempt(&confirmation, due + CONFIRMATION_RETRY_MS));
	ck_assert(confirmation_is_over(&confirmation, due + 1));
}
END_TEST

START_TEST(an_end_is_an_end)
{
	struct confirmation confirmation;

	confirmation_begin(&confirmation, 5, 4, GIVEN, NOW);
	confirmation_end(&confirmation);
	ck_assert(!confirmation.awaited);
	ck_assert(!confirmation_attempt(&confirmation, NOW + 2 * GIVEN));
	ck_assert(!confirmation_is_over(&confirmation, NOW + 2 * GIVEN));
	ck_assert_int_eq(confirmation_deadline(&confirmation), -1);
}
END_TEST

static const struct {
	int64_t wall_ms, left_ms;
} restarts[] = {
	{WALL - 20000, 20000}, {WALL, 0}, {WALL + 86400000, 0}, /* it was away for a day */
	{WALL - 86400000, GIVEN},                               /* the clock was set back */
};

START_TEST(a_restart_counts_by_the_wall_clock)
{
	struct confirmation confirmation;

	confirmation_resume(&confirmation, 5, 4, GIVEN, WALL, restarts[_i].wall_ms, NOW);
	ck_assert_int_eq(confirmation_left_ms(&confirmation, NOW), restarts[_i].left_ms);
	ck_assert(confirmation_attempt(&confirmation, NOW) == (restarts[_i].left_ms == 0));
	ck_assert_int_eq(confirmation.given_ms, GIVEN);
	ck_assert_uint_eq(confirmation.back_to, 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("confirmation");
	TCase *tcase = tcase_create("confirmation");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, it_is_rolled_back_when_the_time_is_over);
	tcase_add_test(tcase, an_attempt_is_repeated);
	tcase_add_test(tcase, an_end_is_an_end);
	tcase_add_loop_test(
		tcase, a_restart_counts_by_the_wall_clock, 0, sizeof(restarts) / sizeof(restarts[0]));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
