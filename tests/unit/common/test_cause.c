/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "common/base/cause.h"

enum { BEGIN_MS = 5000 };

static struct cause cause;
static struct err one, other;

static void setup(void)
{
	cause = (struct cause){0};
	err_at(&one, -1, "ctl.pem", 0, 0, "it is of gateway gw-a");
	err_at(&other, -1, "ctl.key", 0, 0, "it is of gateway gw-a");
}

START_TEST(a_cause_is_news_once_and_each_hour)
{
	ck_assert(cause_is_news(&cause, &one, BEGIN_MS));
	for (int64_t ms = 0; ms < CAUSE_AGAIN_MS; ms += 10000)
		ck_assert(!cause_is_news(&cause, &one, BEGIN_MS + ms));
	ck_assert(!cause_is_news(&cause, &one, BEGIN_MS + CAUSE_AGAIN_MS - 1));
	ck_assert(cause_is_news(&cause, &one, BEGIN_MS + CAUSE_AGAIN_MS));
	ck_assert(!cause_is_news(&cause, &one, BEGIN_MS + 2 * CAUSE_AGAIN_MS - 1));
}
END_TEST

START_TEST(another_is_news_at_once)
{
	ck_assert(cause_is_news(&cause, &one, BEGIN_MS));
	ck_assert(cause_is_news(&cause, &other, BEGIN_MS));
	ck_assert(!cause_is_news(&cause, &other, BEGIN_MS));
	ck_assert(cause_is_news(&cause, &one, BEGIN_MS));
}
END_TEST

START_TEST(one_that_comes_back_is_news)
{
	ck_assert(cause_is_news(&cause, &one, BEGIN_MS));
	cause_is_over(&cause);
	ck_assert(cause_is_news(&cause, &one, BEGIN_MS + 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/cause");
	TCase *test = tcase_create("cause");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_add_checked_fixture(test, setup, NULL);
	tcase_add_test(test, a_cause_is_news_once_and_each_hour);
	tcase_add_test(test, another_is_news_at_once);
	tcase_add_test(test, one_that_comes_back_is_news);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
