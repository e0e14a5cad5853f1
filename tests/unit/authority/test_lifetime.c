/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "common/authority/lifetime.h"

static const int64_t minute_ms = 60000, hour_ms = 3600000, day_ms = 86400000;

START_TEST(it_is_due_at_two_thirds)
{
	struct lifetime lifetime = {1000 * day_ms, 1090 * day_ms};

	ck_assert(!lifetime_is_due(&lifetime, 1060 * day_ms - 1));
	ck_assert(lifetime_is_due(&lifetime, 1060 * day_ms));
}
END_TEST

START_TEST(a_failure_waits_by_its_length)
{
	ck_assert_int_eq(lifetime_retry_ms(&(struct lifetime){0, minute_ms}), 10000);
	ck_assert_int_eq(lifetime_retry_ms(&(struct lifetime){0, 100 * hour_ms}), hour_ms / 2);
	ck_assert_int_eq(lifetime_retry_ms(&(struct lifetime){0, 90 * day_ms}), hour_ms);
}
END_TEST

/* Whatever its length, one that is renewed when it is due never worries anybody. */
START_TEST(worry_begins_after_renewal)
{
	for (int64_t length_ms = hour_ms; length_ms < 900 * day_ms; length_ms *= 2) {
		struct lifetime lifetime = {0, length_ms};

		ck_assert(!lifetime_is_short(&lifetime, length_ms / 3 * 2));
		ck_assert(lifetime_is_short(&lifetime, length_ms - length_ms / 4 + 1) ==
			  (length_ms / 4 <= 30 * day_ms));
	}
	ck_assert(!lifetime_is_short(&(struct lifetime){0, 825 * day_ms}, 795 * day_ms));
	ck_assert(lifetime_is_short(&(struct lifetime){0, 825 * day_ms}, 795 * day_ms + 1));
}
END_TEST

START_TEST(an_authority_takes_longer_to_follow)
{
	struct lifetime lifetime = {0, 3650 * day_ms}, brief = {0, 8 * day_ms};

	ck_assert(!lifetime_of_authority_is_short(&lifetime, 3560 * day_ms));
	ck_assert(lifetime_of_authority_is_short(&lifetime, 3560 * day_ms + 1));
	ck_assert(!lifetime_of_authority_is_short(&brief, 6 * day_ms));
	ck_assert(lifetime_of_authority_is_short(&brief, 6 * day_ms + 1));
	ck_assert(!lifetime_has_ended(&brief, 8 * day_ms));
	ck_assert(lifetime_has_ended(&brief, 8 * day_ms + 1));
}
END_TEST

START_TEST(days_are_whole)
{
	struct lifetime lifetime = {0, 10 * day_ms};

	ck_assert_int_eq(lifetime_days_left(&lifetime, 8 * day_ms), 2);
	ck_assert_int_eq(lifetime_days_left(&lifetime, 8 * day_ms + 1), 1);
	ck_assert_int_eq(lifetime_days_left(&lifetime, 10 * day_ms), 0);
	ck_assert_int_eq(lifetime_days_left(&lifetime, 10 * day_ms + 1), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("authority/lifetime");
	TCase *test = tcase_create("lifetime");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_add_test(test, it_is_due_at_two_thirds);
	tcase_add_test(test, a_failure_waits_by_its_length);
	tcase_add_test(test, worry_begins_after_renewal);
	tcase_add_test(test, an_authority_takes_longer_to_follow);
	tcase_add_test(test, days_are_whole);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
