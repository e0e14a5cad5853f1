/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_PROGRAM_H
#define HOLDFAST_IO_PROGRAM_H

#include <event2/event.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * Programs of the user's, run beside the loop, which never waits for one: no shell of ours, a small environment,
 * nothing inherited but /dev/null. Each is a process group of its own, and what is left of that when the program ends,
 * or when its time is over, is killed with it. Who leaves the group (setsid) lives on.
 * Should this process die without programs_free(), the kernel kills the program, and what that has started lives on.
 */
struct programs;
struct program; /* one that runs */

enum {
	PROGRAM_SAID_MAX = 120,         /* bytes kept of its first line, standard output or error */
	PROGRAM_OUTPUT_MAX = 64 * 1024, /* bytes that it may write; then it is killed */
	PROGRAM_FAILURE_MAX = 80 + PROGRAM_SAID_MAX,
};

struct program_start {
	const char *path;               /* absolute */
	const char *const *words;       /* its argv, ends with NULL; NULL: the path alone */
	const char *const *environment; /* "NAME=VALUE", ends with NULL */
	int64_t deadline_ms;            /* from now; then it is killed */
};

/* It has ended: failure NULL with status 0; else why, in words, with what it said. It is gone after the call. */
typedef void program_ended(const char *failure, void *context);

struct programs *programs_new(struct event_base *base);
void programs_free(struct programs *programs); /* kills those that run, calls nobody; NULL-safe */

int program_start(struct programs *programs, const struct program_start *start, program_ended *ended,
	void *context, struct program **ret_program, struct err *err);
/* Its group ends now, for this reason; ended() is called when it has. */
void program_kill(struct program *program, const char *why);
/* The same, and nobody is called. NULL-safe. */
void program_forget(struct program *program);
/* The first line of what it has said so far; "": nothing. */
const char *program_said(const struct program *program);

#endif
