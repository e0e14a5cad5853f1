/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/core/seat/sessions.h"

static struct sessions *sessions;
static struct key names[64];
static char seen[256];

static void setup(void)
{
	sessions = sessions_new();
	for (size_t i = 0; i < 64; i++)
		names[i].bytes[0] = (uint8_t)(i + 1);
	seen[0] = '\0';
}

static void teardown(void)
{
	sessions_free(sessions);
}

static struct endpoint at(uint8_t host)
{
	return (struct endpoint){.addr = {.family = AF_INET, .bytes = {192, 0, 2, host}}, .port = 51820};
}

static bool poll_one(size_t i, uint8_t host, uint64_t stamp, int64_t age, uint64_t bytes, int64_t now)
{
	struct endpoint endpoint = at(host);

	return sessions_poll(sessions, "wg0", &names[i], &endpoint, stamp, age, bytes, 0, now);
}

static bool learn(size_t i, uint8_t host, uint32_t age, int64_t now)
{
	struct session session = {
		.tunnel = "wg0", .public_key = names[i], .endpoint = at(host), .age_ms = age};

	return sessions_learn(sessions, &session, now);
}

static void note(void *context, const struct sessions_entry *entry)
{
	(void)context;
	size_t length = strlen(seen);
	seen[length] = (char)('a' + entry->public_key.bytes[0] - 1);
	seen[length + 1] = '\0';
}

static const char *changed_since(uint64_t since)
{
	seen[0] = '\0';
	sessions_each_since(sessions, since, note, NULL);
	return seen;
}

START_TEST(test_polls_tell_what_is_news)
{
	ck_assert(poll_one(0, 1, 1000, 5000, 10, 100000));
	ck_assert(!poll_one(0, 1, 1000, 6000, 10, 101000));
	ck_assert(!poll_one(0, 1, 1000, 6000, 20, 102000)); /* traffic is no news, but noted */
	const struct sessions_entry *entry = sessions_find(sessions, "wg0", &names[0]);
	ck_assert_int_eq(entry->handshake_ms, 95000);
	ck_assert_int_eq(entry->active_ms, 102000);
	ck_assert(poll_one(0, 2, 1000, 6000, 20, 103000)); /* it roamed */
	ck_assert(poll_one(0, 2, 2000, 0, 20, 104000));    /* a new handshake */
	ck_assert_int_eq(sessions_find(sessions, "wg0", &names[0])->handshake_ms, 104000);
	ck_assert(sessions_find(sessions, "wg1", &names[0]) == NULL);
}
END_TEST

START_TEST(test_wall_time_is_believed_once_and_not_beyond_reason)
{
	ck_assert(poll_one(0, 1, 1000, -99999, 0, 100000)); /* a clock that stepped back */
	ck_assert_int_eq(sessions_find(sessions, "wg0", &names[0])->handshake_ms, 100000);
	ck_assert(!poll_one(1, 1, 1000, SESSION_LIFE_MS, 0, 100000));
	ck_assert(poll_one(2, 1, 1000, SESSION_LIFE_MS - 1, 0, 100000));
	ck_assert(!poll_one(0, 1, 1000, 500000, 0, 100500));
	ck_assert_uint_eq(sessions_count(sessions), 2);
}
END_TEST

START_TEST(test_without_handshake_or_endpoint_there_is_no_session)
{
	struct endpoint none = {0};

	ck_assert(!poll_one(0, 1, 0, 0, 0, 1000));
	ck_assert(!sessions_poll(sessions, "wg0", &names[0], &none, 5, 0, 0, 0, 1000));
	/* a new owner's device knows nothing yet of what the old one told */
	ck_assert(learn(1, 7, 3000, 100000));
	ck_assert(!poll_one(1, 7, 0, 0, 0, 100100));
	ck_assert_uint_eq(sessions_count(sessions), 1);
	ck_assert(poll_one(1, 7, 42, 0, 0, 100200));
	ck_assert_int_eq(sessions_find(sessions, "wg0", &names[1])->handshake_ms, 100200);
}
END_TEST

START_TEST(test_learns_only_what_is_newer)
{
	ck_assert(learn(0, 1, 10000, 100000));
	ck_assert(!learn(0, 2, 20000, 100000));
	ck_assert(sessions_find(sessions, "wg0", &names[0])->endpoint.addr.bytes[3] == 1);
	ck_assert(!learn(0, 1, 10000, 100000));
	ck_assert(learn(0, 2, 10000, 100000)); /* the same session, elsewhere */
	ck_assert(learn(0, 2, 1000, 100000));
	ck_assert(!learn(1, 1, SESSION_LIFE_MS, 1000000));
}
END_TEST

START_TEST(test_changes_are_found_without_looking_at_the_rest)
{
	for (size_t i = 0; i < 5; i++)
		learn(i, 1, 1000, 100000);
	uint64_t before = sessions_changed(sessions);
	ck_assert_str_eq(changed_since(0), "edcba");
	ck_assert_str_eq(changed_since(before), "");
	learn(1, 9, 1000, 100000);
	learn(3, 9, 1000, 100000);
	learn(1, 8, 1000, 100000);
	ck_assert_str_eq(changed_since(before), "bd");
	ck_assert_str_eq(changed_since(0), "bdeca");
}
END_TEST

START_TEST(test_expires_by_handshake_whatever_the_order_of_news)
{
	learn(0, 1, 5000, 200000);
	learn(1, 1, 90000, 200000);
	learn(2, 1, 50000, 200000);
	learn(3, 1, 170000, 200000);
	ck_assert_uint_eq(sessions_expire(sessions, 209999), 0);
	ck_assert_uint_eq(sessions_expire(sessions, 210000), 1);
	ck_assert_uint_eq(sessions_expire(sessions, 330000), 2);
	ck_assert_str_eq(changed_since(0), "a");
	learn(0, 1, 0, 300000);
	ck_assert_uint_eq(sessions_expire(sessions, 479999), 0);
	ck_assert_uint_eq(sessions_expire(sessions, 480000), 1);
	ck_assert_uint_eq(sessions_count(sessions), 0);
}
END_TEST

START_TEST(test_removed_peers_are_gone)
{
	learn(0, 1, 0, 1000);
	sessions_remove(sessions, "wg1", &names[0]);
	ck_assert_uint_eq(sessions_count(sessions), 1);
	sessions_remove(sessions, "wg0", &names[0]);
	sessions_remove(sessions, "wg0", &names[0]);
	ck_assert_uint_eq(sessions_count(sessions), 0);
}
END_TEST

START_TEST(test_the_limit)
{
	struct session session = {.tunnel = "wg0", .endpoint = at(1)};

	for (uint32_t i = 0; i < PROTO_SESSIONS_MAX; i++) {
		memcpy(session.public_key.bytes, &i, sizeof(i));
		ck_assert(sessions_learn(sessions, &session, 1000));
	}
	session.public_key.bytes[31] = 1;
	ck_assert(!sessions_learn(sessions, &session, 1000));
	ck_assert_uint_eq(sessions_count(sessions), PROTO_SESSIONS_MAX);
	ck_assert_uint_eq(sessions_expire(sessions, 1000 + SESSION_LIFE_MS), PROTO_SESSIONS_MAX);
	ck_assert(sessions_learn(sessions, &session, 1000 + SESSION_LIFE_MS));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sessions");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_set_timeout(all, 30);
	tcase_add_test(all, test_polls_tell_what_is_news);
	tcase_add_test(all, test_wall_time_is_believed_once_and_not_beyond_reason);
	tcase_add_test(all, test_without_handshake_or_endpoint_there_is_no_session);
	tcase_add_test(all, test_learns_only_what_is_newer);
	tcase_add_test(all, test_changes_are_found_without_looking_at_the_rest);
	tcase_add_test(all, test_expires_by_handshake_whatever_the_order_of_news);
	tcase_add_test(all, test_removed_peers_are_gone);
	tcase_add_test(all, test_the_limit);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
