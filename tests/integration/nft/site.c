/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/nft/site.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/io/clock.h"
#include "tests/unit/firewall/sample.h"

enum { ARGUMENTS_MAX = 32, OUTPUT_MAX = 1 << 20 };

static void must(int result, const char *what)
{
	if (result < 0)
		ck_abort_msg("%s: %m (these tests need root)", what);
}

static int own_namespace(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	must(fd, "/proc/self/ns/net");
	return fd;
}

struct site site_open(void)
{
	must(unshare(CLONE_NEWNET), "unshare");
	run("ip", "link", "set", "lo", "up", NULL);
	return (struct site){own_namespace()};
}

void site_enter(int namespace)
{
	must(setns(namespace, CLONE_NEWNET), "setns");
}

void site_keep_order(void)
{
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	must(sched_setaffinity(0, sizeof one, &one), "sched_setaffinity");
}

static void keep(int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) < 0 || write(ready, "r", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static pid_t start_keeper(void)
{
	int ready[2];
	char byte;
	must(pipe2(ready, O_CLOEXEC), "pipe");
	pid_t keeper = fork();
	must(keeper, "fork");
	if (keeper == 0)
		keep(ready[1]);
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return keeper;
}

struct peer site_join(const char *here)
{
	struct peer peer = {.keeper = start_keeper()};
	char path[64], pid[16];
	int gateway = own_namespace();
	snprintf(path, sizeof path, "/proc/%d/ns/net", peer.keeper);
	snprintf(pid, sizeof pid, "%d", peer.keeper);
	peer.namespace = open(path, O_RDONLY | O_CLOEXEC);
	must(peer.namespace, path);
	run("ip", "link", "add", here, "type", "veth", "peer", "name", "eth0", "netns", pid, NULL);
	run("ip", "link", "set", here, "up", NULL);
	site_enter(peer.namespace);
	run("ip", "link", "set", "lo", "up", NULL);
	run("ip", "link", "set", "eth0", "up", NULL);
	site_enter(gateway);
	close(gateway);
	return peer;
}

static void collect(va_list list, const char *program, const char **arguments)
{
	size_t count = 0;
	arguments[count++] = program;
	do {
		ck_assert_uint_lt(count, ARGUMENTS_MAX);
		arguments[count] = va_arg(list, const char *);
	} while (arguments[count++]);
}

static int start_and_wait(const char *const *arguments, int input, int output, int errors)
{
	char *copy[ARGUMENTS_MAX + 1]; /* execvp(3) wants it without const */
	int status;
	pid_t child = fork();
	must(child, "fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if ((input >= 0 && dup2(input, STDIN_FILENO) < 0) ||
			(output >= 0 && dup2(output, STDOUT_FILENO) < 0) ||
			(errors >= 0 && dup2(errors, STDERR_FILENO) < 0))
			_exit(126);
		memcpy(copy, arguments, sizeof copy);
		execvp(copy[0], copy);
		_exit(127);
	}
	must(waitpid(child, &status, 0), "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void run(const char *program, ...)
{
	const char *arguments[ARGUMENTS_MAX + 1];
	va_list list;
	va_start(list, program);
	collect(list, program, arguments);
	va_end(list);
	int status = start_and_wait(arguments, -1, -1, -1);
	ck_assert_msg(status == 0, "%s %s %s %s ended with %d", program, arguments[1], arguments[2],
		arguments[2] ? arguments[3] : "", status);
}

int run_status(const char *program, ...)
{
	const char *arguments[ARGUMENTS_MAX + 1];
	va_list list;
	va_start(list, program);
	collect(list, program, arguments);
	va_end(list);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int status = start_and_wait(arguments, null, null, null);
	close(null);
	return status;
}

static int memory_file(const char *content)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	must(fd, "memfd_create");
	if (content) {
		ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
		must((int)lseek(fd, 0, SEEK_SET), "lseek");
	}
	return fd;
}

char *run_with_input(const char *input, const char *program, ...)
{
	const char *arguments[ARGUMENTS_MAX + 1];
	va_list list;
	va_start(list, program);
	collect(list, program, arguments);
	va_end(list);
	int in = memory_file(input), out = memory_file(NULL);
	int status = start_and_wait(arguments, in, out, -1);
	ck_assert_msg(status == 0, "%s %s ended with %d", program, arguments[1], status);
	char *text = calloc(1, OUTPUT_MAX);
	ssize_t length = pread(out, text, OUTPUT_MAX - 1, 0);
	must((int)length, "pread");
	close(in);
	close(out);
	return text;
}

void write_sysctl(const char *path, const char *value)
{
	char full[256];
	snprintf(full, sizeof full, "/proc/sys/net/%s", path);
	FILE *file = fopen(full, "w");
	ck_assert_msg(file != NULL, "%s: %m", full);
	fputs(value, file);
	ck_assert_msg(fclose(file) == 0, "%s: %m", full);
}

static bool has_group(const char *interface, const char *group)
{
	char line[256];
	bool found = false;
	FILE *file = fopen("/proc/net/igmp6", "r");
	ck_assert_msg(file != NULL, "/proc/net/igmp6: %m");
	while (fgets(line, sizeof line, file))
		found |= strstr(line, interface) && strstr(line, group);
	fclose(file);
	return found;
}

void site_await_group(const char *interface, const char *address)
{
	struct addr addr = sample_addr(address);
	char group[33];
	int64_t end = clock_now_ms() + 10000;
	snprintf(group, sizeof group, "ff0200000000000000000001ff%02x%02x%02x", addr.bytes[13],
		addr.bytes[14], addr.bytes[15]);
	while (!has_group(interface, group)) {
		ck_assert_msg(clock_now_ms() < end, "%s is not in the group of %s", interface, address);
		poll(NULL, 0, 1);
	}
}
