/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/program/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOT_STARTED = 127 }; /* as a shell says it */

static void say(const char *text)
{
	ssize_t written = write(STDERR_FILENO, text, strlen(text));

	(void)written; /* there is nobody else to tell */
}

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The agent's turn comes before others', and it is the last to be ended for want of memory: the program's not. */
static void reset_priority(void)
{
	struct sched_param ordinary = {0};
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	ssize_t written;

	(void)sched_setscheduler(0, SCHED_OTHER, &ordinary);
	(void)setpriority(PRIO_PROCESS, 0, 0);
	if (fd < 0)
		return;
	written = write(fd, "0", 1);
	(void)written;
	close(fd);
}

static void reset_files(int output)
{
	int null = open("/dev/null", O_RDONLY);

	if (null >= 0)
		(void)dup2(null, STDIN_FILENO);
	(void)dup2(output, STDOUT_FILENO);
	(void)dup2(output, STDERR_FILENO);
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	umask(022);
	if (chdir("/") < 0)
		say("no way to /: ");
}

_Noreturn void child_become(
	const char *path, const char *const *words, const char *const *environment, int output, pid_t parent)
{
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(NOT_STARTED); /* it died before that could be asked for */
	reset_signals();
	reset_priority();
	reset_files(output);
	execve(path, (char *const *)(size_t)words, (char *const *)(size_t)environment);
	say("cannot be started: ");
	say(strerrordesc_np(errno));
	_exit(NOT_STARTED);
}
