/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net.h"
#include "node-agent/io/wireguard/implementation.h"
#include "node-agent/io/wireguard/userspace.h"
#include "node-agent/io/wireguard/wireguard.h"
#include "sandbox.h"

/* Starting a program that implements WireGuard: what it is given, and what becomes of one that fails. */

static struct err err;

/* ---- programs that fail ---- */

static void write_program(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	ck_assert_int_eq(chmod(path, 0755), 0);
}

START_TEST(test_a_missing_program_is_explained)
{
	ck_assert_int_eq(wg_create("wg0", "no-such-wireguard", 1000, &err), -ENOENT);
	ck_assert_str_eq(err.text,
		"there is no program no-such-wireguard that can be run: install it, or set wireguard: "
		"{ implementation: ... } in agent.yaml");
	ck_assert_int_eq(wg_implementation_check("/no/such/program", NULL, &err), -ENOENT);
	NET_OK(&err, wg_implementation_check("wireguard-go", NULL, &err));
	NET_OK(&err, wg_implementation_check("/usr/bin/wireguard-go", NULL, &err));
	setenv("PATH", "/nowhere::", 1);
	ck_assert_int_eq(wg_implementation_check("wireguard-go", NULL, &err), -ENOENT);
	ck_assert_msg(strstr(err.text, "install the package wireguard-go"), "%s", err.text);
	ck_assert_int_eq(wg_implementation_check("", NULL, &err), -ENOENT);
}
END_TEST

START_TEST(test_a_failing_program_is_reported)
{
	write_program("/run/fails", "#!/bin/sh\nexit 3\n");
	ck_assert_int_eq(wg_create("wg0", "/run/fails", 5000, &err), -EIO);
	ck_assert_msg(strstr(err.text, "/run/fails wg0 failed with status 3"), "%s", err.text);
}
END_TEST

START_TEST(test_a_hanging_program_is_ended)
{
	char *left;

	write_program("/run/hangs", "#!/bin/sh\nsleep 1000 & sleep 1000\n");
	ck_assert_int_eq(wg_create("wg0", "/run/hangs", 300, &err), -ETIMEDOUT);
	ck_assert_str_eq(err.text, "/run/hangs wg0 did not answer on its socket in time");
	left = sandbox_output("ps -e -o stat=,args=");
	ck_assert_msg(!strstr(left, "S    sleep 1000") && !strstr(left, "Ss   sleep 1000"), "%s", left);
	free(left);
}
END_TEST

START_TEST(test_a_program_in_the_foreground_serves_too)
{
	struct wg_device device;
	struct wg *wg = NULL;

	write_program("/run/stays", "#!/bin/sh\nWG_PROCESS_FOREGROUND=1 exec wireguard-go \"$1\"\n");
	NET_OK(&err, wg_create("wg0", "/run/stays", WG_CREATE_TIMEOUT_MS, &err));
	NET_OK(&err, wg_open("wg0", WG_TIMEOUT_MS, &wg, &err));
	NET_OK(&err, wg_get(wg, &device, &err));
	wg_device_clear(&device);
	wg_close(wg);
	NET_OK(&err, wg_remove("wg0", WG_CREATE_TIMEOUT_MS, &err));
}
END_TEST

/* The environment is PATH, LOG_LEVEL and what begins with WG_; stdio is /dev/null, the directory is the root. */
START_TEST(test_what_the_program_is_given)
{
	char *seen;

	setenv("SECRET", "yes", 1);
	setenv("WG_SUDO", "1", 1);
	setenv("WG_TUN_FD", "3", 1);
	setenv("WG_UAPI_FD", "4", 1);
	write_program("/run/looks", "#!/bin/sh\n/usr/bin/env > /run/seen\nreadlink /proc/$$/fd/0 "
				    "/proc/$$/fd/2 /proc/$$/cwd >> /run/seen\n"
				    "echo \"$@\" >> /run/seen\nexit 1\n");
	ck_assert_int_eq(wg_create("wg0", "/run/looks", 5000, &err), -EIO);
	seen = sandbox_output("cat /run/seen");
	ck_assert_ptr_null(strstr(seen, "SECRET"));
	ck_assert_ptr_null(strstr(seen, "_FD="));
	ck_assert_ptr_nonnull(strstr(seen, "WG_SUDO=1\n"));
	ck_assert_ptr_nonnull(strstr(seen, "LOG_LEVEL=error\n"));
	ck_assert_ptr_nonnull(strstr(seen, "PATH="));
	ck_assert_msg(strstr(seen, "/dev/null\n/dev/null\n/\nwg0\n"), "%s", seen);
	free(seen);
}
END_TEST

/* ---- with systemd ---- */

static void pretend_systemd(void)
{
	int fd = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	const char *path = getenv("PATH");
	char text[1024];

	ck_assert_int_eq(setns(fd, CLONE_NEWNET), 0); /* where systemd's units run */
	close(fd);
	ck_assert_int_eq(mkdir("/run/systemd", 0755), 0);
	ck_assert_int_eq(mkdir("/run/systemd/system", 0755), 0);
	ck_assert_int_eq(mkdir("/run/bin", 0755), 0);
	snprintf(text, sizeof text, "/run/bin:%s", path);
	setenv("PATH", text, 1);
}

START_TEST(test_systemd_starts_our_unit)
{
	char *arguments;

	pretend_systemd();
	write_program(
		"/run/bin/systemctl", "#!/bin/sh\necho \"$@\" > /run/arguments\nexec wireguard-go wg0\n");
	NET_OK(&err, wg_create("wg0", "wireguard-go", WG_CREATE_TIMEOUT_MS, &err));
	arguments = sandbox_output("cat /run/arguments");
	ck_assert_str_eq(arguments, "start holdfast-userspace@wg0.service\n");
	free(arguments);
	NET_OK(&err, wg_remove("wg0", WG_CREATE_TIMEOUT_MS, &err));
	write_program("/run/bin/systemctl", "#!/bin/sh\nexit 5\n");
	ck_assert_int_eq(wg_create("wg0", "wireguard-go", WG_CREATE_TIMEOUT_MS, &err), -EIO);
	ck_assert_str_eq(err.text, "systemctl start holdfast-userspace@wg0.service failed with status 5");
}
END_TEST

/* As systemd-run would start it in the namespace that it is told. */
START_TEST(test_systemd_is_told_another_network_namespace)
{
	char *arguments;

	pretend_systemd();
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	write_program("/run/bin/systemd-run", "#!/bin/sh\necho \"$@\" >/run/arguments\nexec nsenter "
					      "--net=\"${5#*=*=}\" wireguard-go wg0\n");
	NET_OK(&err, wg_create("wg0", "wireguard-go", WG_CREATE_TIMEOUT_MS, &err));
	arguments = sandbox_output("sed -E s,/proc/[0-9]+/task/[0-9]+/,/proc/P/task/T/, /run/arguments");
	ck_assert_str_eq(arguments,
		"--quiet --collect --unit=holdfast-userspace-wg0.service --property=Type=forking "
		"--property=NetworkNamespacePath=/proc/P/task/T/ns/net -- /usr/bin/wireguard-go wg0\n");
	free(arguments);
	sandbox_run("ip link show wg0");
	NET_OK(&err, wg_remove("wg0", WG_CREATE_TIMEOUT_MS, &err));
}
END_TEST

START_TEST(test_systemd_runs_another_program_in_a_transient_unit)
{
	char *arguments;

	pretend_systemd();
	setenv("WG_SUDO", "1", 1);
	setenv("WG_TUN_FD", "3", 1);
	write_program("/run/other-wireguard", "#!/bin/sh\nexit 0\n");
	write_program("/run/bin/systemd-run",
		"#!/bin/sh\necho \"$WG_SUDO $@\" > /run/arguments\nexec wireguard-go wg0\n");
	NET_OK(&err, wg_create("wg0", "/run/other-wireguard", WG_CREATE_TIMEOUT_MS, &err));
	arguments = sandbox_output("cat /run/arguments");
	ck_assert_str_eq(arguments,
		"1 --quiet --collect --unit=holdfast-userspace-wg0.service --property=Type=forking "
		"--setenv=WG_SUDO -- /run/other-wireguard wg0\n");
	free(arguments);
	NET_OK(&err, wg_remove("wg0", WG_CREATE_TIMEOUT_MS, &err));
}
END_TEST

int main(void)
{
	Suite *suite;
	TCase *all;

	if (userspace_find("wireguard-go", (char[USERSPACE_PATH_MAX]){0}, NULL) < 0)
		return sandbox_skip("wireguard-go is not installed");
	suite = suite_create("wg-program");
	all = tcase_create("all");
	tcase_add_checked_fixture(all, sandbox_enter, NULL);
	tcase_set_timeout(all, 30);
	tcase_add_test(all, test_a_missing_program_is_explained);
	tcase_add_test(all, test_a_failing_program_is_reported);
	tcase_add_test(all, test_a_hanging_program_is_ended);
	tcase_add_test(all, test_a_program_in_the_foreground_serves_too);
	tcase_add_test(all, test_what_the_program_is_given);
	tcase_add_test(all, test_systemd_starts_our_unit);
	tcase_add_test(all, test_systemd_runs_another_program_in_a_transient_unit);
	tcase_add_test(all, test_systemd_is_told_another_network_namespace);
	suite_add_tcase(suite, all);
	return sandbox_main(suite);
}
