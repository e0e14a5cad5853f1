/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <string.h>

#include "common/base/text.h"
#include "controller/io/drill/leg.h"

static struct leg leg;

static void begin(void)
{
	leg_begin(&leg, 7, "gw-a", "gw-b");
	leg.epoch = (struct epoch){60, 2, 0};
	leg.takeover = (struct takeover){.endpoint = "vpn", .epoch = leg.epoch, .sessions = 2, .back = 2};
}

static void end(void)
{
	leg_clear(&leg);
}

static void row(
	struct drill_result *result, const char *sender, const char *target, uint32_t sent, uint32_t received)
{
	struct drill_row *row = &result->rows[result->row_count++];

	*row = (struct drill_row){.sent = sent, .received = received};
	text_copy(row->sender, sizeof(row->sender), sender);
	ck_assert_int_eq(addr_parse(target, &row->target, NULL), 0);
}

/* gw-a pings until it hands on, gw-b from then on; one answer to gw-a's pings came to gw-b. */
static void tell(uint32_t lost)
{
	struct drill_result a = {.id = 7}, b = {.id = 7};

	row(&a, "gw-a", "10.50.0.2", 100, 99 - lost);
	row(&b, "gw-a", "10.50.0.2", 0, 1);
	row(&b, "gw-b", "10.50.0.2", 50, 50);
	row(&b, "gw-b", "10.50.0.3", 50, 0); /* answers nobody's pings */
	ck_assert(leg_take(&leg, "gw-a", &a));
	ck_assert(leg_take(&leg, "gw-b", &b));
}

START_TEST(a_clean_move)
{
	tell(0);
	ck_assert_uint_eq(leg_sum(&leg).sent, 150);
	ck_assert_uint_eq(leg_sum(&leg).lost, 0);
	ck_assert_uint_eq(leg_sum(&leg).clients, 1);
	ck_assert_uint_eq(leg_sum(&leg).silent, 1);
	ck_assert(leg_is_clean(&leg));
}
END_TEST

START_TEST(one_lost_ping_is_loss)
{
	tell(1);
	ck_assert_uint_eq(leg_sum(&leg).lost, 1);
	ck_assert(!leg_is_clean(&leg));
}
END_TEST

START_TEST(a_session_that_is_not_back_is_loss)
{
	tell(0);
	leg.takeover.back = 1;
	ck_assert(!leg_is_clean(&leg));
}
END_TEST

/* It is silent until the last one is back or given up; what it told of another move says nothing of this one. */
START_TEST(sessions_that_nobody_has_told_of_are_not_back)
{
	json_t *json = json_object();

	tell(0);
	leg.takeover.epoch.n--;
	ck_assert(!leg_is_clean(&leg));
	leg.takeover = (struct takeover){0};
	ck_assert(!leg_is_clean(&leg));
	leg_put(json, &leg, "vpn");
	ck_assert_ptr_null(json_object_get(json, "sessions"));
	json_decref(json);
}
END_TEST

START_TEST(what_did_not_move_is_not_clean)
{
	tell(0);
	text_copy(leg.failure, sizeof(leg.failure), "gw-b is dead");
	ck_assert(!leg_is_clean(&leg));
}
END_TEST

START_TEST(a_result_counts_once_and_only_of_this_leg)
{
	struct drill_result result = {.id = 8};

	row(&result, "gw-a", "10.50.0.2", 100, 100);
	ck_assert(!leg_take(&leg, "gw-a", &result));
	result.id = 7;
	ck_assert(leg_take(&leg, "gw-a", &result));
	ck_assert(leg_has_told(&leg, "gw-a") && !leg_has_told(&leg, "gw-b"));
	ck_assert(!leg_take(&leg, "gw-a", &result));
	ck_assert_uint_eq(leg_sum(&leg).sent, 100);
}
END_TEST

START_TEST(nobody_counts_for_another_what_that_one_sent)
{
	struct drill_result result = {.id = 7};

	row(&result, "gw-a", "10.50.0.2", 5000, 1);
	ck_assert(leg_take(&leg, "gw-b", &result));
	ck_assert_uint_eq(leg_sum(&leg).sent, 0);
	ck_assert_uint_eq(leg_sum(&leg).lost, 0);
}
END_TEST

START_TEST(people_read_it)
{
	json_t *json = json_object();

	tell(1);
	leg_put(json, &leg, "vpn");
	ck_assert_str_eq(json_string_value(json_object_get(json, "event")), "vpn@60.2");
	ck_assert_int_eq(json_integer_value(json_object_get(json, "lost")), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(json, "back")), 2);
	json_decref(json);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("leg");
	TCase *tcase = tcase_create("leg");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, a_clean_move);
	tcase_add_test(tcase, one_lost_ping_is_loss);
	tcase_add_test(tcase, a_session_that_is_not_back_is_loss);
	tcase_add_test(tcase, sessions_that_nobody_has_told_of_are_not_back);
	tcase_add_test(tcase, what_did_not_move_is_not_clean);
	tcase_add_test(tcase, a_result_counts_once_and_only_of_this_leg);
	tcase_add_test(tcase, nobody_counts_for_another_what_that_one_sent);
	tcase_add_test(tcase, people_read_it);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
