/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Under a second: real network namespaces, made by us and by ip-netns(8). */
#include "node-agent/io/netns/netns.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net.h"
#include "node-agent/io/rtnl/link.h"
#include "sandbox.h"

static struct err err;

START_TEST(test_made_as_ip_netns_makes_them)
{
	struct netns netns = NETNS_NONE, own = NETNS_NONE;
	char *list;

	ck_assert_int_eq(netns_open("blue", &netns, &err), -ENOENT);
	ck_assert_str_eq(err.text, "there is no network namespace \"blue\"");
	NET_OK(&err, netns_make("blue", &err));
	ck_assert_int_eq(netns_make("blue", &err), -EEXIST);
	list = sandbox_output("ip netns list");
	ck_assert_str_eq(list, "blue\n");
	free(list);
	NET_OK(&err, netns_open("blue", &netns, &err));
	NET_OK(&err, netns_open_own(&own, &err));
	ck_assert(!netns_same(&netns, &own));
	netns_close(&netns);
	netns_close(&own);
	sandbox_run("ip netns add green");
	NET_OK(&err, netns_delete("blue", &err));
	NET_OK(&err, netns_delete("green", &err));
	ck_assert_int_eq(netns_delete("green", &err), -ENOENT);
	list = sandbox_output("ip netns list");
	ck_assert_str_eq(list, "");
	free(list);
}
END_TEST

START_TEST(test_what_is_no_namespace)
{
	struct netns netns = NETNS_NONE;
	char name[NAME_MAX + 1];

	ck_assert_int_eq(netns_open("a\nb/..", &netns, &err), -EINVAL);
	ck_assert_int_eq(netns_open("..", &netns, &err), -EINVAL);
	ck_assert_int_eq(netns_open("", &netns, &err), -EINVAL);
	ck_assert_int_eq(netns_open("/proc/self/ns/uts", &netns, &err), -EINVAL);
	ck_assert_str_eq(err.text, "/proc/self/ns/uts: this is not a network namespace");
	ck_assert_int_eq(netns_open("/etc/passwd", &netns, &err), -EINVAL);
	ck_assert_int_eq(netns_open("/nosuch", &netns, &err), -ENOENT);
	ck_assert(netns_name("blue", name) && !strcmp(name, "blue"));
	ck_assert(netns_name("/run/netns/blue", name) && !strcmp(name, "blue"));
	ck_assert(netns_name("/var/run/netns/blue", name) && !strcmp(name, "blue"));
	ck_assert(!netns_name("/proc/1/ns/net", name) && !netns_name("/run/netns/..", name));
}
END_TEST

/* A file that was made and never mounted on, by one that was killed: it goes like a namespace. */
START_TEST(test_left_half_made)
{
	struct netns netns = NETNS_NONE;

	sandbox_run("mkdir /run/netns");
	sandbox_run("touch /run/netns/blue");
	ck_assert_int_eq(netns_open("blue", &netns, &err), -EINVAL);
	NET_OK(&err, netns_delete("blue", &err));
	ck_assert_int_lt(access("/run/netns/blue", F_OK), 0);
}
END_TEST

static bool has_link(const char *name)
{
	struct rtnl *rtnl = NULL;
	struct rtnl_link link;
	int r;

	NET_OK(&err, rtnl_open(RTNL_TIMEOUT_MS, &rtnl, &err));
	r = rtnl_link_get(rtnl, name, &link, NULL);
	rtnl_close(rtnl);
	return r >= 0;
}

START_TEST(test_a_visit)
{
	struct netns blue = NETNS_NONE, own = NETNS_NONE, back = NETNS_NONE;
	struct netns_visit visit = {.back_fd = -1};
	struct rtnl *here = NULL;
	struct rtnl_link link;

	sandbox_run("ip netns add blue");
	sandbox_run("ip link add x0 type veth peer name y0");
	NET_OK(&err, netns_open("blue", &blue, &err));
	NET_OK(&err, netns_open_own(&own, &err));
	NET_OK(&err, rtnl_open(RTNL_TIMEOUT_MS, &here, &err));
	NET_OK(&err, netns_enter(&blue, &visit, &err));
	ck_assert(!has_link("x0"));
	NET_OK(&err, rtnl_link_get(here, "x0", &link, &err)); /* a socket stays */
	netns_leave(&visit);
	netns_leave(&visit);
	ck_assert(has_link("x0"));
	NET_OK(&err, netns_open_own(&back, &err));
	ck_assert(netns_same(&own, &back));
	NET_OK(&err, rtnl_link_create_in(here, "x1", "bridge", blue.fd, &err));
	NET_OK(&err, rtnl_link_move(here, "x0", blue.fd, &err));
	ck_assert(!has_link("x0") && !has_link("x1"));
	sandbox_run("ip link add x0 type veth peer name y1");
	ck_assert_int_eq(rtnl_link_move(here, "x0", blue.fd, &err), -EEXIST);
	ck_assert_int_eq(rtnl_link_create_in(here, "x1", "bridge", blue.fd, &err), -EEXIST);
	sandbox_run("ip -n blue link show x0");
	sandbox_run("ip -n blue link show x1");
	rtnl_close(here);
	netns_close(&blue);
	netns_close(&own);
	netns_close(&back);
}
END_TEST

static pid_t live_in(const struct netns *netns)
{
	struct netns_visit visit = {.back_fd = -1};
	pid_t child;

	NET_OK(&err, netns_enter(netns, &visit, &err));
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	netns_leave(&visit);
	return child;
}

START_TEST(test_inhabitants)
{
	struct netns blue = NETNS_NONE, again = NETNS_NONE, found = NETNS_NONE;
	char command[NETNS_COMMAND_MAX];
	pid_t child, seen = 0;

	sandbox_run("ip netns add blue");
	NET_OK(&err, netns_open("blue", &blue, &err));
	ck_assert(!netns_inhabitant(&blue, &seen, command));
	child = live_in(&blue);
	ck_assert(netns_inhabitant(&blue, &seen, command));
	ck_assert_int_eq(seen, child);
	ck_assert_str_ne(command, "");
	sandbox_run("ip netns delete blue");
	sandbox_run("ip netns add blue");
	NET_OK(&err, netns_open("blue", &again, &err));
	ck_assert(!netns_same(&blue, &again));
	NET_OK(&err, netns_open_inhabited(&blue, &found));
	ck_assert(netns_same(&blue, &found));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	netns_close(&found);
	ck_assert_int_eq(netns_open_inhabited(&blue, &found), -ENOENT);
	netns_close(&again);
	netns_close(&blue);
}
END_TEST

/* The kernel gives the number of a namespace that is gone to the next one. */
START_TEST(test_a_number_that_is_given_again)
{
	struct netns first = NETNS_NONE, second = NETNS_NONE;
	struct netns lost;

	NET_OK(&err, netns_make("blue", &err));
	NET_OK(&err, netns_open("blue", &first, &err));
	lost = first;
	netns_close(&first);
	NET_OK(&err, netns_delete("blue", &err));
	NET_OK(&err, netns_make("blue", &err));
	NET_OK(&err, netns_open("blue", &second, &err));
	ck_assert(!netns_same(&lost, &second));
	netns_close(&second);
}
END_TEST

static char *seen_inside(const struct netns *netns, const char *name)
{
	struct netns_visit visit = {.back_fd = -1};
	int status;
	pid_t child;

	NET_OK(&err, netns_enter(netns, &visit, &err));
	child = fork();
	if (child == 0) {
		if (netns_unshare_mounts(name) < 0)
			_exit(1);
		execl("/bin/sh", "sh", "-c", "cat /etc/resolv.conf; ls /sys/class/net", NULL);
	}
	netns_leave(&visit);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	return sandbox_output("cat /run/out");
}

START_TEST(test_mounts_as_of_ip_netns_exec)
{
	struct netns blue = NETNS_NONE;
	char *seen;

	sandbox_run("ip netns add blue");
	sandbox_run("mount -t tmpfs none /etc");
	sandbox_run("mkdir -p /etc/netns/blue");
	sandbox_run("cp /proc/self/cmdline /etc/resolv.conf");
	sandbox_run("cp /proc/self/mountinfo /etc/netns/blue/resolv.conf");
	sandbox_run("touch /etc/netns/blue/nosuch.conf");
	NET_OK(&err, netns_open("blue", &blue, &err));
	ck_assert_ptr_nonnull(freopen("/run/out", "w", stdout));
	seen = seen_inside(&blue, "blue");
	ck_assert_ptr_nonnull(strstr(seen, "/run"));
	ck_assert(!strcmp(seen + strlen(seen) - strlen("\nlo\n"), "\nlo\n"));
	free(seen);
	seen = sandbox_output("cat /etc/resolv.conf");
	ck_assert_ptr_null(strstr(seen, "/run"));
	free(seen);
	netns_close(&blue);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("netns");
	TCase *tests = tcase_create("netns");

	tcase_add_checked_fixture(tests, sandbox_enter, NULL);
	tcase_add_test(tests, test_made_as_ip_netns_makes_them);
	tcase_add_test(tests, test_what_is_no_namespace);
	tcase_add_test(tests, test_left_half_made);
	tcase_add_test(tests, test_a_visit);
	tcase_add_test(tests, test_inhabitants);
	tcase_add_test(tests, test_a_number_that_is_given_again);
	tcase_add_test(tests, test_mounts_as_of_ip_netns_exec);
	suite_add_tcase(suite, tests);
	return sandbox_main(suite);
}
