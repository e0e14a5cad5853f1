/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "proto/seat.h"

START_TEST(roles_have_names)
{
	static const char *const names[] = {
		"standby", "serving", "fenced", "hosting", "relaying", "guest", "pulled"};
	enum seat_role role;

	ck_assert_str_eq(seat_role_name((enum seat_role)_i), names[_i]);
	ck_assert_int_eq(seat_role_parse(names[_i], &role), 0);
	ck_assert_int_eq(role, _i);
}
END_TEST

START_TEST(other_names_are_no_roles)
{
	enum seat_role role = SEAT_FENCED;

	ck_assert_int_eq(seat_role_parse("host", &role), -EINVAL);
	ck_assert_int_eq(seat_role_parse("", &role), -EINVAL);
	ck_assert_int_eq(role, SEAT_FENCED);
	ck_assert_ptr_null(seat_role_name((enum seat_role)7));
}
END_TEST

START_TEST(an_owner_serves_whether_it_hosts_or_not)
{
	for (int role = SEAT_STANDBY; role <= SEAT_PULLED; role++)
		ck_assert_int_eq(
			seat_role_serves((enum seat_role)role), role == SEAT_SERVING || role == SEAT_HOSTING);
}
END_TEST

static bool lets_go_of(enum seat_role role, uint32_t epoch, uint32_t released, uint32_t expected)
{
	struct seat_state seat = {.role = role, .epoch = {.n = epoch}, .released = {.n = released}};

	return seat_let_go(&seat).n == expected;
}

START_TEST(one_lets_go_of_what_it_releases_or_is_fenced_under)
{
	ck_assert(lets_go_of(SEAT_SERVING, 3, 2, 2));
	ck_assert(lets_go_of(SEAT_RELAYING, 3, 3, 3));
	ck_assert(lets_go_of(SEAT_STANDBY, 3, 0, 0));
	ck_assert(lets_go_of(SEAT_FENCED, 3, 0, 3));
	ck_assert(lets_go_of(SEAT_FENCED, 3, 4, 4)); /* it has refused another since */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("seat");
	TCase *tcase = tcase_create("seat");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, roles_have_names, SEAT_STANDBY, SEAT_PULLED + 1);
	tcase_add_test(tcase, an_owner_serves_whether_it_hosts_or_not);
	tcase_add_test(tcase, other_names_are_no_roles);
	tcase_add_test(tcase, one_lets_go_of_what_it_releases_or_is_fenced_under);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
