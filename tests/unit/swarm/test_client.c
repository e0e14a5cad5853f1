/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <string.h>

#include "tests/swarm/client.h"

/* A client and the gateway that it knows, which is played here with the same messages. */
struct scene {
	struct client client;
	struct identity gateway;
	struct handshake handshake;
	struct keys keys;
	struct client_actions actions;
	uint8_t secret;
};

static void build(struct scene *scene)
{
	static const uint8_t no_psk[32];
	uint8_t own[32] = {1, 2, 3}, other[32] = {4, 5, 6}, own_public[32], other_public[32];

	memset(scene, 0, sizeof(*scene));
	x25519_public(own, own_public);
	x25519_public(other, other_public);
	ck_assert(identity_make(&scene->client.identity, own, other_public, no_psk));
	ck_assert(identity_make(&scene->gateway, other, own_public, no_psk));
	client_init(&scene->client, 0x0a340001, 0x0a320001, 1000, 3, 0);
}

static void give(struct scene *scene, const uint8_t *datagram, size_t size, int64_t now_ms)
{
	struct client_event event = {.datagram = datagram, .size = size, .wall_ns = 1, .secret = {0}};

	event.secret[0] = ++scene->secret;
	client_step(&scene->client, &event, now_ms, &scene->actions);
}

static uint32_t sent_type(const struct scene *scene)
{
	return scene->actions.count > 0 ? message_word(scene->actions.items[0].bytes, 0) : 0;
}

static void initiate(
	struct scene *scene, uint8_t stamp_byte, int64_t now_ms, uint8_t message[INITIATION_BYTES])
{
	uint8_t secret[32] = {90, stamp_byte}, stamp[STAMP_BYTES] = {stamp_byte};

	initiation_write(&scene->gateway, &scene->handshake, 500u + stamp_byte, secret, stamp, NULL, message);
	give(scene, message, INITIATION_BYTES, now_ms);
}

static void confirm(struct scene *scene, int64_t now_ms)
{
	uint8_t keepalive[64];
	size_t size = data_write(&scene->keys, scene->handshake.peer_index, 0, "", 0, keepalive);

	give(scene, keepalive, size, now_ms);
}

/* A session by the gateway's initiation, confirmed. */
static void take_over(struct scene *scene, uint8_t stamp_byte, int64_t now_ms)
{
	uint8_t message[INITIATION_BYTES];

	initiate(scene, stamp_byte, now_ms, message);
	ck_assert_uint_eq(sent_type(scene), MESSAGE_RESPONSE);
	ck_assert(response_read(
		&scene->gateway, &scene->handshake, scene->actions.items[0].bytes, &scene->keys));
	confirm(scene, now_ms);
}

START_TEST(it_initiates_and_tries_again_after_five_seconds)
{
	struct scene scene;

	build(&scene);
	give(&scene, NULL, 0, 0);
	ck_assert_uint_eq(sent_type(&scene), MESSAGE_INITIATION);
	ck_assert_int_eq(client_deadline(&scene.client), REKEY_TIMEOUT_MS);
	give(&scene, NULL, 0, REKEY_TIMEOUT_MS - 1);
	ck_assert_uint_eq(scene.actions.count, 0);
	give(&scene, NULL, 0, REKEY_TIMEOUT_MS);
	ck_assert_uint_eq(sent_type(&scene), MESSAGE_INITIATION);
}
END_TEST

START_TEST(it_answers_and_pings_once_the_session_is_confirmed)
{
	struct scene scene;
	uint8_t plain[64];
	uint64_t counter;

	build(&scene);
	take_over(&scene, 1, 100);
	ck_assert_uint_eq(sent_type(&scene), MESSAGE_DATA);
	ck_assert_int_eq(data_read(&scene.keys, scene.actions.items[0].bytes, scene.actions.items[0].size,
				 &counter, plain),
		32);
	ck_assert_uint_eq(plain[0], 0x45);
}
END_TEST

START_TEST(the_session_before_is_kept_until_then)
{
	struct scene scene;
	struct keys before;
	uint8_t message[INITIATION_BYTES], plain[64];
	uint64_t counter;

	build(&scene);
	take_over(&scene, 1, 100);
	before = scene.keys;
	initiate(&scene, 2, 200, message);
	ck_assert_uint_eq(sent_type(&scene), MESSAGE_RESPONSE);
	give(&scene, NULL, 0, 1200);
	ck_assert_uint_eq(sent_type(&scene), MESSAGE_DATA);
	ck_assert_int_eq(data_read(&before, scene.actions.items[0].bytes, scene.actions.items[0].size,
				 &counter, plain),
		32);
}
END_TEST

START_TEST(the_same_initiation_is_answered_once)
{
	struct scene scene;
	uint8_t message[INITIATION_BYTES];

	build(&scene);
	initiate(&scene, 2, 100, message);
	ck_assert_uint_eq(scene.actions.count, 1);
	give(&scene, message, sizeof(message), 150);
	ck_assert_uint_eq(scene.actions.count, 0);
	initiate(&scene, 1, 200, message);
	ck_assert_uint_eq(scene.actions.count, 0);
	initiate(&scene, 3, 300, message);
	ck_assert_uint_eq(scene.actions.count, 1);
}
END_TEST

START_TEST(repeated_data_counts_once)
{
	struct scene scene;

	build(&scene);
	take_over(&scene, 1, 100);
	ck_assert_uint_eq(scene.client.pings, 1);
	confirm(&scene, 150);
	ck_assert_uint_eq(scene.actions.count, 0);
	ck_assert_uint_eq(scene.client.pings, 1);
}
END_TEST

START_TEST(unheard_for_fifteen_seconds_it_helps_itself)
{
	struct scene scene;

	build(&scene);
	take_over(&scene, 1, 100);
	ck_assert_uint_eq(sent_type(&scene), MESSAGE_DATA); /* unanswered from here on */
	give(&scene, NULL, 0, 100 + NEW_HANDSHAKE_MS - 1);
	ck_assert_uint_ne(sent_type(&scene), MESSAGE_INITIATION);
	give(&scene, NULL, 0, 100 + NEW_HANDSHAKE_MS);
	ck_assert_uint_eq(sent_type(&scene), MESSAGE_INITIATION);
}
END_TEST

/* Each has answered the other's initiation, and forgotten its own: only another one helps. */
START_TEST(initiations_that_cross_help_nobody)
{
	struct scene scene;
	struct handshake own;
	struct keys keys;
	uint8_t message[INITIATION_BYTES], late[INITIATION_BYTES], response[RESPONSE_BYTES],
		stamp[STAMP_BYTES];
	const uint8_t secret[32] = {77};

	build(&scene);
	take_over(&scene, 1, 100);
	client_cross(&scene.client);
	initiate(&scene, 2, 200, message);
	ck_assert_uint_eq(scene.actions.count, 1);
	ck_assert_uint_eq(sent_type(&scene), MESSAGE_INITIATION);
	ck_assert_int_eq(client_deadline(&scene.client), 1100); /* a ping, and no try before 5,200 */
	memcpy(late, scene.actions.items[0].bytes, sizeof(late));
	ck_assert(initiation_read(&scene.gateway, &own, late, stamp));
	response_write(&scene.gateway, &own, 900, secret, NULL, response, &keys);
	give(&scene, response, sizeof(response), 250);
	ck_assert_uint_eq(scene.client.handshakes_made, 0);
	ck_assert_uint_eq(scene.client.crossed, 1);
	ck_assert_uint_eq(
		sent_type(&scene), MESSAGE_RESPONSE); /* now, when the gateway looks for it no more */
	ck_assert_uint_eq(scene.actions.count, 1);
	take_over(&scene, 3, 400);
	ck_assert_uint_eq(sent_type(&scene), MESSAGE_DATA);
}
END_TEST

START_TEST(none_crosses_that_is_too_early_to_be_sent)
{
	struct scene scene;
	uint8_t message[INITIATION_BYTES];

	build(&scene);
	give(&scene, NULL, 0, 0);
	client_cross(&scene.client);
	initiate(&scene, 1, REKEY_TIMEOUT_MS - 1, message);
	ck_assert_uint_eq(scene.actions.count, 1);
	ck_assert_uint_eq(sent_type(&scene), MESSAGE_RESPONSE);
	initiate(&scene, 2, REKEY_TIMEOUT_MS, message);
	ck_assert_uint_eq(sent_type(&scene), MESSAGE_INITIATION);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("client");
	TCase *tcase = tcase_create("client");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, it_initiates_and_tries_again_after_five_seconds);
	tcase_add_test(tcase, it_answers_and_pings_once_the_session_is_confirmed);
	tcase_add_test(tcase, the_session_before_is_kept_until_then);
	tcase_add_test(tcase, the_same_initiation_is_answered_once);
	tcase_add_test(tcase, repeated_data_counts_once);
	tcase_add_test(tcase, unheard_for_fifteen_seconds_it_helps_itself);
	tcase_add_test(tcase, initiations_that_cross_help_nobody);
	tcase_add_test(tcase, none_crosses_that_is_too_early_to_be_sent);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
