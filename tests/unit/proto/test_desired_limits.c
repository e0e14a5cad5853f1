/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/desired.h"
#include "tests/unit/proto/sample.h"

/* Every limit of desired.json: what is at it is taken, one beyond is refused. */

static int decode(char *text, struct err *err)
{
	struct desired *desired = NULL;
	int r = desired_decode(text, strlen(text), &desired, err);

	desired_free(desired);
	free(text);
	return r;
}

/* Lists whose items may be equal. */
static const struct {
	const char *path;
	size_t most;
} lists[] = {
	{"addresses", PROTO_ADDRESSES_MAX},
	{"tunnels.0.addresses", PROTO_ADDRESSES_MAX},
	{"tunnels.0.forward.snat", PROTO_ADDRESSES_MAX},
	{"tunnels.0.forward.masquerade", PROTO_ADDRESSES_MAX},
	{"tunnels.0.pre_up", PROTO_HOOKS_MAX},
	{"tunnels.0.dns", PROTO_DNS_MAX},
	{"tunnels.0.post_down", PROTO_HOOKS_MAX},
	{"endpoints.0.dial", PROTO_ADDRESSES_MAX},
	{"endpoints.0.witness", PROTO_ADDRESSES_MAX},
	{"endpoints.0.inside", PROTO_ADDRESSES_MAX},
	{"endpoints.0.routes", PROTO_ROUTES_MAX},
	{"partners", PROTO_PARTNERS_MAX},
	{"partners.1.addresses", PROTO_ADDRESSES_MAX},
};

static void check_too_many(char *text, size_t most)
{
	struct err err = {0};
	char expected[80];

	(void)snprintf(expected, sizeof(expected), "%zu items are too many: at most %zu", most + 1, most);
	ck_assert_int_eq(decode(text, &err), -EINVAL);
	ck_assert_msg(strstr(err.text, expected) != NULL, "%s", err.text);
}

START_TEST(a_list_may_be_full_and_no_fuller)
{
	struct err err = {0};

	ck_assert_msg(!decode(sample_with_items("desired.json", lists[_i].path, lists[_i].most), &err), "%s",
		err.text);
	check_too_many(sample_with_items("desired.json", lists[_i].path, lists[_i].most + 1), lists[_i].most);
}
END_TEST

/* Lists whose items differ by a name. */
static const struct {
	const char *path, *member;
	size_t most;
} named[] = {
	{"tunnels", "name", PROTO_TUNNELS_MAX},
	{"endpoints", "name", PROTO_ENDPOINTS_MAX},
	{"endpoints.0.pool", NULL, PROTO_POOL_MAX},
};

static void rename_item(json_t *array, size_t index, const char *member)
{
	char name[24];

	(void)snprintf(name, sizeof(name), "n%zu", index);
	if (member)
		json_object_set_new(json_array_get(array, index), member, json_string(name));
	else
		json_array_set_new(array, index, json_string(name));
}

static char *with_named_items(const char *path, const char *member, size_t count)
{
	char *text = sample_with_items("desired.json", path, count);
	json_t *root = json_loads(text, 0, NULL);

	for (size_t i = 1; i < count; i++)
		rename_item(sample_find(root, path), i, member);
	free(text);
	text = json_dumps(root, 0);
	json_decref(root);
	return text;
}

START_TEST(a_list_of_names_may_be_full_and_no_fuller)
{
	size_t most = named[_i].most;
	struct err err = {0};

	ck_assert_msg(
		!decode(with_named_items(named[_i].path, named[_i].member, most), &err), "%s", err.text);
	check_too_many(with_named_items(named[_i].path, named[_i].member, most + 1), most);
}
END_TEST

START_TEST(a_name_twice_is_refused)
{
	struct err err = {0};

	if (!named[_i].member)
		return;
	ck_assert_int_eq(decode(sample_with_items("desired.json", named[_i].path, 2), &err), -EINVAL);
	ck_assert_msg(strstr(err.text, "is there twice") != NULL, "%s", err.text);
}
END_TEST

static const struct {
	const char *path;
	size_t most;
} texts[] = {
	{"fleet", PROTO_NAME_MAX},
	{"gateway", PROTO_NAME_MAX},
	{"endpoints.0.name", PROTO_NAME_MAX},
	{"endpoints.0.pool.0", PROTO_NAME_MAX},
	{"endpoints.0.dial_interface", PROTO_INTERFACE_MAX},
	{"endpoints.0.inside.0.interface", PROTO_INTERFACE_MAX},
	{"endpoints.0.routes.0.interface", PROTO_INTERFACE_MAX},
	{"tunnels.0.forward.snat.0.interface", PROTO_INTERFACE_MAX},
	{"tunnels.0.forward.masquerade.0.interface", PROTO_INTERFACE_MAX},
	{"tunnels.0.private_key_file", PROTO_PATH_MAX},
	{"tunnels.0.post_down.0", PROTO_HOOK_MAX},
	{"partners.0.name", PROTO_NAME_MAX},
	{"peers.0.name", PROTO_NAME_MAX},
	{"peers.0.preshared_key_file", PROTO_PATH_MAX},
};

START_TEST(a_text_may_be_long_and_no_longer)
{
	char *at = sample_long(texts[_i].most), *beyond = sample_long(texts[_i].most + 1);

	ck_assert_int_eq(decode(sample_with("desired.json", texts[_i].path, at), NULL), 0);
	ck_assert_int_eq(decode(sample_with("desired.json", texts[_i].path, beyond), NULL), -EINVAL);
	free(at);
	free(beyond);
}
END_TEST

/* The large ones are made by the encoder, which has no limit of its own. */
START_TEST(peers_at_and_beyond_the_limit)
{
	struct desired *desired = sample_desired(1, PROTO_PEERS_MAX + 1);
	char *beyond = desired_encode(desired), *at;

	desired_peer_clear(&desired->peers[--desired->peer_count]);
	at = desired_encode(desired);
	desired_free(desired);
	ck_assert_int_eq(decode(at, NULL), 0);
	check_too_many(beyond, PROTO_PEERS_MAX);
}
END_TEST

static void give_allowed_ips(struct desired_peer *peer, size_t count)
{
	free(peer->allowed_ips);
	peer->allowed_ips = mem_new(count, sizeof(*peer->allowed_ips));
	peer->allowed_ip_count = count;
	for (size_t i = 0; i < count; i++) {
		struct prefix *prefix = &peer->allowed_ips[i];

		prefix->addr.family = AF_INET;
		prefix->length = 32;
		for (size_t byte = 0; byte < 4; byte++)
			prefix->addr.bytes[byte] = (uint8_t)(i >> (24 - 8 * byte));
	}
}

START_TEST(allowed_ips_at_and_beyond_the_limit)
{
	struct desired *desired = sample_desired(1, 1);

	give_allowed_ips(&desired->peers[0], PROTO_ALLOWED_IPS_MAX);
	ck_assert_int_eq(decode(desired_encode(desired), NULL), 0);
	give_allowed_ips(&desired->peers[0], PROTO_ALLOWED_IPS_MAX + 1);
	check_too_many(desired_encode(desired), PROTO_ALLOWED_IPS_MAX);
	desired_free(desired);
}
END_TEST

START_TEST(shares_at_and_beyond_the_limit)
{
	struct desired *desired = sample_desired(1, 1);
	struct desired_peer *peer = &desired->peers[0];

	give_allowed_ips(peer, PROTO_ALLOWED_IPS_MAX);
	peer->shares = mem_new(PROTO_ALLOWED_IPS_MAX + 1, sizeof(*peer->shares));
	for (size_t i = 0; i < PROTO_ALLOWED_IPS_MAX; i++)
		peer->shares[i] = (struct desired_share){.prefix = peer->allowed_ips[i], .priority = 1};
	peer->share_count = PROTO_ALLOWED_IPS_MAX;
	ck_assert_int_eq(decode(desired_encode(desired), NULL), 0);
	peer->shares[peer->share_count++].prefix = peer->allowed_ips[0];
	check_too_many(desired_encode(desired), PROTO_ALLOWED_IPS_MAX);
	desired_free(desired);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("desired limits");
	TCase *tcase = tcase_create("small"), *large = tcase_create("large");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, a_list_may_be_full_and_no_fuller, 0, ARRAY_COUNT(lists));
	tcase_add_loop_test(tcase, a_list_of_names_may_be_full_and_no_fuller, 0, ARRAY_COUNT(named));
	tcase_add_loop_test(tcase, a_name_twice_is_refused, 0, ARRAY_COUNT(named));
	tcase_add_loop_test(tcase, a_text_may_be_long_and_no_longer, 0, ARRAY_COUNT(texts));
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(large, 150);
	tcase_add_test(large, peers_at_and_beyond_the_limit);
	tcase_add_test(large, allowed_ips_at_and_beyond_the_limit);
	tcase_add_test(large, shares_at_and_beyond_the_limit);
	suite_add_tcase(suite, large);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
