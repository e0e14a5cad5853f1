/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "net.h"
#include "node-agent/io/rtnl/sysctl.h"
#include "sandbox.h"

static struct err err;

static void make_dotted(void)
{
	sandbox_enter();
	sandbox_run("ip link add eth1.100 type veth peer name far1");
}

static void assert_value(const char *key, const char *wanted)
{
	char value[SYSCTL_VALUE_MAX];

	NET_OK(&err, sysctl_read(key, value, sizeof value, &err));
	ck_assert_str_eq(value, wanted);
}

START_TEST(test_written_only_if_it_differs)
{
	bool changed = false;

	NET_OK(&err, sysctl_ensure("net.ipv4.ip_forward", "1", &changed, &err));
	ck_assert(changed);
	assert_value("net/ipv4/ip_forward", "1");
	NET_OK(&err, sysctl_ensure("net.ipv4.ip_forward", "1", &changed, &err));
	ck_assert(!changed);
	NET_OK(&err, sysctl_ensure("net.ipv4.ip_forward", "0", NULL, &err));
	assert_value("net.ipv4.ip_forward", "0");
}
END_TEST

START_TEST(test_interfaces_with_dots)
{
	char key[SYSCTL_KEY_MAX];

	sysctl_device_key(key, sizeof key, "ipv4", "eth1.100", "arp_ignore");
	ck_assert_str_eq(key, "net/ipv4/conf/eth1.100/arp_ignore");
	NET_OK(&err, sysctl_ensure(key, "1", NULL, &err));
	assert_value("net.ipv4.conf.eth1/100.arp_ignore", "1");
	assert_value("net.ipv4.conf.far1.arp_ignore", "0");
}
END_TEST

START_TEST(test_white_space_within_stays)
{
	char value[SYSCTL_VALUE_MAX];

	NET_OK(&err, sysctl_read("net.ipv4.ip_local_port_range", value, sizeof value, &err));
	ck_assert_ptr_nonnull(strchr(value, '\t'));
	ck_assert_ptr_null(strchr(value, '\n'));
}
END_TEST

START_TEST(test_errors_name_the_key)
{
	char value[SYSCTL_VALUE_MAX];

	ck_assert_int_eq(sysctl_read("net.ipv4.no_such_key", value, sizeof value, &err), -ENOENT);
	ck_assert_str_eq(err.text, "sysctl net.ipv4.no_such_key: No such file or directory");
	ck_assert_int_eq(sysctl_ensure("net.ipv4.ip_forward", "many", NULL, &err), -EINVAL);
	ck_assert_str_eq(err.text, "sysctl -w net.ipv4.ip_forward=many (it is 0): Invalid argument");
	ck_assert_int_eq(sysctl_read("net.ipv4.ip_local_port_range", value, 4, &err), -E2BIG);
}
END_TEST

START_TEST(test_a_try_writes_nothing)
{
	NET_OK(&err, sysctl_ensure("net.ipv4.ip_forward", "1", NULL, &err));
	NET_OK(&err, sysctl_try("net.ipv4.ip_forward", &err));
	assert_value("net.ipv4.ip_forward", "1");
	ck_assert_int_eq(sysctl_try("net.ipv4.no_such_key", &err), -ENOENT);
	ck_assert_int_eq(sysctl_try("../etc/passwd", &err), -EINVAL);
}
END_TEST

START_TEST(test_read_only_does_no_harm_where_all_is_well)
{
	ck_assert_int_eq(mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL), 0);
	ck_assert_int_eq(mount(NULL, "/proc/sys", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
	NET_OK(&err, sysctl_ensure("net.ipv4.ip_forward", "0", NULL, &err));
	ck_assert_int_eq(sysctl_ensure("net.ipv4.ip_forward", "1", NULL, &err), -EROFS);
	ck_assert_int_eq(sysctl_try("net/ipv4/ip_forward", &err), -EROFS);
	ck_assert_str_eq(err.text, "the kernel parameter net/ipv4/ip_forward cannot be written: Read-only "
				   "file system: let the agent "
				   "write /proc/sys (a container needs it mounted so)");
}
END_TEST

START_TEST(test_keys_stay_inside_and_have_a_limit)
{
	static const char *const bad[] = {"", ".", "/", "..", "net/../kernel/hostname", "../etc/passwd",
		"net//ipv4", "net/ipv4/", "/net/ipv4/ip_forward", "net/./ipv4", "net.ipv4."};
	char value[SYSCTL_VALUE_MAX], key[SYSCTL_KEY_MAX + 1];
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(sysctl_read(bad[i], value, sizeof value, &err) == -EINVAL, "took %s", bad[i]);
	memset(key, 'x', sizeof key);
	key[SYSCTL_KEY_MAX] = '\0';
	ck_assert_int_eq(sysctl_read(key, value, sizeof value, &err), -EINVAL);
	key[SYSCTL_KEY_MAX - 1] = '\0';
	ck_assert_int_eq(sysctl_read(key, value, sizeof value, &err), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sysctl");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, make_dotted, NULL);
	tcase_add_test(all, test_written_only_if_it_differs);
	tcase_add_test(all, test_interfaces_with_dots);
	tcase_add_test(all, test_white_space_within_stays);
	tcase_add_test(all, test_errors_name_the_key);
	tcase_add_test(all, test_a_try_writes_nothing);
	tcase_add_test(all, test_read_only_does_no_harm_where_all_is_well);
	tcase_add_test(all, test_keys_stay_inside_and_have_a_limit);
	suite_add_tcase(suite, all);
	return sandbox_main(suite);
}
