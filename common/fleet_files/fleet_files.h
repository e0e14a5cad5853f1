/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FLEET_FILES_H
#define HOLDFAST_FLEET_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "common/fleet_files/places.h"

/*
 * A fleet file and what it includes, from the disk. `include:` is a list of paths or globs (glob(7)), relative to the file
 * that holds it; a glob may match nothing, a plain path must be there. An included file may include in its turn. Nothing
 * else of their content is looked at: a file that is not YAML is loaded, and its includes are not.
 */
enum {
	FLEET_FILES_MAX = 10000,
	FLEET_FILES_BYTES_MAX = 32 * 1024 * 1024, /* all together */
	FLEET_FILES_DEPTH_MAX = 8,                /* includes within includes */
};

struct fleet_file {
	char *name; /* its path as a person would write it: path itself, peers.d/alice.yaml beside it */
	char *text; /* terminated */
	size_t size;
};

struct fleet_files {
	size_t count, capacity;
	struct fleet_file *items; /* the fleet file first, then includes in order, each file once */
	size_t include_count, include_capacity;
	char **includes; /* each path or glob of an include:, relative to where we are */
};

/* -errno of what failed; -ELOOP for a file that includes itself, by whatever way; -E2BIG beyond a limit. err names the
 * file, or the place of the include. Clear *ret_files after success. */
int fleet_files_read(const char *path, struct fleet_files *ret_files, struct err *err);
/* The same, and for whoever waits for a change: where one would be, also if it fails. *places is the caller's to clear. */
int fleet_files_read_and_place(
	const char *path, struct fleet_files *ret_files, struct file_places *places, struct err *err);
/* Does an include: of them name that file, which may have come since they were read? false, too, if it is not there. */
bool fleet_files_include(const struct fleet_files *files, const char *path);
void fleet_files_clear(struct fleet_files *files);

#endif
