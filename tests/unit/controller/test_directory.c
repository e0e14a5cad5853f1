/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "controller/io/agents/directory.h"

static struct directory *directory;

static void setup(void)
{
	directory = directory_new();
}

static void teardown(void)
{
	directory_free(directory);
}

static struct session session(const char *tunnel, uint8_t key, const char *at, uint32_t age_ms)
{
	struct session result = {.public_key.bytes = {key}, .age_ms = age_ms};
	strcpy(result.tunnel, tunnel);
	ck_assert_int_eq(endpoint_parse(at, &result.endpoint, NULL), 0);
	return result;
}

static bool put(const char *tunnel, uint8_t key, const char *at, uint32_t age_ms, int64_t now_ms)
{
	struct session one = session(tunnel, key, at, age_ms);
	return directory_put(directory, "gw-a", &one, now_ms);
}

static bool want(const char *tunnel, void *context)
{
	return strcmp(tunnel, context) == 0;
}

static char wg0[] = "wg0";

START_TEST(only_changes_get_a_version)
{
	ck_assert(put("wg0", 1, "192.0.2.1:1000", 0, 1000000));
	uint64_t version = directory_version(directory);
	ck_assert(!put("wg0", 1, "192.0.2.1:1000", 5000, 1005000)); /* the same handshake */
	ck_assert_uint_eq(directory_version(directory), version);
	ck_assert(put("wg0", 1, "192.0.2.1:1001", 5000, 1005000)); /* it roamed */
	ck_assert(put("wg0", 1, "192.0.2.1:1001", 0, 1100000));    /* a new handshake */
	ck_assert_uint_eq(directory_version(directory), version + 2);
}
END_TEST

/* Moved within a second of its handshake: as old as before, but he who told of it is a standby now, and was never told. */
START_TEST(what_another_tells_is_new_for_the_one_before_it)
{
	struct session one = session("wg0", 1, "192.0.2.1:1000", 0);
	ck_assert(directory_put(directory, "gw-a", &one, 1000000));
	uint64_t version = directory_version(directory);
	ck_assert(directory_put(directory, "gw-b", &one, 1000500));
	ck_assert_uint_eq(directory_version(directory), version + 1);
	ck_assert(!directory_put(directory, "gw-b", &one, 1000600));
	ck_assert(directory_put(directory, "gw-a", &one, 1000700)); /* and back */
}
END_TEST

START_TEST(a_reader_gets_what_is_newer_and_wanted)
{
	struct session *items;
	put("wg0", 1, "192.0.2.1:1000", 100, 1000000);
	uint64_t version = directory_version(directory);
	put("wg0", 2, "192.0.2.2:1000", 100, 1000000);
	put("wg1", 3, "192.0.2.3:1000", 100, 1000000);
	ck_assert_uint_eq(directory_since(directory, version, 1000400, want, wg0, &items), 1);
	ck_assert_uint_eq(items[0].public_key.bytes[0], 2);
	ck_assert_uint_eq(items[0].age_ms, 500);
	free(items);
	ck_assert_uint_eq(directory_since(directory, 99, 1000400, want, wg0, &items), 0);
	ck_assert_ptr_null(items);
}
END_TEST

START_TEST(the_dead_do_not_count_and_are_forgotten)
{
	put("wg0", 1, "192.0.2.1:1000", 0, 1000000);
	ck_assert_uint_eq(directory_count(directory, "wg0", 1000000 + SESSION_LIVE_MS), 1);
	ck_assert_uint_eq(directory_count(directory, "wg0", 1000001 + SESSION_LIVE_MS), 0);
	directory_expire(directory, 1000001 + SESSION_LIVE_MS);
	ck_assert_uint_eq(directory_count(directory, "wg0", 1000000), 0);
}
END_TEST

START_TEST(what_a_whole_list_leaves_out_is_gone)
{
	put("wg0", 1, "192.0.2.1:1000", 0, 1000000);
	put("wg0", 2, "192.0.2.2:1000", 0, 1000000);
	put("wg1", 3, "192.0.2.3:1000", 0, 1000000);
	directory_begin_whole(directory);
	ck_assert(!put("wg0", 1, "192.0.2.1:1000", 0, 1000000));
	directory_end_whole(directory, "wg0");
	ck_assert_uint_eq(directory_count(directory, "wg0", 1000000), 1);
	ck_assert_uint_eq(directory_count(directory, "wg1", 1000000), 1);
	directory_begin_whole(directory);
	directory_end_whole(directory, "wg0");
	ck_assert_uint_eq(directory_count(directory, "wg0", 1000000), 0);
}
END_TEST

START_TEST(one_is_found_with_who_told_of_it_and_what_it_had_moved)
{
	struct session one = session("wg0", 1, "192.0.2.1:1000", 100),
		       other = session("wg0", 1, "192.0.2.9:1000", 0);
	struct directory_session found;
	one.rx_bytes = 5;
	one.tx_bytes = 7;
	directory_put(directory, "gw-a", &one, 1000000);
	ck_assert(directory_find(directory, "wg0", &one.public_key, 1001000, &found));
	ck_assert_str_eq(found.gateway, "gw-a");
	ck_assert_uint_eq(found.session.age_ms, 1100);
	ck_assert_uint_eq(found.session.rx_bytes, 5);
	ck_assert_uint_eq(found.session.tx_bytes, 7);
	ck_assert_int_eq(found.told_ago_ms, 1000);
	directory_put(directory, "gw-b", &other, 1002000);
	ck_assert(directory_find(directory, "wg0", &one.public_key, 1002000, &found));
	ck_assert_str_eq(found.gateway, "gw-b");
	ck_assert_uint_eq(found.session.rx_bytes, 0); /* gw-b counts for itself */
	ck_assert(!directory_find(directory, "wg1", &one.public_key, 1002000, &found));
	ck_assert(!directory_find(directory, "wg0", &one.public_key, 1002001 + SESSION_LIVE_MS, &found));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("directory");
	TCase *tests = tcase_create("directory");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, only_changes_get_a_version);
	tcase_add_test(tests, what_another_tells_is_new_for_the_one_before_it);
	tcase_add_test(tests, a_reader_gets_what_is_newer_and_wanted);
	tcase_add_test(tests, the_dead_do_not_count_and_are_forgotten);
	tcase_add_test(tests, what_a_whole_list_leaves_out_is_gone);
	tcase_add_test(tests, one_is_found_with_who_told_of_it_and_what_it_had_moved);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
