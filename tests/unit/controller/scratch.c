/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void scratch_make(struct scratch *scratch)
{
	strcpy(scratch->directory, "/tmp/holdfast-test-XXXXXX");
	if (!mkdtemp(scratch->directory))
		abort();
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info;
	(void)kind;
	(void)walk;
	return remove(path);
}

void scratch_remove(const struct scratch *scratch)
{
	nftw(scratch->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_path(struct scratch *scratch, const char *name)
{
	snprintf(scratch->path, sizeof scratch->path, "%s/%s", scratch->directory, name);
	return scratch->path;
}

const char *scratch_file(struct scratch *scratch, const char *name, const char *text)
{
	FILE *file = fopen(scratch_path(scratch, name), "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
	return scratch->path;
}
