/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "node-agent/io/quick/child.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"

enum { GRACE_MS = 5000, CANCELLED_GRACE_MS = 500, WORDS_MAX = 63 };

bool quick_has_program(const char *name, char path[PATH_MAX])
{
	const char *directories = getenv("PATH");
	int length, written;

	if (!directories)
		directories = "/usr/sbin:/usr/bin:/sbin:/bin";
	for (; *directories; directories += length + (directories[length] == ':')) {
		length = (int)strcspn(directories, ":");
		written = snprintf(path, PATH_MAX, "%.*s/%s", length, directories, name);
		if (length > 0 && written < PATH_MAX && access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* Until the process ends; false: the time is over. Signals that come meanwhile are noted. */
static bool wait_until(struct quick *quick, int process_fd, int64_t deadline_ms, bool stop_on_signal)
{
	struct pollfd fds[] = {
		{.fd = process_fd, .events = POLLIN}, {.fd = quick_stop_fd(quick), .events = POLLIN}};

	for (;;) {
		int64_t left_ms = deadline_ms < 0 ? -1 : deadline_ms - clock_now_ms();

		if (deadline_ms >= 0 && left_ms <= 0)
			return false;
		(void)poll(fds, stop_on_signal ? 2 : 1, (int)left_ms);
		if (fds[0].revents)
			return true;
		if (stop_on_signal && quick_check_signal(quick, 0) < 0)
			return false;
	}
}

/* It is told the signal that we were told, and has a while to act on it, with all that it has started. */
static void stop(struct quick *quick, int process_fd, pid_t pid, bool group, int grace_ms)
{
	kill(group ? -pid : pid, quick->signal ? quick->signal : SIGTERM);
	if (!wait_until(quick, process_fd, clock_now_ms() + grace_ms, false))
		kill(pid, QUICK_SIGNAL_END);
}

static int why_stopped(struct quick *quick)
{
	if (quick->signal)
		return -EINTR;
	if (quick->signal_fd < 0 && quick_check_signal(quick, 0) < 0)
		return -ECANCELED;
	return err_set(quick->err, -ETIMEDOUT, "a program took more than %d ms", quick->child_timeout_ms);
}

int quick_wait(struct quick *quick, pid_t pid, bool group, int *ret_status)
{
	int process_fd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0, r = 0;
	int64_t deadline_ms = quick->child_timeout_ms ? clock_now_ms() + quick->child_timeout_ms : -1;

	if (process_fd < 0)
		r = err_set(quick->err, -errno, "pidfd_open: %s", strerror(errno));
	else if (!wait_until(quick, process_fd, deadline_ms, !quick->undoing)) {
		r = why_stopped(quick);
		stop(quick, process_fd, pid, group, r == -ECANCELED ? CANCELLED_GRACE_MS : GRACE_MS);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (process_fd >= 0)
		close(process_fd);
	*ret_status = status;
	return r;
}

/* The text as a file that can be read from the start. */
static int input_fd(const char *input)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	size_t length = strlen(input);

	if (fd >= 0 && (write(fd, input, length) != (ssize_t)length || lseek(fd, 0, SEEK_SET) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Ours, with the C locale. The caller frees the array alone. */
static char **environment(void)
{
	static char locale[] = "LC_ALL=C";
	size_t count = 0, kept = 0;
	char **copy;

	while (environ[count])
		count++;
	copy = mem_new(count + 2, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		if (strncmp(environ[i], locale, strlen("LC_ALL=")) != 0)
			copy[kept++] = environ[i];
	copy[kept] = locale;
	return copy;
}

/* With a terminal the program stays in our group, or it could not read from it; the terminal's signals reach it then. */
static int spawn(struct quick *quick, const char *path, const char *const argv[], int stdin_fd, bool group,
	pid_t *ret_pid)
{
	struct quick_program program = {.path = path,
		.namespace = quick_is_elsewhere(quick) ? quick->spaces.name : NULL,
		.stdin_fd = stdin_fd,
		.group = group};
	char **words = mem_new(WORDS_MAX + 1, sizeof(*words)), **surroundings = environment();
	size_t count = 0;
	int r;

	for (; argv[count] && count < WORDS_MAX; count++)
		words[count] = mem_text(argv[count]);
	program.words = words;
	program.environment = surroundings;
	r = quick_spawn(&program, ret_pid);
	free(surroundings);
	for (size_t i = 0; i < count; i++)
		free(words[i]);
	free(words);
	return r;
}

static int result_of(struct quick *quick, const char *what, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	quick->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return err_set(quick->err, -ECHILD, "%s ended with status %d", what, quick->status);
}

int quick_run(struct quick *quick, const char *path, const char *const argv[], const char *input)
{
	int fd = input ? input_fd(input) : -1, status, r;
	bool group = !isatty(STDIN_FILENO);
	pid_t pid;

	if (input && fd < 0)
		return err_set(quick->err, -errno, "memfd: %s", strerror(errno));
	r = spawn(quick, path, argv, fd, group, &pid);
	if (fd >= 0)
		close(fd);
	if (r < 0)
		return err_set(quick->err, r, "cannot run %s: %s", path, strerror(-r));
	r = quick_wait(quick, pid, group, &status);
	return r < 0 ? r : result_of(quick, argv[0], status);
}
