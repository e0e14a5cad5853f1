/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "node-agent/core/quick/read.h"
#include "node-agent/core/quick/redact.h"
#include "node-agent/io/quick/files.h"
#include "node-agent/io/quick/session.h"

enum { COPY_PATH_MAX = PATH_MAX + 32 };

static void copy_path(const struct quick *quick, const char *suffix, char path[COPY_PATH_MAX])
{
	snprintf(path, COPY_PATH_MAX, "%s/%s%s", quick->directory, quick->name, suffix);
}

int quick_copy_write(struct quick *quick)
{
	CLEANUP_FREE char *redacted = quick_redact(quick->text, quick->size);
	char path[COPY_PATH_MAX];
	int r;

	copy_path(quick, ".yaml", path);
	if (!quick->sidecar_text)
		unlink(path);
	r = quick->sidecar_text ? file_write(path, quick->sidecar_text, quick->sidecar_size, 0600, quick->err)
				: 0;
	copy_path(quick, ".conf", path);
	return r < 0 ? r : file_write(path, redacted, strlen(redacted), 0600, quick->err);
}

int quick_copy_load(struct quick *quick)
{
	char path[COPY_PATH_MAX];
	int r;

	copy_path(quick, ".yaml", path);
	text_copy(quick->sidecar_path, sizeof(quick->sidecar_path), path);
	copy_path(quick, ".conf", path);
	r = file_read(path, QUICK_FILE_MAX_BYTES, &quick->text, &quick->size, quick->err);
	if (r < 0)
		return r;
	text_copy(quick->path, sizeof(quick->path), path);
	r = quick_read(path, quick->text, quick->size, &quick->config, quick->err);
	if (r >= 0)
		r = quick_load_sidecar(quick);
	if (r >= 0)
		r = quick_resolve_names(quick);
	if (r >= 0)
		quick_allowed_init(&quick->allowed, &quick->config, path, NULL);
	return r;
}

/* ---- beside what the files say now ---- */

static int read_sidecar(const struct quick *quick, struct quick_files *files)
{
	CLEANUP_FREE char *text = NULL;
	char path[COPY_PATH_MAX];
	struct err ignored;
	size_t size;
	int r;

	copy_path(quick, ".yaml", path);
	r = file_read(path, QUICK_SIDECAR_MAX_BYTES, &text, &size, &ignored);
	if (r == -ENOENT)
		return 0;
	if (r >= 0)
		r = quick_sidecar_read(path, text, size, &files->sidecar, &ignored);
	return r < 0 ? r : quick_sidecar_join(&files->sidecar, path, &files->config, &ignored);
}

static void files_clear(struct quick_files *files)
{
	quick_config_clear(&files->config);
	quick_sidecar_clear(&files->sidecar);
	*files = (struct quick_files){0};
}

static int read_copy(const struct quick *quick, struct quick_files *ret_files)
{
	struct quick_files files = {0};
	CLEANUP_FREE char *text = NULL;
	char path[COPY_PATH_MAX];
	struct err ignored;
	size_t size;
	int r;

	copy_path(quick, ".conf", path);
	r = file_read(path, QUICK_FILE_MAX_BYTES, &text, &size, &ignored);
	if (r >= 0)
		r = quick_read(path, text, size, &files.config, &ignored);
	if (r >= 0)
		r = read_sidecar(quick, &files);
	if (r < 0)
		files_clear(&files);
	else
		*ret_files = files;
	return r;
}

static void exchange(struct quick *quick, struct quick_files *files)
{
	struct quick_files now = {quick->config, quick->sidecar};

	quick->config = files->config;
	quick->sidecar = files->sidecar;
	*files = now;
}

bool quick_files_take_made(struct quick *quick, struct quick_files *ret_now)
{
	if (read_copy(quick, ret_now) < 0)
		return false;
	exchange(quick, ret_now);
	return true;
}

void quick_files_leave_made(struct quick *quick, struct quick_files *now)
{
	exchange(quick, now);
	files_clear(now);
}

void quick_copy_remove(const struct quick *quick)
{
	char path[COPY_PATH_MAX];

	copy_path(quick, ".conf", path);
	unlink(path);
	copy_path(quick, ".yaml", path);
	unlink(path);
}
