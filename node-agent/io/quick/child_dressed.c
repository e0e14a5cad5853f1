/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node-agent/io/quick/quick_int.h"

/* posix_spawn() cannot change the mount namespace: what it does for other children is done here by hand. */

static void set_signals(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void live(const struct quick_dressed *dressed, int failures)
{
	int r = netns_dress(dressed->name[0] ? dressed->name : NULL);

	if (dressed->group)
		(void)setpgid(0, 0);
	if (r >= 0 && dressed->stdin_fd >= 0 && dup2(dressed->stdin_fd, STDIN_FILENO) < 0)
		r = -errno;
	if (r >= 0) {
		set_signals();
		execve(dressed->path, dressed->words, dressed->environment);
		r = -errno;
	}
	(void)!write(failures, &r, sizeof(r));
	_exit(127);
}

/* Nothing is written when the program runs: it closes the pipe. */
static int read_failure(int failures)
{
	int failure = 0;
	ssize_t length;

	do
		length = read(failures, &failure, sizeof(failure));
	while (length < 0 && errno == EINTR);
	return length == (ssize_t)sizeof(failure) ? failure : 0;
}

int quick_spawn_dressed(const struct quick_dressed *dressed, pid_t *ret_pid)
{
	int ends[2], r = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		live(dressed, ends[1]);
	if (pid < 0)
		r = -errno;
	close(ends[1]);
	if (pid > 0)
		r = read_failure(ends[0]);
	close(ends[0]);
	if (r < 0 && pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	if (r >= 0)
		*ret_pid = pid;
	return r;
}
