/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_FILE_WATCH_H
#define HOLDFAST_CONTROLLER_IO_FILE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/fleet_files/places.h"

struct event_base;

/*
 * Files that may change at any time, by inotify(7): who asked for it is told once they have been quiet for a while
 * (core/quiet). Directories are watched and not files, since editors put a new file in the place of the old one.
 */
struct file_watch;

typedef void file_watch_changed(void *context);
/* It has kept changing for QUIET_RESTLESS_MS. Once, until there has been a pause. */
typedef void file_watch_restless(const char *path, void *context);

enum { FILE_WATCH_PATH_MAX = 512 };

/* In the loop; never from inside any of these. */
int file_watch_new(struct event_base *base, file_watch_changed *changed, file_watch_restless *restless,
	void *context, struct file_watch **ret_watch, struct err *err);
/* Instead of those before. What is in *places is taken over. What was not watched yet, be it a directory or
 * a name in one, may have changed since it was read, so that counts as a change. -errno: one is not watched, err names it; the others are. */
int file_watch_set(struct file_watch *watch, struct file_places *places, struct err *err);
/* Has nothing changed by now that has not been told? Also false if more has happened in its directories than is looked at in
 * one turn. */
bool file_watch_is_quiet(struct file_watch *watch);
/* Which file keeps changing by then (of the clock), for QUIET_RESTLESS_MS and more? false: none. A longer path is cut. */
bool file_watch_is_restless(const struct file_watch *watch, int64_t now_ms, char *path, size_t size);
void file_watch_free(struct file_watch *watch); /* NULL-safe */

#endif
