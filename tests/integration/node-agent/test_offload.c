/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "node-agent/io/rtnl/offload.h"
#include "sandbox.h"

static struct err err;

static void make_link(void)
{
	sandbox_enter();
	sandbox_run("ip link add eth1 type veth peer name far1");
}

static bool joins(const char *device)
{
	bool found;

	NET_OK(&err, offload_joins_udp(device, &found, &err));
	return found;
}

/* One is enough, whichever it is; and the other offloads stay as they are. */
START_TEST(test_each_is_seen_and_switched_off)
{
	static const char *const switches[] = {
		"ethtool -K eth1 rx-gro-list on", "ethtool -K eth1 rx-udp-gro-forwarding on"};
	char *before = sandbox_output("ethtool -k eth1"), *after;

	ck_assert(!joins("eth1"));
	sandbox_run(switches[_i]);
	ck_assert(joins("eth1"));
	ck_assert(!joins("far1"));
	NET_OK(&err, offload_stop_joining_udp("eth1", &err));
	ck_assert(!joins("eth1"));
	after = sandbox_output("ethtool -k eth1");
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

START_TEST(test_where_it_is_off_it_stays_off)
{
	NET_OK(&err, offload_stop_joining_udp("eth1", &err));
	ck_assert(!joins("eth1"));
	ck_assert(!joins("lo"));
}
END_TEST

START_TEST(test_errors_name_the_device)
{
	bool found = true;

	ck_assert_int_eq(offload_joins_udp("eth7", &found, &err), -ENODEV);
	ck_assert_str_eq(err.text, "ethtool -k eth7: No such device");
	ck_assert(!found);
	ck_assert_int_eq(offload_joins_udp("a-name-too-long0", &found, &err), -ENODEV);
	ck_assert_int_eq(offload_stop_joining_udp("eth7", &err), -ENODEV);
	ck_assert_str_eq(
		err.text, "ethtool -K eth7 rx-gro-list off rx-udp-gro-forwarding off: No such device");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("offload");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, make_link, NULL);
	tcase_add_loop_test(all, test_each_is_seen_and_switched_off, 0, 2);
	tcase_add_test(all, test_where_it_is_off_it_stays_off);
	tcase_add_test(all, test_errors_name_the_device);
	suite_add_tcase(suite, all);
	return sandbox_main(suite);
}
