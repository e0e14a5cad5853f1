/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/fleet.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/json/write.h"
#include "controller/core/fleet/expired.h"
#include "controller/core/fleet/read.h"

#define FLEET_HERE "fleet.yaml"
#define FLEET_INSTALLED "/etc/holdfast/fleet.yaml"
#define NO_FILE ""

enum { SECOND_MS = 1000 };

const char *fleet_default_path(void)
{
	return access(FLEET_HERE, F_OK) ? FLEET_INSTALLED : FLEET_HERE;
}

int64_t fleet_now_s(void)
{
	return clock_wall_ms() / SECOND_MS;
}

/* Of which file warnings are told; NULL: of all; NO_FILE: of none. */
static void print_diagnostics(const struct diagnostics *diagnostics, const char *only)
{
	char line[DIAGNOSTIC_TEXT_MAX];

	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *item = &diagnostics->items[i];

		if (only && diagnostic_is_warning(item) && strcmp(item->file, only))
			continue;
		fprintf(stderr, "%s%s\n", diagnostic_format(item, line, sizeof(line)),
			diagnostic_is_warning(item) ? " (warning)" : "");
	}
}

/* With one more (name NULL: none). */
static int read_sources(const struct fleet_files *files, const char *name, const char *text,
	struct fleet **ret_fleet, struct diagnostics *diagnostics)
{
	CLEANUP_FREE struct fleet_source *sources = mem_new(files->count + 1, sizeof(*sources));
	size_t count = files->count;
	int r;

	for (size_t i = 0; i < count; i++)
		sources[i] = (struct fleet_source){
			files->items[i].name, files->items[i].text, files->items[i].size};
	if (name)
		sources[count++] = (struct fleet_source){name, text, strlen(text)};
	r = fleet_read(sources, count, ret_fleet, diagnostics);
	if (r >= 0)
		fleet_warn_expired(*ret_fleet, fleet_now_s(), diagnostics);
	return r;
}

int fleet_check_with(
	const struct fleet_files *files, const char *name, const char *text, struct fleet **ret_fleet)
{
	struct diagnostics diagnostics = {0};
	int r = read_sources(files, name, text, ret_fleet, &diagnostics);

	print_diagnostics(&diagnostics, name);
	diagnostics_clear(&diagnostics);
	return r;
}

int fleet_examine(const char *path, struct fleet_files *ret_files, struct fleet **ret_fleet,
	struct diagnostics *ret_diagnostics, struct err *err)
{
	struct fleet_files files = {0};
	struct fleet *fleet = NULL;
	int r;

	*ret_diagnostics = (struct diagnostics){0};
	r = fleet_files_read(path, &files, err);
	if (r < 0)
		return r == -EINVAL ? -EBADMSG : r; /* -EINVAL means that all has been said */
	r = read_sources(&files, NULL, NULL, &fleet, ret_diagnostics);
	if (r < 0) {
		fleet_files_clear(&files);
		return -EINVAL;
	}
	*ret_files = files;
	if (ret_fleet)
		*ret_fleet = fleet;
	else
		fleet_free(fleet);
	return 0;
}

static int examine_and_tell(const char *path, const char *only, struct fleet_files *ret_files,
	struct fleet **ret_fleet, struct err *err)
{
	struct diagnostics diagnostics;
	int r = fleet_examine(path, ret_files, ret_fleet, &diagnostics, err);

	print_diagnostics(&diagnostics, only);
	diagnostics_clear(&diagnostics);
	return r;
}

int fleet_check(const char *path, struct fleet_files *ret_files, struct fleet **ret_fleet, struct err *err)
{
	return examine_and_tell(path, NULL, ret_files, ret_fleet, err);
}

int fleet_load(const char *path, struct fleet_files *ret_files, struct fleet **ret_fleet, struct err *err)
{
	return examine_and_tell(path, NO_FILE, ret_files, ret_fleet, err);
}

static void put_diagnostic(json_t *list, const struct diagnostic *diagnostic)
{
	json_t *item = jput_object(list, NULL);

	jput_text(item, "file", diagnostic->file);
	jput_u64(item, "line", diagnostic->line);
	jput_u64(item, "column", diagnostic->column);
	jput_text(item, "message", diagnostic->text);
}

void fleet_put_diagnostics(json_t *to, const struct diagnostics *diagnostics)
{
	json_t *errors, *warnings;

	jput_bool(to, "valid", !diagnostics->errors);
	jput_u64(to, "error_count", diagnostics->errors);
	jput_u64(to, "warning_count", diagnostics->warnings);
	errors = jput_array(to, "errors");
	warnings = jput_array(to, "warnings");
	for (size_t i = 0; i < diagnostics->count; i++)
		put_diagnostic(diagnostic_is_warning(&diagnostics->items[i]) ? warnings : errors,
			&diagnostics->items[i]);
}

/* In the order of the files. The text is the buffer's. */
static const char *first_error(const struct diagnostics *diagnostics, char line[DIAGNOSTIC_TEXT_MAX])
{
	for (size_t i = 0; i < diagnostics->count; i++)
		if (!diagnostic_is_warning(&diagnostics->items[i]))
			return diagnostic_format(&diagnostics->items[i], line, DIAGNOSTIC_TEXT_MAX);
	return "?";
}

json_t *fleet_bundle(const struct fleet_files *files)
{
	json_t *body = json_object(), *list = jput_array(body, "files");

	for (size_t i = 0; i < files->count; i++) {
		json_t *file = jput_object(list, NULL);

		jput_text(file, "name", files->items[i].name);
		jput_text(file, "text", files->items[i].text);
	}
	return body;
}

int fleet_of_answer(const json_t *answer, struct fleet **ret_fleet, struct err *err)
{
	const json_t *files = json_object_get(answer, "files");
	size_t count = json_array_size(files);
	CLEANUP_FREE struct fleet_source *sources = mem_new(count + 1, sizeof(*sources));
	struct diagnostics diagnostics = {0};
	char line[DIAGNOSTIC_TEXT_MAX];
	int r;

	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_value(json_object_get(json_array_get(files, i), "name"));
		const char *text = json_string_value(json_object_get(json_array_get(files, i), "text"));

		if (!name || !text)
			return err_set(
				err, -EPROTO, "not an answer of a controller: a file without name or text");
		sources[i] = (struct fleet_source){name, text, strlen(text)};
	}
	if (!count)
		return err_set(err, -EPROTO, "not an answer of a controller: no files");
	r = fleet_read_stored(sources, count, ret_fleet, &diagnostics);
	if (r < 0)
		r = err_set(err, -EBADMSG, "the stored fleet cannot be read by this version: %s",
			first_error(&diagnostics, line));
	diagnostics_clear(&diagnostics);
	return r;
}
