/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "node-agent/core/hearsay/hearsay.h"

static struct hearsay hearsay;
static const struct epoch none, first = {.term = 6, .n = 1}, second = {.term = 6, .n = 2};

static void setup(void)
{
	hearsay = (struct hearsay){0};
}

static bool hear(const char *from, enum seat_role role, struct epoch epoch, struct epoch released)
{
	struct seat_state seat = {
		.endpoint = "vpn", .role = role, .epoch = epoch, .highest = epoch, .released = released};

	return hearsay_hear(&hearsay, from, &seat);
}

static void is(const char *gateway, enum seat_role role, struct epoch epoch, struct epoch released)
{
	ck_assert_str_eq(hearsay.gateway, gateway);
	ck_assert_int_eq(hearsay.seat.role, role);
	ck_assert_int_eq(epoch_compare(&hearsay.seat.epoch, &epoch), 0);
	ck_assert_int_eq(epoch_compare(&hearsay.seat.released, &released), 0);
}

START_TEST(who_serves_is_news_once)
{
	ck_assert(!hear("gw-a", SEAT_STANDBY, none, none));
	ck_assert(!hearsay_is_news(&hearsay, &none));
	ck_assert(hear("gw-b", SEAT_SERVING, first, none));
	ck_assert(!hear("gw-b", SEAT_SERVING, first, none));
	ck_assert(!hear("gw-b", SEAT_HOSTING, first, none));
	ck_assert(!hear("gw-a", SEAT_STANDBY, none, first));
	is("gw-b", SEAT_HOSTING, first, none);
	ck_assert_str_eq(hearsay.seat.endpoint, "vpn");
}
END_TEST

START_TEST(that_it_lets_go_is_news_once)
{
	hear("gw-b", SEAT_SERVING, first, none);
	ck_assert(hear("gw-b", SEAT_FENCED, first, first));
	ck_assert(!hear("gw-b", SEAT_FENCED, first, first));
	is("gw-b", SEAT_FENCED, first, first);
	hear("gw-b", SEAT_SERVING, second, first);
	ck_assert(hear("gw-b", SEAT_RELAYING, second, second));
	is("gw-b", SEAT_RELAYING, second, second);
}
END_TEST

/* `hold`: it does not say `released`, and never serves under that again. */
START_TEST(one_that_fenced_itself_has_let_go)
{
	hear("gw-b", SEAT_SERVING, first, none);
	ck_assert(hear("gw-b", SEAT_FENCED, first, none));
	ck_assert(!hear("gw-b", SEAT_STANDBY, none, none)); /* it has started anew */
	is("gw-b", SEAT_STANDBY, first, first);
}
END_TEST

START_TEST(a_beat_that_was_overtaken_takes_nothing_back)
{
	hear("gw-b", SEAT_SERVING, first, none);
	hear("gw-b", SEAT_FENCED, first, first);
	ck_assert(!hear("gw-b", SEAT_SERVING, first, none));
	is("gw-b", SEAT_FENCED, first, first);
	ck_assert(hear("gw-b", SEAT_SERVING, second, first));
	is("gw-b", SEAT_SERVING, second, first);
}
END_TEST

/* It has fenced itself, and serves again: of that one nobody has let go. */
START_TEST(a_fence_that_was_overtaken_lets_go_of_its_own_epoch_only)
{
	struct epoch gone;

	hear("gw-b", SEAT_SERVING, first, none);
	hear("gw-b", SEAT_SERVING, second, none);
	ck_assert(hear("gw-b", SEAT_FENCED, first, none));
	is("gw-b", SEAT_STANDBY, second, first);
	gone = seat_let_go(&hearsay.seat);
	ck_assert_int_eq(epoch_compare(&gone, &first), 0);
	ck_assert(!hear("gw-b", SEAT_SERVING, second, first));
	is("gw-b", SEAT_SERVING, second, first);
}
END_TEST

START_TEST(of_two_that_serve_the_higher_is_told)
{
	hear("gw-b", SEAT_SERVING, second, none);
	ck_assert(!hear("gw-a", SEAT_SERVING, first, none));
	is("gw-b", SEAT_SERVING, second, none);
	ck_assert(
		!hear("gw-c", SEAT_SERVING, second, none)); /* and of equal ones the first, without an end */
	is("gw-b", SEAT_SERVING, second, none);
	setup();
	hear("gw-a", SEAT_SERVING, first, none);
	ck_assert(hear("gw-b", SEAT_SERVING, second, none));
	is("gw-b", SEAT_SERVING, second, none);
}
END_TEST

START_TEST(of_what_it_served_itself_since_a_gateway_tells_nothing)
{
	hear("gw-b", SEAT_SERVING, first, none);
	ck_assert(hearsay_is_news(&hearsay, &none));
	ck_assert(!hearsay_is_news(&hearsay, &first));
	ck_assert(!hearsay_is_news(&hearsay, &second));
	hear("gw-c", SEAT_SERVING, second, none);
	ck_assert(hearsay_is_news(&hearsay, &first));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hearsay");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, who_serves_is_news_once);
	tcase_add_test(all, that_it_lets_go_is_news_once);
	tcase_add_test(all, one_that_fenced_itself_has_let_go);
	tcase_add_test(all, a_beat_that_was_overtaken_takes_nothing_back);
	tcase_add_test(all, a_fence_that_was_overtaken_lets_go_of_its_own_epoch_only);
	tcase_add_test(all, of_two_that_serve_the_higher_is_told);
	tcase_add_test(all, of_what_it_served_itself_since_a_gateway_tells_nothing);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
