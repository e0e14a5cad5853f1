/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/key_files.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/stage/stage.h"

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       is_same_time(&a->st_mtim, &b->st_mtim) && is_same_time(&a->st_ctim, &b->st_ctim);
}

static bool is_of(const struct key_file *file, const struct desired_tunnel *tunnel)
{
	return !strcmp(file->tunnel, tunnel->name) && key_equal(&file->public_key, &tunnel->public_key);
}

static void read_it(const struct agent *agent, const struct desired_tunnel *tunnel, struct key_file *file)
{
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX], before[sizeof(file->failure)];
	struct err err = {0};

	memcpy(before, file->failure, sizeof(before));
	file->failure[0] = '\0';
	if (stage_check_private_key(agent->config->path, tunnel, &err) < 0)
		snprintf(file->failure, sizeof(file->failure), "%.*s", PROTO_REASON_MAX,
			err_format(&err, line, sizeof(line)));
	if (!strcmp(before, file->failure))
		return;
	if (file->failure[0])
		log_warning("agent", "key-file", log_text("tunnel", tunnel->name),
			log_text("text", file->failure));
	else
		log_notice("agent", "key-file", log_text("tunnel", tunnel->name),
			log_text("text", "is as it shall be again"));
}

static void look(const struct agent *agent, const struct desired_tunnel *tunnel, struct key_file *file)
{
	CLEANUP_FREE char *path = file_beside(agent->config->path, tunnel->private_key_file);
	bool known = is_of(file, tunnel);
	struct stat now = {0};

	if (stat(path, &now) < 0)
		now = (struct stat){0};
	if (known && is_same_file(&file->seen, &now))
		return;
	if (!known) {
		*file = (struct key_file){.public_key = tunnel->public_key};
		text_copy(file->tunnel, sizeof(file->tunnel), tunnel->name);
	}
	file->seen = now;
	read_it(agent, tunnel, file);
}

void agent_key_files_second(struct agent *agent)
{
	const struct desired *desired = agent->held.desired;
	struct key_files *files = &agent->key_files;

	files->count = desired && desired->tunnel_count <= PROTO_TUNNELS_MAX ? desired->tunnel_count : 0;
	for (size_t i = 0; i < files->count; i++)
		look(agent, &desired->tunnels[i], &files->items[i]);
}
