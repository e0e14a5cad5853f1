/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_REFRESH_H
#define HOLDFAST_CONTROLLER_REFRESH_H

#include <stdbool.h>

/*
 * When is the fleet file read, and may what was read be applied? One reading or apply of it at a time; whoever asks for
 * another one meanwhile is served after it. Who asks is a static text.
 */
struct refresh {
	bool watched;
	bool reading, applying;
	const char *who;    /* asked for the one under way */
	const char *wanted; /* whoever asks for the next; NULL: nobody */
};

void refresh_want(struct refresh *refresh, const char *who);
/* Is it to be read now? is_busy: somebody else's apply is under way. */
bool refresh_begin(struct refresh *refresh, bool is_busy);
/* It has been read: is it to be applied? Then refresh_end() follows. If not, it is read again when its time has come: the
 * files are not quiet, and who watches them asks then; or they were asked for again meanwhile, and if they are watched that
 * means that half of what was read may be old and half new; or somebody else's apply has begun. */
bool refresh_take(struct refresh *refresh, bool is_busy, bool is_quiet);
void refresh_end(struct refresh *refresh);

#endif
