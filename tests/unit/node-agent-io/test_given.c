/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/reconcile/given.h"

static struct wg_device device_of(uint16_t keepalive_s)
{
	struct wg_device device = {.peer_count = 1, .peer_capacity = 1};

	device.peers = mem_new(1, sizeof(*device.peers));
	device.peers[0].public_key.bytes[0] = 7;
	device.peers[0].keepalive_s = keepalive_s;
	return device;
}

static const struct wg_peer_change off = {
	.public_key = {{7}}, .flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_KEEPALIVE};

START_TEST(what_was_read_is_taken_once)
{
	struct given_list list = {0};
	struct wg_device device = device_of(25), taken;

	ck_assert(!given_is_there(&list, "wg0", 1000));
	ck_assert(given_put(&list, "wg0", &device, 1000));
	ck_assert_uint_eq(device.peer_count, 0); /* it is the list's now */
	ck_assert(given_is_there(&list, "wg0", 1000) && !given_is_there(&list, "wg1", 1000));
	ck_assert(given_take(&list, "wg0", 1100, &taken));
	ck_assert_uint_eq(taken.peers[0].keepalive_s, 25);
	wg_device_clear(&taken);
	ck_assert(!given_take(&list, "wg0", 1100, &taken));
	given_clear(&list);
}
END_TEST

START_TEST(what_is_old_says_nothing)
{
	struct given_list list = {0};
	struct wg_device device = device_of(25), taken;

	ck_assert(given_put(&list, "wg0", &device, 1000));
	ck_assert(given_is_there(&list, "wg0", 1000 + GIVEN_AGE_MAX_MS));
	ck_assert(!given_take(&list, "wg0", 1000 + GIVEN_AGE_MAX_MS + 1, &taken));
	given_clear(&list);
}
END_TEST

START_TEST(a_change_is_made_in_it_too)
{
	const struct wg_change change = {.peers = &off, .peer_count = 1};
	struct given_list list = {0};
	struct wg_device device = device_of(25), taken;

	ck_assert(given_put(&list, "wg0", &device, 1000));
	given_changed(&list, "wg0", &change, 1050);
	ck_assert(given_take(&list, "wg0", 1100, &taken));
	ck_assert_uint_eq(taken.peers[0].keepalive_s, 0);
	wg_device_clear(&taken);
	given_clear(&list);
}
END_TEST

START_TEST(an_unknown_change_ends_it)
{
	const struct wg_change key = {.flags = WG_SET_PRIVATE_KEY};
	const struct wg_change *unknown[] = {NULL, &key};
	struct wg_device device, taken;

	for (size_t i = 0; i < 2; i++) {
		struct given_list list = {0};

		device = device_of(25);
		ck_assert(given_put(&list, "wg0", &device, 1000));
		given_changed(&list, "wg1", unknown[i], 1050); /* of another */
		ck_assert(given_is_there(&list, "wg0", 1100));
		given_changed(&list, "wg0", unknown[i], 1050);
		ck_assert(!given_take(&list, "wg0", 1100, &taken));
		given_clear(&list);
	}
}
END_TEST

START_TEST(a_reading_that_began_before_a_change_is_none)
{
	const struct wg_change change = {.peers = &off, .peer_count = 1};
	struct given_list list = {0};
	struct wg_device device = device_of(25);

	given_changed(&list, "wg0", &change, 1050);
	ck_assert(!given_put(&list, "wg0", &device, 1049));
	device = device_of(25);
	ck_assert(!given_put(&list, "wg0", &device, 1050));
	ck_assert_uint_eq(device.peer_count, 0);
	ck_assert(!given_is_there(&list, "wg0", 1100));
	device = device_of(0);
	ck_assert(given_put(&list, "wg0", &device, 1051));
	ck_assert(given_is_there(&list, "wg0", 1100));
	given_clear(&list);
}
END_TEST

/* Tunnels come and go: those that have gone are no reason to know nothing of others. */
START_TEST(more_tunnels_than_there_may_be)
{
	struct given_list list = {0};
	char name[16];

	for (int i = 0; i < PROTO_TUNNELS_MAX + 1; i++) {
		struct wg_device device = device_of(25);

		snprintf(name, sizeof(name), "wg%d", i);
		ck_assert(given_put(&list, name, &device, 1000));
		ck_assert(given_is_there(&list, name, 1000));
	}
	given_clear(&list);
}
END_TEST

START_TEST(who_made_room_was_changed_all_the_same)
{
	struct given_list list = {0};
	struct wg_device device = device_of(25);
	char name[16];

	for (int i = 0; i < PROTO_TUNNELS_MAX + 1; i++) {
		snprintf(name, sizeof(name), "wg%d", i);
		given_changed(&list, name, NULL, 1050 - i);
	}
	ck_assert(!given_put(&list, "wg0", &device, 1050));
	device = device_of(25);
	ck_assert(given_put(&list, "wg0", &device, 1051));
	given_clear(&list);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("given");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(all, what_was_read_is_taken_once);
	tcase_add_test(all, what_is_old_says_nothing);
	tcase_add_test(all, a_change_is_made_in_it_too);
	tcase_add_test(all, an_unknown_change_ends_it);
	tcase_add_test(all, a_reading_that_began_before_a_change_is_none);
	tcase_add_test(all, more_tunnels_than_there_may_be);
	tcase_add_test(all, who_made_room_was_changed_all_the_same);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
