/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_MADE_FILES_H
#define HOLDFAST_CLI_MADE_FILES_H

#include <stddef.h>
#include <sys/types.h>

#include "common/base/err.h"

/* New files that belong together: all of them, or none. None replaces one that is there. */
struct made_files {
	size_t count, capacity;
	char **paths; /* owned */
};

/* -EEXIST: there is something; the directories it needs are made, as for a mode of 0600 for the owner alone. */
int made_files_add(struct made_files *files, const char *path, const void *data, size_t size, mode_t mode,
	struct err *err);
/* Take back what was made (the directories stay). */
void made_files_undo(struct made_files *files);
void made_files_clear(struct made_files *files);

#endif
