/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_CHILD_H
#define HOLDFAST_AGENT_QUICK_CHILD_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "node-agent/core/quick/config.h"

/* Programs, and what becomes of them when we are told to stop, or die. */

struct quick;

/* ---- child.c: programs ---- */
/* Runs to its end with `input` (NULL: our own) as its stdin. A status other than 0 is -ECHILD, in quick->status;
 * -EINTR: a signal, and the program was ended with it. */
int quick_run(struct quick *quick, const char *path, const char *const argv[], const char *input);
/* Wait for a process that leads a group of its own (or has its own pid only). */
int quick_wait(struct quick *quick, pid_t pid, bool group, int *ret_status);
bool quick_has_program(const char *name, char path[PATH_MAX]);

/* ---- supervisor.c: a program, and all that it starts, dies with us while it runs ---- */
struct quick_program {
	const char *path;
	/* Whose /etc/netns/NAME it shall see, as `ip netns exec` has it; "": of one without a name. NULL: it is where we are. */
	const char *namespace;
	char *const *words, *const *environment;
	int stdin_fd; /* -1: ours */
	bool group;   /* of its own, led by *ret_pid */
};
/* *ret_pid ends as the program does; a signal from us (to it, or to its group) tells it to stop, and then all that it has
 * started; QUICK_SIGNAL_END to *ret_pid kills them. -errno: it did not start. */
#define QUICK_SIGNAL_END SIGRTMIN
int quick_spawn(const struct quick_program *program, pid_t *ret_pid);
int quick_die_with(pid_t parent); /* for a child: -ESRCH: the parent is dead already */

/* ---- hook.c ---- */
int quick_hooks(struct quick *quick, enum quick_hook hook);

#endif
