/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/io/log.h"
#include "node-agent/io/agent/hooks_int.h"
#include "proto/desired_json.h"

/*
 * RUN/hooks/NAME.json, from before the tunnel is made until its last hook has ended: {"name", "owes", "pre_up": [...], ...}.
 * On a tmpfs, so it goes with what it tells of.
 */
enum { RECORD_PATH_MAX = PATH_MAX + PROTO_INTERFACE_MAX + 16 };

static void directory_of(const struct agent *agent, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/hooks", agent->config->run);
}

static void path_of(const struct agent *agent, const char *name, char path[RECORD_PATH_MAX])
{
	char directory[PATH_MAX];

	directory_of(agent, directory);
	snprintf(path, RECORD_PATH_MAX, "%s/%s.json", directory, name);
}

static int write_record(const struct hooked *hooked, struct err *err)
{
	char directory[PATH_MAX], path[RECORD_PATH_MAX];
	json_t *json = json_object();
	CLEANUP_FREE char *text = NULL;
	size_t size;
	int r;

	jput_text(json, "name", hooked->name);
	jput_bool(json, "owes", course_owes(&hooked->course));
	desired_hooks_put(json, hooked->lines);
	desired_dns_put(json, &hooked->dns);
	text = json_compact(json, &size);
	json_decref(json);
	directory_of(hooked->agent, directory);
	path_of(hooked->agent, hooked->name, path);
	r = file_make_directories(directory, 0700, err);
	return r < 0 ? r : file_write(path, text, size, 0600, err);
}

void hooks_record_anew(struct hooked *hooked)
{
	struct err err = {0};

	hooked->recorded = write_record(hooked, &err) >= 0;
	hooked->recorded_owes = course_owes(&hooked->course);
	if (!hooked->recorded)
		log_limited(LEVEL_ERROR, "hook", "not-recorded", hooked->name,
			log_text("tunnel", hooked->name), log_err(&err));
}

void hooks_record(struct hooked *hooked)
{
	if (!hooked->recorded || hooked->recorded_owes != course_owes(&hooked->course))
		hooks_record_anew(hooked);
}

void hooks_record_remove(struct hooked *hooked)
{
	char path[RECORD_PATH_MAX];

	path_of(hooked->agent, hooked->name, path);
	(void)unlink(path);
	hooked->recorded = false;
}

/* ---- reading ---- */

static int read_record(const char *path, char name[PROTO_INTERFACE_MAX + 1], struct texts lines[HOOKS],
	struct texts *dns, bool *ret_owes, struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	json_t *json = NULL;
	struct jnode root;
	size_t size;
	int r = file_read(path, json_limits_message.max_bytes, &text, &size, err);

	if (r >= 0)
		r = json_parse_bytes(text, size, &json_limits_message, &json, err);
	if (r < 0)
		return r;
	root = jnode_root(json);
	r = jnode_name(&root, "name", JSON_REQUIRED, name, PROTO_INTERFACE_MAX + 1, err);
	if (r >= 0)
		r = jnode_bool(&root, "owes", JSON_REQUIRED, ret_owes, err);
	if (r >= 0)
		r = desired_hooks_get(&root, lines, err);
	if (r >= 0)
		r = desired_dns_get(&root, dns, err);
	json_decref(json);
	return r;
}

void hooks_record_load(
	struct agent *agent, void (*found)(struct agent *agent, const char *name, struct texts lines[HOOKS],
				     const struct texts *dns, bool owes))
{
	char directory_path[PATH_MAX], path[RECORD_PATH_MAX + NAME_MAX];
	struct dirent *entry;
	DIR *directory;

	directory_of(agent, directory_path);
	directory = opendir(directory_path);
	while (directory && (entry = readdir(directory))) {
		struct texts lines[HOOKS] = {0}, dns = {0};
		char name[PROTO_INTERFACE_MAX + 1];
		struct err err = {0};
		size_t length = strlen(entry->d_name);
		bool owes;

		if (length <= 5 || strcmp(entry->d_name + length - 5, ".json") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory_path, entry->d_name);
		file_sweep(path);
		if (read_record(path, name, lines, &dns, &owes, &err) >= 0)
			found(agent, name, lines, &dns, owes);
		else
			log_error("hook", "record-not-read", log_text("path", path), log_err(&err));
		for (size_t i = 0; i < HOOKS; i++)
			texts_clear(&lines[i]);
		texts_clear(&dns);
	}
	if (directory)
		closedir(directory);
}
