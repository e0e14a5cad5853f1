/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/json/write.h"
#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/files.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"

/* The journal on the disk: on a tmpfs, so it is gone when what it tells of is. */

static void journal_path(const struct quick *quick, const char *name, char path[PATH_MAX + 32])
{
	snprintf(path, PATH_MAX + 32, "%s/%s.json", quick->directory, name);
}

void quick_journal_clear(struct quick_journal *journal)
{
	quick_memory_clear(&journal->memory);
	quick_texts_clear(&journal->left_out);
	quick_journal_clear_spaces(journal);
	quick_dns_state_clear(&journal->dns);
	free(journal->host_routes);
	*journal = (struct quick_journal){0};
}

void quick_journal_forget_left_out(struct quick_journal *journal)
{
	quick_texts_clear(&journal->left_out);
	journal->mtu_left = 0;
	journal->firewall_left = false;
}

/* ---- writing ---- */

int quick_journal_write_of(struct quick *quick, const struct quick_journal *journal)
{
	char path[PATH_MAX + 32];
	json_t *json = quick_journal_to_json(journal);
	size_t size;
	CLEANUP_FREE char *text = json_compact(json, &size);

	json_decref(json);
	journal_path(quick, journal->name, path);
	return file_write(path, text, size, 0600, quick->err);
}

static int write_own(struct quick *quick)
{
	text_copy(quick->journal.name, sizeof(quick->journal.name), quick->name);
	if (!quick->journal.target.inode && !quick->spaces.missing) {
		if (quick->journal.target.where)
			quick_spaces_note_made(quick);
		else
			quick_spaces_note(quick);
	}
	return quick_journal_write_of(quick, &quick->journal);
}

/* Others write into it under that lock, and taking it reads what they wrote. */
int quick_journal_write(struct quick *quick)
{
	bool held = quick->route_lock_fd >= 0;
	int r = quick_lock_routes(quick);

	if (r >= 0)
		r = write_own(quick);
	if (!held)
		quick_unlock_routes(quick);
	return r;
}

void quick_journal_remove(struct quick *quick)
{
	char path[PATH_MAX + 32];

	journal_path(quick, quick->name, path);
	unlink(path);
	quick_copy_remove(quick); /* last: one that is killed leaves no journal without a copy */
}

/* ---- reading ---- */

/* Larger than any file can make it, so that what was written can be read. */
static const struct json_limits limits = {.max_bytes = 256u * 1024 * 1024, .max_depth = 8};

int quick_journal_read_of(struct quick *quick, const char *name, struct quick_journal *ret_journal)
{
	struct quick_journal journal = {0};
	char path[PATH_MAX + 32];
	CLEANUP_FREE char *text = NULL;
	json_t *json = NULL;
	struct jnode root;
	size_t size;
	int r;

	journal_path(quick, name, path);
	r = file_read(path, limits.max_bytes, &text, &size, quick->err);
	if (r >= 0)
		r = json_parse_bytes(text, size, &limits, &json, quick->err);
	if (r < 0)
		return r;
	root = jnode_root(json);
	r = quick_journal_from_json(&root, &journal, quick->err);
	json_decref(json);
	if (r < 0) {
		quick_journal_clear(&journal);
		return err_prefix(quick->err, r, "%.300s", path);
	}
	*ret_journal = journal;
	return 0;
}

static bool is_half_written(const struct quick *quick, const char *name)
{
	static const char *const suffixes[] = {"json", "conf", "yaml"};
	char prefix[IFNAMSIZ + sizeof(".json.")];
	size_t length = strlen(name);

	if (length <= 4 || strcmp(name + length - 4, ".tmp") != 0)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
		snprintf(prefix, sizeof(prefix), "%s.%s.", quick->name, suffixes[i]);
		if (!strncmp(name, prefix, strlen(prefix)))
			return true;
	}
	return false;
}

/* What a SIGKILL in the middle of writing left: we hold the lock, so nobody is writing. */
static void sweep(const struct quick *quick)
{
	DIR *directory = opendir(quick->directory);
	struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory)))
		if (is_half_written(quick, entry->d_name))
			unlinkat(dirfd(directory), entry->d_name, 0);
	closedir(directory);
}

int quick_journal_read(struct quick *quick)
{
	int r;

	sweep(quick);
	r = quick_journal_read_of(quick, quick->name, &quick->journal);

	if (r != -ENOENT)
		return r;
	quick_copy_remove(quick); /* without its journal it is nothing */
	*quick->err = (struct err){0};
	return 0;
}
