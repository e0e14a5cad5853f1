/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/program/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/program/child.h"

enum { READ_BYTES = 4096, WHY_MAX = 60 };

struct program {
	struct programs *programs;
	struct program *next;
	pid_t pid;
	int pidfd, output;
	struct event *ended_event, *output_event, *timer;
	int64_t deadline_ms;
	size_t output_bytes, said_bytes;
	bool line_ended, silent; /* silent: no more is read */
	char said[PROGRAM_SAID_MAX + 1];
	char why[WHY_MAX];    /* it was killed; "": it was not */
	program_ended *ended; /* NULL: nobody is told */
	void *context;
};

struct programs {
	struct event_base *base;
	struct program *first;
};

/* ---- what it says ---- */

static void keep(struct program *program, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count && !program->line_ended && program->said_bytes < PROGRAM_SAID_MAX; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		program->line_ended = byte == '\n' && program->said_bytes > 0;
		if (byte != '\n')
			program->said[program->said_bytes++] =
				(char)(byte < ' ' || byte == 0x7f ? ' ' : byte);
	}
}

/* False: there is no more for now, or for ever. */
static bool read_some(struct program *program)
{
	char bytes[READ_BYTES];
	ssize_t count = read(program->output, bytes, sizeof(bytes));

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (count <= 0) {
		program->silent = true;
		return false;
	}
	keep(program, bytes, (size_t)count);
	program->output_bytes += (size_t)count;
	program->silent = program->output_bytes > PROGRAM_OUTPUT_MAX;
	if (program->silent)
		program_kill(program, "says more than 64 KiB");
	return !program->silent;
}

static void on_output(evutil_socket_t fd, short what, void *context)
{
	struct program *program = context;

	(void)fd;
	(void)what;
	(void)read_some(program);
	if (program->silent)
		event_del(program->output_event);
}

const char *program_said(const struct program *program)
{
	return program->said;
}

/* ---- its end ---- */

static void unlink_from_list(struct program *program)
{
	struct program **link = &program->programs->first;

	while (*link != program)
		link = &(*link)->next;
	*link = program->next;
}

static void clear(struct program *program)
{
	event_free(program->ended_event);
	event_free(program->output_event);
	event_free(program->timer);
	close(program->pidfd);
	close(program->output);
	free(program);
}

/* NULL: it was well. */
static const char *judge(
	const struct program *program, const siginfo_t *end, char failure[PROGRAM_FAILURE_MAX])
{
	char how[WHY_MAX];

	if (!program->why[0] && end->si_code == CLD_EXITED && end->si_status == 0)
		return NULL;
	if (program->why[0])
		(void)text_copy(how, sizeof(how), program->why);
	else
		(void)snprintf(how, sizeof(how),
			end->si_code == CLD_EXITED ? "exit status %d" : "ended by signal %d", end->si_status);
	(void)snprintf(
		failure, PROGRAM_FAILURE_MAX, "%s%s%s", how, program->said[0] ? ": " : "", program->said);
	return failure;
}

/* What it left in its group goes with it: while it is not reaped, the group's number is nobody else's. */
static void on_ended(evutil_socket_t fd, short what, void *context)
{
	struct program *program = context;
	char failure[PROGRAM_FAILURE_MAX];
	siginfo_t end = {0};

	(void)fd;
	(void)what;
	while (!program->silent && read_some(program))
		;
	(void)kill(-program->pid, SIGKILL);
	if (waitid(P_PIDFD, (id_t)program->pidfd, &end, WEXITED) < 0)
		(void)text_copy(program->why, sizeof(program->why), "nobody knows how it ended");
	unlink_from_list(program);
	if (program->ended)
		program->ended(judge(program, &end, failure), program->context);
	clear(program);
}

void program_kill(struct program *program, const char *why)
{
	if (!program->why[0])
		(void)text_copy(program->why, sizeof(program->why), why);
	(void)kill(-program->pid, SIGKILL);
}

static void on_late(evutil_socket_t fd, short what, void *context)
{
	struct program *program = context;
	char why[WHY_MAX];

	(void)fd;
	(void)what;
	(void)snprintf(why, sizeof(why), "no end within %lld ms", (long long)program->deadline_ms);
	program_kill(program, why);
}

void program_forget(struct program *program)
{
	if (!program)
		return;
	program->ended = NULL;
	program_kill(program, "not wanted any more");
}

/* ---- its start ---- */

static void watch(struct program *program)
{
	struct event_base *base = program->programs->base;
	struct timeval deadline = {
		.tv_sec = program->deadline_ms / 1000, .tv_usec = program->deadline_ms % 1000 * 1000};

	program->ended_event = event_new(base, program->pidfd, EV_READ, on_ended, program);
	program->output_event = event_new(base, program->output, EV_READ | EV_PERSIST, on_output, program);
	program->timer = event_new(base, -1, 0, on_late, program);
	event_add(program->ended_event, NULL);
	event_add(program->output_event, NULL);
	event_add(program->timer, &deadline);
}

/* The child's number, once it is one that can be waited for; -errno. */
static pid_t begin(const struct program_start *start, int output, int *ret_pidfd)
{
	const char *const alone[] = {start->path, NULL};
	const char *const *words = start->words ? start->words : alone;
	pid_t self = getpid(), pid = fork();
	int r;

	if (pid == 0)
		child_become(start->path, words, start->environment, output, self);
	if (pid < 0)
		return -errno;
	(void)setpgid(pid, pid); /* both do: whoever comes first */
	*ret_pidfd = pidfd_open(pid, 0);
	if (*ret_pidfd >= 0)
		return pid;
	r = -errno;
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

int program_start(struct programs *programs, const struct program_start *start, program_ended *ended,
	void *context, struct program **ret_program, struct err *err)
{
	struct program *program;
	int ends[2], pidfd = -1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, -errno, "a pipe: %s", strerror(errno));
	pid = begin(start, ends[1], &pidfd);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return err_set(err, pid, "cannot be started: %s", strerror(-pid));
	}
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	program = mem_new(1, sizeof(*program));
	program->programs = programs;
	program->next = programs->first;
	programs->first = program;
	program->pid = pid;
	program->pidfd = pidfd;
	program->output = ends[0];
	program->deadline_ms = start->deadline_ms;
	program->ended = ended;
	program->context = context;
	watch(program);
	*ret_program = program;
	return 0;
}

/* ---- all of them ---- */

struct programs *programs_new(struct event_base *base)
{
	struct programs *programs = mem_new(1, sizeof(*programs));

	programs->base = base;
	return programs;
}

/* What was killed is not waited for: this process is about to end, and init reaps. */
void programs_free(struct programs *programs)
{
	while (programs && programs->first) {
		struct program *program = programs->first;

		programs->first = program->next;
		(void)kill(-program->pid, SIGKILL);
		(void)waitid(P_PIDFD, (id_t)program->pidfd, &(siginfo_t){0}, WEXITED | WNOHANG);
		clear(program);
	}
	free(programs);
}
