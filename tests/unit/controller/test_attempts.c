/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many wrong tokens are told why: of one source, and of all. */
#include "controller/io/joining/attempts.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct attempts attempts;
static const int64_t now_ms = 1000000;

static void setup(void)
{
	attempts_init(&attempts, now_ms);
}

static bool spend(const char *from, int64_t at_ms)
{
	struct addr addr;
	ck_assert_int_eq(addr_parse(from, &addr, NULL), 0);
	return attempts_spend(&attempts, &addr, at_ms);
}

static int spend_all(const char *from, int64_t at_ms)
{
	int count = 0;
	while (spend(from, at_ms))
		count++;
	return count;
}

START_TEST(a_source_has_so_many)
{
	ck_assert_int_eq(spend_all("192.0.2.1", now_ms), ATTEMPTS_MAX);
	ck_assert(!spend("192.0.2.1", now_ms + ATTEMPTS_MS / ATTEMPTS_MAX - 1));
	ck_assert(spend("192.0.2.1", now_ms + ATTEMPTS_MS / ATTEMPTS_MAX + 1));
	ck_assert(!spend("192.0.2.1", now_ms + ATTEMPTS_MS / ATTEMPTS_MAX + 1));
	/* A quiet year saves up no more than one burst. */
	ck_assert_int_eq(spend_all("192.0.2.1", now_ms + 31536000000), ATTEMPTS_MAX);
}
END_TEST

START_TEST(others_have_their_own)
{
	ck_assert_int_eq(spend_all("192.0.2.1", now_ms), ATTEMPTS_MAX);
	for (int i = 0; i < 1000; i++)
		ck_assert(!spend("192.0.2.1", now_ms));
	ck_assert(spend("192.0.2.2", now_ms));
	ck_assert_int_eq(spend_all("2001:db8:0:1::1", now_ms), ATTEMPTS_MAX);
	ck_assert(!spend("2001:db8:0:1:ffff::", now_ms));
	ck_assert(spend("2001:db8:0:2::", now_ms));
}
END_TEST

/* From many places, and with more sources than are remembered. */
START_TEST(all_together_have_so_many)
{
	char from[32];
	int count = 0;
	for (int i = 0; i < 4 * ATTEMPTS_ALL_MAX; i++) {
		snprintf(from, sizeof from, "10.0.%d.%d", i / 256, i % 256);
		count += spend(from, now_ms);
	}
	ck_assert_int_eq(count, ATTEMPTS_ALL_MAX);
	ck_assert_uint_eq(attempts.count, ATTEMPTS_SOURCES_MAX);
}
END_TEST

START_TEST(the_quietest_is_forgotten)
{
	char from[32];
	ck_assert_int_eq(spend_all("192.0.2.1", now_ms), ATTEMPTS_MAX);
	for (int i = 1; i < ATTEMPTS_SOURCES_MAX; i++) {
		snprintf(from, sizeof from, "10.0.0.%d", i);
		spend(from, now_ms + i);
	}
	/* Who goes on is not quiet, though refused. */
	ck_assert(!spend("192.0.2.1", now_ms + 100));
	spend("10.0.1.1", now_ms + 101);
	ck_assert(!spend("192.0.2.1", now_ms + 102));
	ck_assert_uint_eq(attempts.count, ATTEMPTS_SOURCES_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("controller/attempts");
	TCase *test = tcase_create("attempts");
	SRunner *runner = srunner_create(suite);
	int failed;
	suite_add_tcase(suite, test);
	tcase_add_checked_fixture(test, setup, NULL);
	tcase_add_test(test, a_source_has_so_many);
	tcase_add_test(test, others_have_their_own);
	tcase_add_test(test, all_together_have_so_many);
	tcase_add_test(test, the_quietest_is_forgotten);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
