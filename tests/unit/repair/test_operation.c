/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "node-agent/core/repair/operation.h"

static enum repair_what of(enum plan_kind kind)
{
	const struct plan_op op = {.kind = kind};

	return repair_what_of(&op);
}

START_TEST(each_operation_puts_one_thing_right)
{
	ck_assert_int_eq(of(PLAN_FIREWALL_LOAD), REPAIR_FIREWALL);
	ck_assert_int_eq(of(PLAN_SYSCTL_SET), REPAIR_PARAMETER);
	ck_assert_int_eq(of(PLAN_OFFLOAD_SET), REPAIR_PARAMETER);
	ck_assert_int_eq(of(PLAN_RULE_ADD), REPAIR_RULE);
	ck_assert_int_eq(of(PLAN_RULE_DELETE), REPAIR_RULE);
	ck_assert_int_eq(of(PLAN_ROUTE_SET), REPAIR_ROUTE);
	ck_assert_int_eq(of(PLAN_ROUTE_DELETE), REPAIR_ROUTE);
	ck_assert_int_eq(of(PLAN_ADDRESS_ADD), REPAIR_ADDRESS);
	ck_assert_int_eq(of(PLAN_ADDRESS_DELETE), REPAIR_ADDRESS);
	ck_assert_int_eq(of(PLAN_LINK_CREATE), REPAIR_LINK);
	ck_assert_int_eq(of(PLAN_LINK_DELETE), REPAIR_LINK);
	ck_assert_int_eq(of(PLAN_WIREGUARD_SET), REPAIR_WIREGUARD);
}
END_TEST

START_TEST(of_a_link_the_mtu_alone_is_told_apart)
{
	struct plan_op op = {.kind = PLAN_LINK_SET, .set_mtu = true};

	ck_assert_int_eq(repair_what_of(&op), REPAIR_MTU);
	op.set_up = true;
	ck_assert_int_eq(repair_what_of(&op), REPAIR_LINK);
	op = (struct plan_op){.kind = PLAN_LINK_SET, .set_mtu = true, .set_multicast = true};
	ck_assert_int_eq(repair_what_of(&op), REPAIR_LINK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("operation");
	TCase *tcase = tcase_create("operation");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, each_operation_puts_one_thing_right);
	tcase_add_test(tcase, of_a_link_the_mtu_alone_is_told_apart);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
