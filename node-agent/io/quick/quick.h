/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_H
#define HOLDFAST_AGENT_QUICK_H

#include <stdbool.h>

#include "common/base/err.h"

/*
 * wg-quick(8)'s four commands on this machine, without wg-quick, and two that change hands with it: docs/wg-quick.md tells what is alike and what differs.
 *
 * A journal under run_directory says what is ours and is written before each step, so that a failure, a signal, or the
 * next command after a SIGKILL can remove all of it and nothing else. INT, TERM and HUP are held back while a command
 * works, and ask it to stop and undo; run in a program's only thread.
 */
enum quick_word {
	QUICK_NAME, /* the interface that it is about */
	QUICK_FILE, /* and its file, whatever led there: first of all, if there is one */
	QUICK_STEP, /* one line or more, as one would type them */
	QUICK_HOOK, /* a step: "PostUp = COMMAND". People write keys into them */
	QUICK_WARNING,
	QUICK_OUTPUT, /* what was asked for. It holds keys */
};

struct quick_options {
	const char *argument; /* an interface's name or a path that ends in NAME.conf */
	const char *run_directory;
	bool dry_run; /* tell the operations, do nothing */
	void (*say)(enum quick_word word, const char *text);
};

/* How the command ends: 0, 1 (err says why), or the status of the hook or program that failed (err says which; 128 and
 * a signal's number if that ended it, or us). */
int quick_up(const struct quick_options *options, struct err *err);
int quick_down(const struct quick_options *options, struct err *err);
/* Takes a tunnel over that wg-quick brought up, as it runs; hands one back, so that wg-quick takes it down. No packet is lost,
 * and what interrupts them is undone, or gone on with by either of them or by `down`. */
int quick_adopt(const struct quick_options *options, struct err *err);
int quick_release(const struct quick_options *options, struct err *err);
int quick_save_file(const struct quick_options *options, struct err *err);
int quick_print_stripped(const struct quick_options *options, struct err *err);

#endif
