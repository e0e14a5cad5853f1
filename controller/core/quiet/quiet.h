/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_QUIET_H
#define HOLDFAST_CONTROLLER_QUIET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * When are files that change worth reading? Editors, git and scp change them in several steps: not before all has been
 * quiet for a while, and longer while somebody has one open that is half written. All times are of one steady clock, in
 * milliseconds.
 */
enum {
	QUIET_MS = 200,
	QUIET_WRITING_MS =
		10000, /* somebody writes, and then does nothing: a slow network, or he keeps it open */
	QUIET_RESTLESS_MS = 30000, /* changing for so long without a pause is worth telling */
	QUIET_WRITINGS_MAX = 256,  /* files half written at once; more are as if they were whole */
};

enum quiet_change {
	QUIET_CHANGED, /* whole, there or gone */
	QUIET_TOUCHED, /* neither: its mode, its owner */
	QUIET_WRITTEN, /* in part: it is open */
};

struct quiet_file {
	int directory; /* whatever the caller calls it */
	char name[NAME_MAX + 1];
};

struct quiet {
	bool pending; /* something has changed */
	int64_t first_ms, last_ms;
	struct quiet_file last; /* what changed then */
	size_t count, capacity;
	struct quiet_file *written; /* owned */
};

void quiet_note(
	struct quiet *quiet, enum quiet_change change, int directory, const char *name, int64_t now_ms);
/* When it may be read; -1: nothing has changed. */
int64_t quiet_due_ms(const struct quiet *quiet);
/* Is it to be read now? Then nothing has changed from now on. */
bool quiet_take(struct quiet *quiet, int64_t now_ms);
/* What has changed last, if for so long there has been no pause to read in; NULL: there was, or nothing has changed. */
const struct quiet_file *quiet_restless(const struct quiet *quiet, int64_t now_ms);
void quiet_clear(struct quiet *quiet);

#endif
