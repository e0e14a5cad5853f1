/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "common/cluster/lease.h"
#include "tests/unit/seat/chair.h"

/* `isolation: fence`, with a lease of 3 s. */
enum { BOUND_MS = 3130 }; /* lease x 1.01 + 100 */

static struct chair chair;

static void setup(void)
{
	chair_prepare_in(&chair, true);
	chair_start(&chair, NULL, 0);
	chair_carrier(&chair, true);
	chair_fit(&chair, true);
	chair_floor(&chair, 1, 0, true);
	chair_pass(&chair, BOUND_MS);
}

static void answer(enum seat_event_kind kind, const char *from)
{
	chair_step(&chair,
		(struct seat_event){
			.kind = kind, .from = from, .claim = &chair.claim, .at_ms = chair.claimed_ms});
}

static void grant(void)
{
	answer(SEAT_EVENT_GRANT, NULL);
}

/* As for every claim that the chair has sent. */
static void pass_granted(int64_t ms)
{
	for (int64_t end = chair.now + ms; chair.now < end;) {
		chair_pass(&chair, 50);
		grant();
	}
}

static void serve(uint32_t n)
{
	chair_order(&chair, n, "gw-a");
	grant();
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}

static void ask(uint32_t n, bool serves, int64_t controller_ms)
{
	struct claim claim = {.endpoint = "vpn", .gateway = "gw-b", .epoch = {.term = 7, .n = n}};

	claim.serves = serves;
	claim.terms = chair.seat.terms;
	chair_step(&chair,
		(struct seat_event){.kind = SEAT_EVENT_CLAIM, .claim = &claim, .at_ms = controller_ms});
}

START_TEST(test_an_order_is_asked_for_and_the_grant_carries_it_out)
{
	chair_order(&chair, 5, "gw-a");
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	ck_assert_uint_eq(chair.claimed, 1);
	ck_assert_uint_eq(chair.claim.epoch.n, 5);
	ck_assert(!chair.claim.serves && chair.widely);
	ck_assert_str_eq(chair.claim.gateway, "gw-a");
	int64_t asked_ms = chair.claimed_ms;
	chair.now += 40;
	chair_step(&chair,
		(struct seat_event){.kind = SEAT_EVENT_GRANT, .claim = &chair.claim, .at_ms = asked_ms});
	ck_assert_str_eq(chair.log, "ATarP");
	ck_assert_int_eq(chair.kernel_until_ms, asked_ms + 3000);
	ck_assert_str_eq(chair.seat.order.cause, "test");
}
END_TEST

START_TEST(test_it_asks_again_until_it_is_answered)
{
	chair_order(&chair, 5, "gw-a");
	chair_pass(&chair, 10 * SEAT_CLAIM_URGENT_MS);
	ck_assert_uint_ge(chair.claimed, 10);
	chair_order(&chair, 5, "gw-a"); /* told twice */
	ck_assert_uint_eq(chair.acquired, 0);
	grant();
	ck_assert_uint_eq(chair.acquired, 1);
}
END_TEST

START_TEST(test_a_grant_that_took_too_long_takes_nothing)
{
	chair_order(&chair, 5, "gw-a");
	int64_t asked_ms = chair.claimed_ms;
	chair_pass(&chair, 2250);
	chair_step(&chair,
		(struct seat_event){.kind = SEAT_EVENT_GRANT, .claim = &chair.claim, .at_ms = asked_ms});
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	grant();
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_a_higher_epoch_ends_the_waiting)
{
	chair_order(&chair, 5, "gw-a");
	chair_order(&chair, 6, "gw-b");
	grant();
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	unsigned claimed = chair.claimed;
	chair_pass(&chair, 500);
	ck_assert_uint_eq(chair.claimed, claimed);
}
END_TEST

START_TEST(test_one_who_cannot_take_it_any_more_burns_it_aloud)
{
	chair_order(&chair, 5, "gw-a");
	chair_fit(&chair, false);
	ck_assert_uint_eq(chair.refused, 1);
	ck_assert_int_eq(chair.why, SEAT_WHY_UNFIT);
	ck_assert_uint_eq(chair.seat.disk.released.n, 5);
	chair_fit(&chair, true);
	chair_floor(&chair, 1, 0, true);
	grant();
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
}
END_TEST

START_TEST(test_an_owner_lives_on_grants_and_contact_alone_is_nothing)
{
	serve(5);
	pass_granted(10000);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert(chair.claim.serves && !chair.widely);
	int64_t last_ms = chair.claimed_ms;
	chair_pass(&chair, 200);
	ck_assert(chair.widely); /* nobody answers: the pool is asked */
	chair_pass(&chair, last_ms + 3000 - chair.now - 1);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	chair_pass(&chair, 1);
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
	ck_assert_int_eq(chair.why, SEAT_WHY_LEASE);
	ck_assert_uint_eq(chair.disk.released.n, 5);
}
END_TEST

START_TEST(test_without_a_controller_all_have_to_promise)
{
	serve(5);
	for (int i = 0; i < 200; i++) {
		chair_pass(&chair, 50);
		answer(SEAT_EVENT_PROMISE, "gw-b");
		answer(SEAT_EVENT_PROMISE, "gw-c");
	}
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	for (int i = 0; i < 70; i++) {
		chair_pass(&chair, 50);
		answer(SEAT_EVENT_PROMISE, "gw-b");
	}
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
}
END_TEST

START_TEST(test_a_stall_extends_nothing_before_a_new_answer)
{
	serve(5);
	pass_granted(1000);
	unsigned renewed = chair.renewed;
	struct claim before = chair.claim;
	int64_t asked_ms = chair.claimed_ms;
	chair_stall(&chair, 500);
	chair_step(
		&chair, (struct seat_event){.kind = SEAT_EVENT_GRANT, .claim = &before, .at_ms = asked_ms});
	chair_pass(&chair, 600);
	ck_assert_uint_eq(chair.renewed, renewed);
	grant();
	ck_assert_uint_eq(chair.renewed, renewed + 1);
}
END_TEST

START_TEST(test_a_promise_binds_for_a_lease_and_longer)
{
	ask(4, true, SEAT_NEVER);
	ck_assert_uint_eq(chair.promised, 1);
	int64_t promised_ms = chair.now;
	chair_order(&chair, 5, "gw-a");
	while (chair.now < promised_ms + BOUND_MS - 20) {
		chair_pass(&chair, 10);
		grant();
	}
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	chair_pass(&chair, 40);
	grant();
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_int_ge(chair.now, promised_ms + BOUND_MS);
}
END_TEST

START_TEST(test_nothing_is_promised_to_whom_it_is_not_due)
{
	ask(4, true, chair.now - 320); /* a controller is there, as far as is known */
	ask(4, false, SEAT_NEVER);     /* it does not serve */
	chair_hear(&chair, SEAT_STANDBY, 0, 6);
	ask(5, true, SEAT_NEVER); /* a higher epoch is known */
	ck_assert_uint_eq(chair.promised, 0);
	ask(6, true, chair.now - 321);
	ck_assert_uint_eq(chair.promised, 1);
}
END_TEST

START_TEST(test_an_owner_and_one_who_waits_promise_nothing)
{
	chair_order(&chair, 5, "gw-a");
	ask(5, true, SEAT_NEVER);
	grant();
	ask(5, true, SEAT_NEVER);
	ck_assert_uint_eq(chair.promised, 0);
}
END_TEST

START_TEST(test_one_who_restarts_takes_nothing_for_a_lease)
{
	struct seat_disk disk = {.highest = {.term = 7, .n = 4}};

	chair_prepare_in(&chair, true);
	int64_t started_ms = chair.now;
	chair_start(&chair, &disk, 0);
	ck_assert_uint_eq(chair.seat.disk.released.n, 4); /* whatever it was, it serves it no more */
	chair_carrier(&chair, true);
	chair_fit(&chair, true);
	chair_floor(&chair, 1, 0, true);
	chair_order(&chair, 5, "gw-a");
	while (chair.seat.role != SEAT_SERVING && chair.now < started_ms + 10000) {
		chair_pass(&chair, 10);
		grant();
	}
	ck_assert_int_ge(chair.now, started_ms + BOUND_MS);
	ck_assert_int_le(chair.now, started_ms + BOUND_MS + 50);
}
END_TEST

START_TEST(test_no_grant_helps_without_carrier)
{
	serve(5);
	chair_carrier(&chair, false);
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
	grant();
	ck_assert_int_eq(chair.seat.role, SEAT_FENCED);
}
END_TEST

START_TEST(test_what_was_answered_on_other_terms_is_worth_nothing)
{
	struct seat_config config = chair.seat.config;

	serve(5);
	pass_granted(500);
	unsigned promised = chair.promised;
	config.lease_ms *= 2;
	seat_configure(&chair.seat, &config, chair.now);
	ck_assert_int_eq(tenure_by(&chair.seat.tenure, &chair.seat.epoch, chair.now), TENURE_BY_NOBODY);
	chair_pass(&chair, 1); /* asked anew at once */
	ck_assert_uint_eq(chair.claim.terms, chair.seat.terms);
	grant();
	ck_assert_int_eq(tenure_by(&chair.seat.tenure, &chair.seat.epoch, chair.now), TENURE_BY_CONTROLLER);
	ck_assert_uint_eq(chair.promised, promised);
}
END_TEST

static void become_hold(void)
{
	struct seat_config config = chair.seat.config;

	config.exclusive = false;
	seat_configure(&chair.seat, &config, chair.now);
}

/* Nobody answers a claim of it any more. */
START_TEST(test_an_order_that_waits_is_carried_out_once_the_endpoint_is_of_hold)
{
	chair_order(&chair, 5, "gw-a");
	chair_pass(&chair, 20);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	become_hold();
	chair_pass(&chair, 1);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
	ck_assert_uint_eq(chair.seat.epoch.n, 5);
}
END_TEST

START_TEST(test_a_promise_binds_it_then_too)
{
	int64_t promised_ms = chair.now;

	ask(4, true, SEAT_NEVER);
	ck_assert_uint_eq(chair.promised, 1);
	chair_order(&chair, 5, "gw-a");
	become_hold();
	chair_pass(&chair, promised_ms + BOUND_MS - 1 - chair.now);
	ck_assert_int_eq(chair.seat.role, SEAT_STANDBY);
	chair_pass(&chair, 1);
	ck_assert_int_eq(chair.seat.role, SEAT_SERVING);
}
END_TEST

START_TEST(test_nothing_is_promised_on_other_terms)
{
	struct claim claim = {
		.endpoint = "vpn", .gateway = "gw-b", .epoch = {.term = 7, .n = 9}, .serves = true};

	chair_step(
		&chair, (struct seat_event){.kind = SEAT_EVENT_CLAIM, .claim = &claim, .at_ms = SEAT_NEVER});
	ck_assert_uint_eq(chair.promised, 0);
	claim.terms = chair.seat.terms;
	chair_step(
		&chair, (struct seat_event){.kind = SEAT_EVENT_CLAIM, .claim = &claim, .at_ms = SEAT_NEVER});
	ck_assert_uint_eq(chair.promised, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("exclusive");
	TCase *tcase = tcase_create("exclusive");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_an_order_is_asked_for_and_the_grant_carries_it_out);
	tcase_add_test(tcase, test_it_asks_again_until_it_is_answered);
	tcase_add_test(tcase, test_a_grant_that_took_too_long_takes_nothing);
	tcase_add_test(tcase, test_a_higher_epoch_ends_the_waiting);
	tcase_add_test(tcase, test_one_who_cannot_take_it_any_more_burns_it_aloud);
	tcase_add_test(tcase, test_an_owner_lives_on_grants_and_contact_alone_is_nothing);
	tcase_add_test(tcase, test_without_a_controller_all_have_to_promise);
	tcase_add_test(tcase, test_a_stall_extends_nothing_before_a_new_answer);
	tcase_add_test(tcase, test_a_promise_binds_for_a_lease_and_longer);
	tcase_add_test(tcase, test_an_order_that_waits_is_carried_out_once_the_endpoint_is_of_hold);
	tcase_add_test(tcase, test_a_promise_binds_it_then_too);
	tcase_add_test(tcase, test_nothing_is_promised_to_whom_it_is_not_due);
	tcase_add_test(tcase, test_an_owner_and_one_who_waits_promise_nothing);
	tcase_add_test(tcase, test_one_who_restarts_takes_nothing_for_a_lease);
	tcase_add_test(tcase, test_no_grant_helps_without_carrier);
	tcase_add_test(tcase, test_what_was_answered_on_other_terms_is_worth_nothing);
	tcase_add_test(tcase, test_nothing_is_promised_on_other_terms);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
