/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/desired.h"
#include "tests/unit/proto/sample.h"

static void remove_peer(struct desired *desired, size_t index)
{
	desired_peer_clear(&desired->peers[index]);
	memmove(&desired->peers[index], &desired->peers[index + 1],
		(--desired->peer_count - index) * sizeof(*desired->peers));
}

/* There and back: encoded, decoded and applied, a difference gives the same state, whole. */
static void check_way(const struct desired *from, const struct desired *to, size_t set, size_t removed)
{
	struct desired_delta *delta = desired_diff(from, to), *arrived = NULL;
	char *text = desired_delta_encode(delta), *expected = desired_encode(to), *found;
	struct desired *result = NULL;
	struct err err = {0};

	ck_assert_uint_eq(delta->head_and_set_peers->peer_count, set);
	ck_assert_uint_eq(delta->removed_count, removed);
	ck_assert_msg(!desired_delta_decode(text, strlen(text), &arrived, &err), "%s", err.text);
	ck_assert_msg(!desired_patch(from, arrived, &result, &err), "%s", err.text);
	found = desired_encode(result);
	ck_assert_str_eq(found, expected);
	desired_delta_free(delta);
	desired_delta_free(arrived);
	desired_free(result);
	free(text);
	free(expected);
	free(found);
}

START_TEST(from_nothing_everything_is_sent)
{
	struct desired *to = sample_desired(5, 4);

	check_way(NULL, to, 4, 0);
	desired_free(to);
}
END_TEST

START_TEST(what_is_equal_is_not_sent)
{
	struct desired *from = sample_desired(1, 4), *to = sample_desired(2, 4);

	check_way(from, to, 0, 0);
	desired_free(from);
	desired_free(to);
}
END_TEST

START_TEST(one_removed_peer_is_one_key)
{
	struct desired *from = sample_desired(1, 5), *to = sample_desired(2, 5);

	remove_peer(to, (size_t)_i);
	check_way(from, to, 0, 1);
	desired_free(from);
	desired_free(to);
}
END_TEST

START_TEST(one_added_peer_is_one_peer)
{
	struct desired *from = sample_desired(1, 5), *to = sample_desired(2, 5);

	remove_peer(from, (size_t)_i);
	check_way(from, to, 1, 0);
	desired_free(from);
	desired_free(to);
}
END_TEST

static void change_name(struct desired_peer *peer)
{
	strcpy(peer->name, "renamed");
}

static void change_psk(struct desired_peer *peer)
{
	peer->preshared_key_file = mem_text("psk");
}

static void change_endpoint(struct desired_peer *peer)
{
	ck_assert_int_eq(endpoint_parse("192.0.2.1:1", &peer->endpoint, NULL), 0);
}

static void change_keepalive(struct desired_peer *peer)
{
	peer->keepalive_s = 25;
}

static void change_allowed_ip(struct desired_peer *peer)
{
	ck_assert_int_eq(prefix_parse("10.99.0.0/16", &peer->allowed_ips[0], NULL), 0);
}

static void drop_allowed_ip(struct desired_peer *peer)
{
	peer->allowed_ip_count = 0;
	free(peer->allowed_ips);
	peer->allowed_ips = NULL;
}

static void (*const changes[])(struct desired_peer *peer) = {
	change_name, change_psk, change_endpoint, change_keepalive, change_allowed_ip, drop_allowed_ip};

START_TEST(a_changed_peer_is_sent_and_can_be_changed_back)
{
	struct desired *from = sample_desired(1, 3), *to = sample_desired(2, 3);

	changes[_i](&to->peers[1]);
	check_way(from, to, 1, 0);
	check_way(to, from, 1, 0);
	desired_free(from);
	desired_free(to);
}
END_TEST

START_TEST(all_at_once)
{
	struct desired *from = sample_desired(1, 1000), *to = sample_desired(2, 1000);

	for (size_t i = 0; i < 300; i++) {
		remove_peer(from, i * 2);
		remove_peer(to, i);
		to->peers[i].keepalive_s = 7;
	}
	to->liveness_ms = 25;
	check_way(from, to, 400, 200);
	check_way(from, from, 0, 0);
	desired_free(from);
	desired_free(to);
}
END_TEST

static int patch(const struct desired *from, const struct desired_delta *delta, struct err *err)
{
	struct desired *to = NULL;
	int r = desired_patch(from, delta, &to, err);

	ck_assert(!r == (to != NULL));
	desired_free(to);
	return r;
}

START_TEST(another_base_is_stale)
{
	struct desired *one = sample_desired(1, 2), *two = sample_desired(2, 1),
		       *three = sample_desired(3, 0);
	struct desired_delta *delta = desired_diff(one, two);
	struct err err = {0};

	ck_assert_int_eq(patch(three, delta, &err), -ESTALE);
	ck_assert_str_eq(err.text, "a change to generation 1, and generation 3 is here");
	ck_assert_int_eq(patch(NULL, delta, &err), -ESTALE);
	ck_assert_str_eq(err.text, "a change to generation 1, and there is none here");
	desired_delta_free(delta);
	desired_free(one);
	desired_free(two);
	desired_free(three);
}
END_TEST

START_TEST(a_change_that_does_not_fit_is_refused)
{
	struct desired *one = sample_desired(1, 2), *two = sample_desired(2, 0);
	struct desired_delta *delta = desired_diff(one, two);
	struct err err = {0};

	delta->removed[1].public_key = sample_key(9);
	ck_assert_int_eq(patch(one, delta, &err), -EINVAL);
	ck_assert_str_eq(err.text, "a change removes a peer that is not there");
	strcpy(delta->head_and_set_peers->gateway, "gw-b");
	ck_assert_int_eq(patch(one, delta, &err), -EINVAL);
	ck_assert_str_eq(err.text, "a change for gw-b, and this is gw-a");
	desired_delta_free(delta);
	desired_free(one);
	desired_free(two);
}
END_TEST

START_TEST(no_peer_stays_behind_in_a_tunnel_that_goes)
{
	struct desired *one = sample_desired(1, 2), *two = sample_desired(2, 2);
	struct desired_delta *delta = desired_diff(one, two);
	struct err err = {0};

	strcpy(delta->head_and_set_peers->tunnels[0].name, "wg1");
	ck_assert_int_eq(patch(one, delta, &err), -EINVAL);
	ck_assert_str_eq(err.text, "a change leaves peer p0 in tunnel wg0, which is gone");
	desired_delta_free(delta);
	desired_free(one);
	desired_free(two);
}
END_TEST

START_TEST(too_many_peers_together_are_refused)
{
	struct desired *one = sample_desired(1, PROTO_PEERS_MAX),
		       *two = sample_desired(2, PROTO_PEERS_MAX + 1);
	struct desired_delta *delta = desired_diff(one, two);

	ck_assert_uint_eq(delta->head_and_set_peers->peer_count, 1);
	ck_assert_int_eq(patch(one, delta, NULL), -EINVAL);
	desired_delta_free(delta);
	desired_free(one);
	desired_free(two);
}
END_TEST

static const struct {
	const char *path, *value, *error;
} wrong[] = {
	{"base", "0", "removed: nothing can be removed from nothing (base is 0)"},
	{"to", "null", "to: missing"},
	{"to.peers.0.name", "\"\"", "to.peers[0].name: expected a name, found \"\""},
	{"removed.0.tunnel", "7", "removed[0].tunnel: expected a name, found 7"},
	{"removed.0.public_key", "null", "removed[0].public_key: missing"},
};

START_TEST(a_wrong_value_is_refused_by_its_place)
{
	struct desired_delta *delta;
	struct err err = {0};
	char *text = sample_with("delta.json", wrong[_i].path, wrong[_i].value);

	ck_assert_int_eq(desired_delta_decode(text, strlen(text), &delta, &err), -EINVAL);
	ck_assert_str_eq(err.text, wrong[_i].error);
	free(text);
}
END_TEST

START_TEST(removing_twice_is_refused)
{
	struct desired_delta *delta;
	struct err err = {0};
	char *text = sample_with_items("delta.json", "removed", 2);

	ck_assert_int_eq(desired_delta_decode(text, strlen(text), &delta, &err), -EINVAL);
	ck_assert_str_eq(err.text, "removed[1]: not in rising order of tunnel and public key");
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("desired delta");
	TCase *tcase = tcase_create("desired delta");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 150);
	tcase_add_test(tcase, from_nothing_everything_is_sent);
	tcase_add_test(tcase, what_is_equal_is_not_sent);
	tcase_add_loop_test(tcase, one_removed_peer_is_one_key, 0, 5);
	tcase_add_loop_test(tcase, one_added_peer_is_one_peer, 0, 5);
	tcase_add_loop_test(tcase, a_changed_peer_is_sent_and_can_be_changed_back, 0, ARRAY_COUNT(changes));
	tcase_add_test(tcase, all_at_once);
	tcase_add_test(tcase, another_base_is_stale);
	tcase_add_test(tcase, a_change_that_does_not_fit_is_refused);
	tcase_add_test(tcase, no_peer_stays_behind_in_a_tunnel_that_goes);
	tcase_add_test(tcase, too_many_peers_together_are_refused);
	tcase_add_loop_test(tcase, a_wrong_value_is_refused_by_its_place, 0, ARRAY_COUNT(wrong));
	tcase_add_test(tcase, removing_twice_is_refused);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
