/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node-agent/io/quick/child.h"
#include "node-agent/io/quick/session.h"

/*
 * Between us and a program stands a process that waits for both. If we are killed, it kills the program and all that the
 * program started: PR_SET_PDEATHSIG reaches a child, but not the child's children. It is a subreaper, so that those whose
 * parents went are its own. Until it is done it holds our locks, which it has inherited: nobody cleans up after us while
 * something of ours is at work. When the program ended by itself, what it left running is left alone; when it was told to
 * stop, that is told so, too, in whatever session it is, and is killed when the time is over.
 */

static const char CHILDREN[] = "/proc/thread-self/children";

/* ---- the program ---- */

static void set_signals(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int quick_die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH; /* it was faster */
}

static void tell(int failures, int r)
{
	(void)!write(failures, &r, sizeof(r));
	_exit(127);
}

static void live(const struct quick_program *program, pid_t supervisor, int failures)
{
	int r = quick_die_with(supervisor);

	if (r >= 0 && program->namespace)
		r = netns_unshare_mounts(program->namespace[0] ? program->namespace : NULL);
	if (r >= 0 && program->stdin_fd >= 0 && dup2(program->stdin_fd, STDIN_FILENO) < 0)
		r = -errno;
	if (r >= 0) {
		set_signals();
		execve(program->path, program->words, program->environment);
		r = -errno;
	}
	tell(failures, r);
}

/* ---- the process between ---- */

/* pid by pid, as the kernel lists them with CONFIG_PROC_CHILDREN; without, the group, and this one with it. */
static void tell_children(int number)
{
	FILE *list = fopen(CHILDREN, "re");
	int pid;

	if (!list) {
		if (getpgrp() == getpid())
			kill(0, number);
		return;
	}
	while (fscanf(list, "%d", &pid) == 1)
		kill(pid, number);
	fclose(list);
}

/* The children of one that ends become ours before we are told of its end. */
static int kill_descendants(void)
{
	do
		tell_children(SIGKILL);
	while (waitpid(-1, NULL, 0) >= 0 || errno == EINTR);
	return 128 + SIGKILL;
}

static int status_of(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What it waits for, in the order of fds: the program's end, its parent's, a signal. */
enum { CHILD, PARENT, SIGNAL, WATCHED };
enum heard { NOTHING, STOP, END };

/* Our parent says when to stop, and when the time for it is over; so does a terminal, to all that are in front of it. A
 * program without a group of its own hears nothing but what the terminal says: it is passed on. */
static enum heard hear(const struct quick_program *program, int signal_fd, pid_t parent, pid_t child)
{
	struct signalfd_siginfo info;
	bool of_parent, of_terminal;

	if (read(signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return NOTHING;
	of_parent = (pid_t)info.ssi_pid == parent && info.ssi_code == SI_USER;
	if (of_parent && (int)info.ssi_signo == QUICK_SIGNAL_END)
		return END;
	if (of_parent && child && !program->group)
		kill(child, (int)info.ssi_signo);
	of_terminal = info.ssi_code == SI_KERNEL && (info.ssi_signo == SIGINT || info.ssi_signo == SIGHUP);
	return of_parent || of_terminal ? STOP : NOTHING;
}

/* Whenever one ends, its children have become ours, and have not been told yet. Only then: what is told to the whole group comes
 * back to us as a signal. */
static int end_rest(const struct quick_program *program, struct pollfd fds[WATCHED], pid_t parent)
{
	enum heard heard;
	bool untold = true;
	pid_t ended;

	fds[CHILD].fd = -1;
	for (;;) {
		if (untold)
			tell_children(SIGTERM);
		untold = false;
		while ((ended = waitpid(-1, NULL, WNOHANG)) > 0)
			untold = true;
		if (ended < 0)
			return 128 + SIGTERM;
		if (untold)
			continue;
		(void)poll(fds, WATCHED, -1);
		heard = hear(program, fds[SIGNAL].fd, parent, 0);
		if (fds[PARENT].revents || heard == END)
			return kill_descendants();
		untold = heard == STOP;
	}
}

static int watch(const struct quick_program *program, struct pollfd fds[WATCHED], pid_t parent, pid_t child)
{
	enum heard heard = NOTHING;
	bool stopping = false;
	int status;

	while (!fds[CHILD].revents) {
		(void)poll(fds, WATCHED, -1);
		if (fds[SIGNAL].revents)
			heard = hear(program, fds[SIGNAL].fd, parent, child);
		if (fds[PARENT].revents || heard == END)
			return kill_descendants();
		stopping |= heard == STOP;
	}
	status = status_of(child);
	return stopping ? end_rest(program, fds, parent) : status;
}

static int open_signals(void)
{
	sigset_t all;
	int fd;

	sigfillset(&all);
	fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int open_process(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

/* A program whose end nobody could see must not go on. */
static void watch_or_kill(const struct quick_program *program, struct pollfd fds[WATCHED], pid_t parent,
	pid_t child, int failures)
{
	fds[CHILD].fd = open_process(child);
	if (fds[CHILD].fd < 0) {
		close(fds[SIGNAL].fd); /* to list the children takes a descriptor */
		kill_descendants();
		tell(failures, fds[CHILD].fd);
	}
	close(failures);
	_exit(watch(program, fds, parent, child));
}

static void supervise(const struct quick_program *program, pid_t parent, int failures)
{
	struct pollfd fds[WATCHED] = {[CHILD] = {.fd = -1, .events = POLLIN},
		[PARENT] = {.fd = open_process(parent), .events = POLLIN},
		[SIGNAL] = {.fd = open_signals(), .events = POLLIN}};
	sigset_t all;
	pid_t child;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (program->group)
		(void)setpgid(0, 0);
	if (fds[PARENT].fd < 0 || fds[SIGNAL].fd < 0)
		tell(failures, fds[PARENT].fd < 0 ? fds[PARENT].fd : fds[SIGNAL].fd);
	if (getppid() != parent || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		tell(failures, -ESRCH);
	child = fork();
	if (child < 0)
		tell(failures, -errno);
	if (child == 0)
		live(program, getppid(), failures);
	watch_or_kill(program, fds, parent, child, failures);
}

/* ---- starting both ---- */

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

int quick_spawn(const struct quick_program *program, pid_t *ret_pid)
{
	pid_t pid, parent = getpid();
	int ends[2], r = 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		supervise(program, parent, ends[1]);
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
