/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_REFRESH_H
#define HOLDFAST_CONTROLLER_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * When is the fleet file read, and may what was read be applied? One reading or apply of it at a time; whoever asks for
 * another one meanwhile is served after it. Who asks is a static text. Files that are watched are applied again if something
 * else than they stood in the way, after a delay that doubles until they are asked for anew. All times are of one steady clock,
 * in milliseconds.
 */
enum { REFRESH_RETRY_MIN_MS = 1000, REFRESH_RETRY_MAX_MS = 60 * 1000 };

struct refresh {
	bool watched;
	bool reading, applying;
	const char *who;    /* asked for the one under way */
	const char *wanted; /* whoever asks for the next; NULL: nobody */
	bool is_due;        /* to be applied again: */
	int64_t due_ms, delay_ms;
};

void refresh_want(struct refresh *refresh, const char *who);
/* Is it to be read now? is_busy: somebody else's apply is under way. */
bool refresh_begin(struct refresh *refresh, bool is_busy);
/* It has been read: is it to be applied? Then refresh_end() follows. If not, it is read again when its time has come: the
 * files are not quiet, and who watches them asks then; or they were asked for again meanwhile, and if they are watched that
 * means that half of what was read may be old and half new; or somebody else's apply has begun. */
bool refresh_take(struct refresh *refresh, bool is_busy, bool is_quiet);
/* is_hindered: another time the same files may be applied. */
void refresh_end(struct refresh *refresh, bool is_hindered, int64_t now_ms);
/* When it is to be applied again; -1: it is not, or that is under way. */
int64_t refresh_due_ms(const struct refresh *refresh);
/* Now, if it is to be at all. */
void refresh_retry(struct refresh *refresh, const char *who);
/* Was it hindered the last time, and not asked for anew since? */
bool refresh_is_hindered(const struct refresh *refresh);

#endif
