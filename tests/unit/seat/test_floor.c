/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "tests/unit/seat/chair.h"

static struct chair chair;

static void setup(void)
{
	chair_init(&chair);
}

static void serve(void)
{
	chair_order(&chair, 5, "gw-a");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}

START_TEST(test_the_highest_word_counts_and_one_confirms)
{
	struct floor floor = {.known = 4};

	ck_assert(floor_hear(&floor, 6, false));
	ck_assert(!floor_hear(&floor, 5, false)); /* nothing new */
	ck_assert_uint_eq(floor.known, 6);
	ck_assert(!floor.confirmed);
	ck_assert(floor_hear(
		&floor, 0, true)); /* a controller of an old database: it vouches, and lowers nothing */
	ck_assert_uint_eq(floor.known, 6);
	ck_assert(floor.confirmed);
	ck_assert(!floor_hear(&floor, 6, false));
	ck_assert(floor.confirmed);
}
END_TEST

START_TEST(test_the_floor_itself_is_not_below_it)
{
	struct floor floor = {.known = 6};

	ck_assert(floor_is_above(&floor, 5));
	ck_assert(!floor_is_above(&floor, 6));
	ck_assert(!floor_is_above(&(struct floor){0}, 0));
}
END_TEST

START_TEST(test_below_the_floor_it_takes_nothing)
{
	chair_floor(&chair, 6, 7, true);
	ck_assert(!seat_is_ready(&chair.seat, chair.now));
	chair_order(&chair, 5, "gw-a");
	ck_assert_int_eq(chair.why, SEAT_WHY_FLOOR);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	chair_floor(&chair, 7, 7, true);
	ck_assert(seat_is_ready(&chair.seat, chair.now));
	chair_order(&chair, 5, "gw-a"); /* that one is burnt */
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	chair_order(&chair, 6, "gw-a");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_below_the_floor_it_is_no_guest)
{
	chair_order_guest(&chair, 5, "gw-b", "gw-a");
	chair_floor(&chair, 6, 7, true);
	chair_step(&chair,
		(struct seat_event){.kind = SEAT_EVENT_HEARD,
			.from = "gw-b",
			.proven = true,
			.heard = &(struct seat_state){.role = SEAT_HOSTING, .epoch = {.term = 7, .n = 5}}});
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
}
END_TEST

/* The commit is on its way, or is being carried out. */
START_TEST(test_an_owner_goes_on_while_a_commit_may_come)
{
	serve();
	chair_floor(&chair, 6, 7, true);
	chair_pass(&chair, SEAT_FLOOR_MS - 50);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	chair_floor(&chair, 7, 7, true);
	chair_pass(&chair, 10000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_uint_eq(chair.cleared, 0);
}
END_TEST

START_TEST(test_an_owner_that_gets_no_commit_fences_itself)
{
	serve();
	chair_floor(&chair, 6, 7, false);
	int64_t since = chair.now;
	chair_pass(&chair, 1000);
	chair_floor(&chair, 6, 8, false); /* still below: that gives no more time */
	while (chair.seat.role == SEAT_SERVING)
		chair_pass(&chair, 1);
	ck_assert_int_ge(chair.now - since, SEAT_FLOOR_MS);
	ck_assert_int_le(chair.now - since, SEAT_FLOOR_MS + 50);
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
	ck_assert_int_eq(chair.why, SEAT_WHY_FLOOR);
	ck_assert(seat_is_below_floor(&chair.seat, chair.now));
	chair_floor(&chair, 8, 8, true);
	ck_assert(!seat_is_below_floor(&chair.seat, chair.now));
}
END_TEST

START_TEST(test_a_guest_leaves_like_an_owner)
{
	chair_order_guest(&chair, 5, "gw-b", "gw-a");
	for (int ms = 0; ms < SEAT_FLOOR_MS - 100; ms += 50) {
		chair_step(&chair, (struct seat_event){.kind = SEAT_EVENT_HEARD,
					   .from = "gw-b",
					   .proven = true,
					   .heard = &(struct seat_state){
						   .role = SEAT_HOSTING, .epoch = {.term = 7, .n = 5}}});
		if (ms == 0)
			chair_floor(&chair, 6, 7, true);
		ck_assert(seat_holds(&chair.seat));
		chair_pass(&chair, 50);
	}
	chair_pass(&chair, 150);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
}
END_TEST

static void start_with(uint64_t generation, uint64_t floor, uint32_t permit_left_ms)
{
	struct seat_disk disk = {.highest = {7, 5, 0}, .served = {7, 5, 0}};

	chair_prepare(&chair);
	chair_start(&chair, &disk, permit_left_ms);
	chair_floor(&chair, generation, floor, false);
	chair_carrier(&chair, true);
	chair_fit(&chair, true);
}

START_TEST(test_one_that_starts_takes_nothing_before_the_floor_is_confirmed)
{
	start_with(7, 7, 0);
	chair_pass(&chair, 1000);
	chair_order(&chair, 6, "gw-a");
	ck_assert_int_eq(chair.why, SEAT_WHY_UNCONFIRMED);
	chair_floor(&chair, 7, 7, true);
	chair_order(&chair, 7, "gw-a");
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

/* It was away for less than a lease: an agent that is upgraded while no controller lives loses nothing. */
START_TEST(test_what_the_kernel_holds_needs_no_confirmation)
{
	start_with(7, 7, 2000);
	chair_pass(&chair, 5000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

/* Nobody is about to bring what it lost with its last life. */
START_TEST(test_one_that_starts_below_its_floor_gives_up_at_once)
{
	start_with(6, 7, 2000);
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
	ck_assert_uint_eq(chair.cleared, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("floor");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_the_highest_word_counts_and_one_confirms);
	tcase_add_test(all, test_the_floor_itself_is_not_below_it);
	tcase_add_test(all, test_below_the_floor_it_takes_nothing);
	tcase_add_test(all, test_below_the_floor_it_is_no_guest);
	tcase_add_test(all, test_an_owner_goes_on_while_a_commit_may_come);
	tcase_add_test(all, test_an_owner_that_gets_no_commit_fences_itself);
	tcase_add_test(all, test_a_guest_leaves_like_an_owner);
	tcase_add_test(all, test_one_that_starts_takes_nothing_before_the_floor_is_confirmed);
	tcase_add_test(all, test_what_the_kernel_holds_needs_no_confirmation);
	tcase_add_test(all, test_one_that_starts_below_its_floor_gives_up_at_once);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
