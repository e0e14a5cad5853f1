/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/generation_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/made_files.h"
#include "cli/size.h"
#include "cli/table.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/write.h"

enum { MODE = 0644 };

static const char *text_of(const json_t *file, const char *name)
{
	const char *text = json_string_value(json_object_get(file, name));

	return text ? text : "";
}

void generation_files_print(const json_t *answer)
{
	struct table table;
	char size[SIZE_TEXT_MAX];
	size_t i;
	json_t *file;

	table_init(&table, 2);
	table_add(&table, "FILE");
	table_add(&table, "SIZE");
	json_array_foreach(json_object_get(answer, "files"), i, file)
	{
		table_add(&table, "%s", text_of(file, "name"));
		table_add(&table, "%s", size_format(strlen(text_of(file, "text")), size));
	}
	table_print(&table, stdout);
	table_clear(&table);
}

/* Only names, one below the other: no "..", no empty one. */
static bool is_below(const char *path)
{
	while (*path) {
		size_t length = strcspn(path, "/");

		if (!length || (length == 2 && !strncmp(path, "..", 2)) ||
			(path[length] && !path[length + 1]))
			return false;
		path += length + (path[length] == '/');
	}
	return true;
}

/* The name as seen from the directory of the fleet file; NULL: it is not below that. */
static const char *seen_from(const char *fleet_file, const char *name)
{
	const char *slash = strrchr(fleet_file, '/');
	size_t length = slash ? (size_t)(slash - fleet_file) + 1 : 0;

	if (strncmp(name, fleet_file, length) != 0 || !name[length] || !is_below(name + length))
		return NULL;
	return name + length;
}

static int write_one(struct made_files *made, const json_t *file, const char *fleet_file,
	const char *directory, struct err *err)
{
	const char *name = text_of(file, "name"), *text = text_of(file, "text");
	const char *below = seen_from(fleet_file, name);
	struct text path = {0};
	int r;

	if (!below)
		return err_at(err, -EPERM, name, 0, 0,
			"was not in the directory of the fleet file, and has no place in another: nothing "
			"was written; --json has its text");
	text_add(&path, "%s/%s", directory, below);
	r = made_files_add(made, path.data, text, strlen(text), MODE, err);
	text_clear(&path);
	return r;
}

static json_t *paths_of(const struct made_files *made)
{
	json_t *paths = json_array();

	for (size_t i = 0; i < made->count; i++)
		jput_text(paths, NULL, made->paths[i]);
	return paths;
}

int generation_files_write(const json_t *answer, const char *directory, json_t **ret_paths, struct err *err)
{
	const json_t *files = json_object_get(answer, "files");
	const char *fleet_file = text_of(json_array_get(files, 0), "name");
	struct made_files made = {0};
	int r = 0;
	size_t i;
	json_t *file;

	if (!json_array_size(files))
		return err_set(err, -ENODATA, "the controller gave no files");
	json_array_foreach(files, i, file)
	{
		r = write_one(&made, file, fleet_file, directory, err);
		if (r < 0)
			break;
	}
	if (r < 0)
		made_files_undo(&made);
	else
		*ret_paths = paths_of(&made);
	made_files_clear(&made);
	return r;
}
