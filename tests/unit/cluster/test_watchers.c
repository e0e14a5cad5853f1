/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cluster/watchers.h"

static char members[PROTO_POOL_MAX][PROTO_NAME_MAX + 1];

static void setup(void)
{
	for (int i = 0; i < PROTO_POOL_MAX; i++)
		snprintf(members[i], sizeof(members[i]), "gw-%d", i);
}

static size_t watchers_of(size_t gateway, size_t count)
{
	size_t watchers = 0;

	for (size_t i = 0; i < count; i++)
		watchers += watchers_include(members, count, members[gateway], members[i]);
	return watchers;
}

START_TEST(test_all_watch_each_other_in_a_small_pool)
{
	for (size_t count = 1; count <= WATCHERS_MAX; count++)
		for (size_t i = 0; i < count; i++)
			ck_assert_uint_eq(watchers_of(i, count), count - 1);
}
END_TEST

START_TEST(test_seven_and_the_controller_in_a_large_one)
{
	for (size_t count = WATCHERS_MAX; count <= PROTO_POOL_MAX; count++)
		for (size_t i = 0; i < count; i++)
			ck_assert_uint_eq(watchers_of(i, count), WATCHERS_MAX - 1);
	ck_assert(watchers_include(members, 16, "gw-14", "gw-5"));
	ck_assert(!watchers_include(members, 16, "gw-14", "gw-6"));
	ck_assert(!watchers_include(members, 16, "gw-14", "gw-13"));
}
END_TEST

START_TEST(test_strangers_watch_nobody)
{
	ck_assert(!watchers_include(members, 3, "gw-0", "gw-3"));
	ck_assert(!watchers_include(members, 3, "gw-3", "gw-0"));
	ck_assert(!watchers_include(members, 3, "gw-1", "gw-1"));
	ck_assert(!watchers_include(members, 0, "gw-0", "gw-1"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("watchers");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_all_watch_each_other_in_a_small_pool);
	tcase_add_test(all, test_seven_and_the_controller_in_a_large_one);
	tcase_add_test(all, test_strangers_watch_nobody);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
