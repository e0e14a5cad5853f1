/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "node-agent/core/repair/silence.h"

enum { NOW = 100000 };

START_TEST(one_miss_is_a_hiccup)
{
	struct silence silence = {0};

	ck_assert(!silence_lasts(&silence, NOW));
	silence_missed(&silence, NOW);
	ck_assert(silence_lasts(&silence, NOW + SILENCE_FIRST_MS - 1));
	ck_assert(!silence_lasts(&silence, NOW + SILENCE_FIRST_MS));
	ck_assert(!silence_is_sure(&silence));
	silence_heard(&silence);
	ck_assert(!silence_lasts(&silence, NOW));
}
END_TEST

START_TEST(it_is_asked_less_and_less)
{
	static const int64_t pauses_ms[] = {250, 500, 1000, 2000, 4000, 4000, 4000};
	struct silence silence = {0};
	int64_t now_ms = NOW;

	for (unsigned i = 0; i < sizeof(pauses_ms) / sizeof(pauses_ms[0]); i++) {
		ck_assert(silence_is_sure(&silence) == (i >= SILENCE_SURE));
		silence_missed(&silence, now_ms);
		ck_assert_int_eq(silence.until_ms - now_ms, pauses_ms[i]);
		now_ms = silence.until_ms;
	}
}
END_TEST

START_TEST(it_is_dead_after_ten_seconds_and_three_questions)
{
	struct silence silence = {0};

	silence_missed(&silence, NOW);
	ck_assert(!silence_is_dead(&silence, NOW + SILENCE_DEAD_MS));
	silence_missed(&silence, NOW + 1);
	silence_missed(&silence, NOW + 2);
	ck_assert(!silence_is_dead(&silence, NOW + SILENCE_DEAD_MS - 1));
	ck_assert(silence_is_dead(&silence, NOW + SILENCE_DEAD_MS));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("silence");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(all, one_miss_is_a_hiccup);
	tcase_add_test(all, it_is_asked_less_and_less);
	tcase_add_test(all, it_is_dead_after_ten_seconds_and_three_questions);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
