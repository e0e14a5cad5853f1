/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/seat/chair.h"

/* The chair is gw-a's; gw-b is the other of the two that move. */
static struct chair chair;

static void setup(void)
{
	chair_init(&chair);
}

static void hear(enum seat_role role, uint32_t n)
{
	struct seat_state heard = {.endpoint = "vpn",
		.role = role,
		.epoch = {.term = 7, .n = n},
		.highest = {.term = 7, .n = n}};

	chair_step(
		&chair, (struct seat_event){
				.kind = SEAT_EVENT_HEARD, .from = "gw-b", .heard = &heard, .proven = true});
}

static void be_host(void)
{
	chair_order(&chair, 1, "gw-a");
	chair_pass(&chair, 2000);
	chair_order_guest(&chair, 1, "gw-a", "gw-b");
}

static void be_guest(void)
{
	chair_order_guest(&chair, 1, "gw-b", "gw-a");
	hear(SEAT_HOSTING, 1);
}

START_TEST(test_an_owner_steers_before_it_says_so)
{
	be_host();
	ck_assert_str_eq(chair.log, "Sr");
	ck_assert_int_eq(chair.steer, SEAT_STEER_AWAY);
	ck_assert_int_eq(chair.seat.role, SEAT_HOSTING);
	chair_order_guest(&chair, 1, "gw-a", "gw-b"); /* told twice */
	ck_assert_str_eq(chair.log, "");
	chair_pass(&chair, 1000); /* its lease goes on */
	ck_assert_int_eq(chair.seat.role, SEAT_HOSTING);
	ck_assert_int_gt(chair.kernel_until_ms, chair.now + 2000);
}
END_TEST

START_TEST(test_an_owner_that_cannot_steer_serves_on)
{
	be_host();
	chair_event(&chair, SEAT_EVENT_NO_STEERING);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	chair_order(&chair, 1, "");
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_uint_eq(chair.cleared, 1);
}
END_TEST

START_TEST(test_who_releases_relays_without_claiming_the_address)
{
	be_host();
	chair_order(&chair, 1, "");
	ck_assert_str_eq(chair.log, "-rP");
	ck_assert_int_eq(chair.seat.role, SEAT_RELAYING);
	ck_assert(!seat_is_ready(&chair.seat, chair.now)); /* it has sessions to forget first */
	ck_assert(!chair.announces);
	ck_assert_uint_eq(chair.disk.released.n, 1);
	ck_assert(epoch_is_zero(&chair.disk.served));
	chair_order(&chair, 2, "gw-b"); /* the other half of the move ends nothing */
	ck_assert_int_eq(chair.seat.role, SEAT_RELAYING);
	hear(SEAT_SERVING, 2);
	chair_pass(&chair, SEAT_SETTLE_MS - 50);
	ck_assert_int_eq(chair.seat.role, SEAT_RELAYING);
	chair_pass(&chair, 50);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_int_eq(chair.steer, SEAT_STEER_OFF);
	ck_assert_uint_eq(chair.resigned, 1);
	ck_assert(seat_is_ready(&chair.seat, chair.now));
}
END_TEST

START_TEST(test_who_relays_ends_even_if_nobody_serves)
{
	be_host();
	chair_order(&chair, 1, "");
	chair_pass(&chair, SEAT_RELAY_MS - 50);
	ck_assert_int_eq(chair.seat.role, SEAT_RELAYING);
	chair_pass(&chair, 50);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
}
END_TEST

START_TEST(test_who_relays_may_be_ordered_again)
{
	be_host();
	chair_order(&chair, 1, "");
	chair_order(&chair, 3, "gw-a"); /* gw-b died */
	/* its sessions are forgotten first: the clients have left them */
	ck_assert_str_eq(chair.log, "PCrORPATarP");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert(chair.announces);
	ck_assert_uint_eq(chair.acquired, 2);
}
END_TEST

START_TEST(test_a_host_that_is_forgotten_takes_its_peers_back)
{
	be_host();
	chair_pass(&chair, SEAT_HOST_MS - 50);
	ck_assert_int_eq(chair.seat.role, SEAT_HOSTING);
	chair_pass(&chair, 50);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_int_eq(chair.steer, SEAT_STEER_BACK);
	chair_pass(&chair, SEAT_RETURN_MS);
	ck_assert_int_eq(chair.steer, SEAT_STEER_OFF);
	ck_assert_uint_eq(chair.seat.epoch.n, 1);
}
END_TEST

START_TEST(test_a_move_called_off_takes_them_back_at_once)
{
	be_host();
	chair_order(&chair, 2, "gw-a");
	ck_assert_str_eq(chair.log, "BrWrP");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_uint_eq(chair.seat.epoch.n, 2);
}
END_TEST

START_TEST(test_a_host_without_carrier_is_fenced_and_steers_no_more)
{
	be_host();
	chair_carrier(&chair, false);
	ck_assert_str_eq(chair.log, "CrORP");
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
}
END_TEST

START_TEST(test_a_guest_speaks_only_once_its_host_hosts)
{
	chair_order_guest(&chair, 1, "gw-b", "gw-a");
	hear(SEAT_SERVING, 1);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_uint_eq(chair.acquired, 0);
	hear(SEAT_HOSTING, 1);
	ck_assert_str_eq(chair.log, "ATr");
	ck_assert_int_eq(chair.seat.role, SEAT_GUEST);
	ck_assert(!chair.announces);
	ck_assert_uint_eq(chair.announced, 0);
	chair_event(&chair, SEAT_EVENT_PULLED);
	ck_assert_str_eq(chair.log, "r");
	ck_assert_int_eq(chair.seat.role, SEAT_PULLED);
}
END_TEST

START_TEST(test_nobody_is_a_guest_uninvited_or_by_an_old_beat)
{
	struct seat_state heard = {
		.role = SEAT_HOSTING, .epoch = {.term = 7, .n = 1}, .highest = {.term = 7, .n = 1}};

	hear(SEAT_HOSTING, 1);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	chair_order_guest(&chair, 2, "gw-b", "gw-a");
	hear(SEAT_HOSTING, 1); /* not what it is invited to */
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	heard.epoch.n = 2;
	chair_step(&chair, (struct seat_event){.kind = SEAT_EVENT_HEARD, .from = "gw-b", .heard = &heard});
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	chair_pass(&chair, SEAT_INVITED_MS);
	hear(SEAT_HOSTING, 2);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
}
END_TEST

START_TEST(test_a_guest_lives_as_long_as_its_host_is_heard)
{
	be_guest();
	for (int i = 0; i < 100; i++) {
		chair_pass(&chair, 50);
		hear(SEAT_HOSTING, 1);
	}
	ck_assert_int_eq(chair.seat.role, SEAT_PULLED); /* its time to pull was over */
	ck_assert_uint_eq(chair.rested, 0);             /* whoever is not back is woken on */
	ck_assert_int_le(chair.kernel_until_ms, chair.now + SEAT_GUEST_MS);
	chair_pass(&chair, SEAT_GUEST_MS - 50);
	ck_assert_int_eq(chair.seat.role, SEAT_PULLED);
	chair_pass(&chair, 100);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_uint_eq(chair.resigned, 1);
	ck_assert(epoch_is_zero(&chair.seat.epoch)); /* it has served nothing */
}
END_TEST

START_TEST(test_a_guest_that_takes_over_only_has_to_say_so)
{
	be_guest();
	chair_event(&chair, SEAT_EVENT_PULLED);
	chair_order(&chair, 1, "");
	ck_assert_int_eq(chair.seat.role, SEAT_PULLED); /* it was not told that */
	chair_order(&chair, 2, "gw-a");
	/* before the address moves: what clients still send to its host comes here then */
	ck_assert_str_eq(chair.log, "B+aWrP");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert(chair.announces);
	ck_assert_uint_eq(chair.acquired, 1);
	ck_assert_uint_eq(chair.taken, 1);
	chair_pass(&chair, SEAT_RETURN_MS - 50);
	ck_assert_int_eq(chair.steer, SEAT_STEER_BACK);
	chair_pass(&chair, 150);
	ck_assert_int_eq(chair.steer, SEAT_STEER_OFF);
	ck_assert_uint_eq(chair.announced, SEAT_ANNOUNCE_COUNT);
}
END_TEST

static void be_heir(void)
{
	struct order order = {.endpoint = "vpn",
		.epoch = {.term = 7, .n = 1},
		.owner = "gw-b",
		.guest = "gw-a",
		.next = {.term = 7, .n = 2},
		.cause = "move"};

	chair_step(&chair, (struct seat_event){.kind = SEAT_EVENT_ORDER, .order = &order});
	hear(SEAT_HOSTING, 1);
	chair_event(&chair, SEAT_EVENT_PULLED);
}

/* The host is heard relaying, every 50 ms for so long. */
static void relay_for(int64_t ms)
{
	for (int64_t end = chair.now + ms; chair.now < end; chair_pass(&chair, 50))
		hear(SEAT_RELAYING, 1);
}

START_TEST(test_a_guest_that_nobody_orders_is_its_hosts_heir)
{
	be_heir();
	relay_for(SEAT_HEIR_MS);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_uint_eq(chair.seat.epoch.n, 2);
	ck_assert_str_eq(chair.seat.order.from, "gw-b");
	ck_assert_str_eq(chair.seat.order.cause, "move");
	ck_assert(chair.announces);
	chair_order(&chair, 2, "gw-a"); /* the controller was only late */
	ck_assert_str_eq(chair.log, "");
}
END_TEST

START_TEST(test_nobody_inherits_from_a_host_that_has_not_released)
{
	be_heir();
	for (int i = 0; i < 20; i++) {
		hear(SEAT_HOSTING, 1);
		chair_pass(&chair, 50);
	}
	ck_assert_int_eq(chair.seat.role, SEAT_PULLED);
	chair_pass(&chair, SEAT_GUEST_MS); /* it is silent */
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
}
END_TEST

/* It was called off, or somebody succeeded. */
START_TEST(test_nobody_inherits_once_a_higher_epoch_is_known)
{
	be_heir();
	relay_for(SEAT_HEIR_MS - 50);
	chair_order(&chair, 3, "gw-b");
	hear(SEAT_RELAYING, 1);
	chair_pass(&chair, SEAT_HEIR_MS);
	ck_assert_int_eq(chair.seat.role, SEAT_PULLED);
}
END_TEST

START_TEST(test_a_guest_that_was_promised_no_epoch_waits)
{
	be_guest();
	relay_for(2 * SEAT_HEIR_MS);
	ck_assert_int_eq(chair.seat.role, SEAT_GUEST);
}
END_TEST

START_TEST(test_an_heir_that_has_become_unfit_burns_its_epoch)
{
	be_heir();
	chair_fit(&chair, false);
	relay_for(2 * SEAT_HEIR_MS);
	ck_assert_int_eq(chair.seat.role, SEAT_PULLED);
	ck_assert_uint_eq(chair.refused, 1);
	ck_assert_uint_eq(chair.seat.spent.n, 2);
}
END_TEST

START_TEST(test_a_guest_wakes_nobody_whom_its_host_takes_back)
{
	be_guest();
	hear(SEAT_HOSTING, 1);
	ck_assert_str_eq(chair.log, "");
	hear(SEAT_SERVING, 1);
	ck_assert_str_eq(chair.log, "Z");
	chair_order(&chair, 3, "gw-c");
	ck_assert_str_eq(chair.log, "PZ");
	chair_pass(&chair, SEAT_GUEST_MS);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
}
END_TEST

START_TEST(test_back_again_before_it_has_settled)
{
	be_host();
	chair_order(&chair, 1, "");
	chair_order_guest(&chair, 2, "gw-b", "gw-a");
	hear(SEAT_HOSTING, 2);
	chair_pass(&chair, SEAT_LINGER_MS - 50);
	hear(SEAT_HOSTING, 2);
	/* what clients sent to it may still be on its way */
	ck_assert_int_eq(chair.seat.role, SEAT_RELAYING);
	ck_assert_int_eq(chair.steer, SEAT_STEER_AWAY);
	chair_pass(&chair, 50);
	hear(SEAT_HOSTING, 2);
	ck_assert_str_eq(chair.log, "CrORPATr"); /* its sessions are forgotten before it shakes hands */
	ck_assert_int_eq(chair.seat.role, SEAT_GUEST);
}
END_TEST

START_TEST(test_an_invitation_outlives_the_end_of_a_relay)
{
	be_host();
	chair_order(&chair, 1, "");
	chair_pass(&chair, SEAT_RELAY_MS - 50);
	chair_order_guest(&chair, 2, "gw-b", "gw-a");
	chair_pass(&chair, 50);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	hear(SEAT_HOSTING, 2);
	ck_assert_int_eq(chair.seat.role, SEAT_GUEST);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("moves");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_an_owner_steers_before_it_says_so);
	tcase_add_test(all, test_an_owner_that_cannot_steer_serves_on);
	tcase_add_test(all, test_who_releases_relays_without_claiming_the_address);
	tcase_add_test(all, test_who_relays_ends_even_if_nobody_serves);
	tcase_add_test(all, test_who_relays_may_be_ordered_again);
	tcase_add_test(all, test_a_host_that_is_forgotten_takes_its_peers_back);
	tcase_add_test(all, test_a_move_called_off_takes_them_back_at_once);
	tcase_add_test(all, test_a_host_without_carrier_is_fenced_and_steers_no_more);
	tcase_add_test(all, test_a_guest_speaks_only_once_its_host_hosts);
	tcase_add_test(all, test_nobody_is_a_guest_uninvited_or_by_an_old_beat);
	tcase_add_test(all, test_a_guest_lives_as_long_as_its_host_is_heard);
	tcase_add_test(all, test_a_guest_that_takes_over_only_has_to_say_so);
	tcase_add_test(all, test_a_guest_that_nobody_orders_is_its_hosts_heir);
	tcase_add_test(all, test_nobody_inherits_from_a_host_that_has_not_released);
	tcase_add_test(all, test_nobody_inherits_once_a_higher_epoch_is_known);
	tcase_add_test(all, test_a_guest_that_was_promised_no_epoch_waits);
	tcase_add_test(all, test_an_heir_that_has_become_unfit_burns_its_epoch);
	tcase_add_test(all, test_a_guest_wakes_nobody_whom_its_host_takes_back);
	tcase_add_test(all, test_back_again_before_it_has_settled);
	tcase_add_test(all, test_an_invitation_outlives_the_end_of_a_relay);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
