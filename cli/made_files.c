/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/made_files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/file.h"

enum { MODE_FOR_OTHERS = 077, DIRECTORY_PRIVATE = 0700, DIRECTORY_OPEN = 0755 };

static int make_parent(const char *path, mode_t mode, struct err *err)
{
	CLEANUP_FREE char *parent = mem_text(path);
	char *slash = strrchr(parent, '/');

	if (!slash || slash == parent)
		return 0;
	*slash = '\0';
	return file_make_directories(
		parent, mode & MODE_FOR_OTHERS ? DIRECTORY_OPEN : DIRECTORY_PRIVATE, err);
}

int made_files_add(struct made_files *files, const char *path, const void *data, size_t size, mode_t mode,
	struct err *err)
{
	int r = make_parent(path, mode, err);

	if (!r)
		r = file_create(path, data, size, mode, err);
	if (r < 0)
		return r;
	files->paths = mem_grow(files->paths, &files->capacity, files->count + 1, sizeof(*files->paths));
	files->paths[files->count++] = mem_text(path);
	return 0;
}

void made_files_undo(struct made_files *files)
{
	while (files->count) {
		unlink(files->paths[--files->count]);
		free(files->paths[files->count]);
	}
}

void made_files_clear(struct made_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->paths[i]);
	free(files->paths);
	*files = (struct made_files){0};
}
