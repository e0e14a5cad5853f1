/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/quick/files.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

static const char DIRECTORY[] = "tests/unit/quick/files";

char *files_read(const char *area, const char *name, const char *suffix)
{
	char path[512], block[4096];
	struct text text = {0};
	FILE *file;
	size_t length;

	snprintf(path, sizeof(path), "%s/%s/%s%s", DIRECTORY, area, name, suffix);
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s", path);
	while ((length = fread(block, 1, sizeof(block), file)))
		text_add_bytes(&text, block, length);
	fclose(file);
	return text_take(&text);
}

unsigned files_each(const char *area, void (*check)(const char *name))
{
	char path[512], name[256];
	DIR *directory;
	struct dirent *entry;
	unsigned count = 0;

	snprintf(path, sizeof(path), "%s/%s", DIRECTORY, area);
	directory = opendir(path);
	ck_assert_msg(directory != NULL, "%s", path);
	while ((entry = readdir(directory))) {
		char *suffix = strstr(entry->d_name, ".conf");

		if (!suffix || strcmp(suffix, ".conf") != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(suffix - entry->d_name), entry->d_name);
		check(name);
		count++;
	}
	closedir(directory);
	return count;
}
