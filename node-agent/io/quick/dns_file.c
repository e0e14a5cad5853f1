/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "node-agent/core/quick/resolv_conf.h"
#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/session.h"

/* Name servers in /etc/resolv.conf itself. */
enum { RESOLV_CONF_MAX_BYTES = 1024 * 1024 };
static const char RESOLV_CONF[] = "/etc/resolv.conf";

/* In place where it can't be replaced: containers mount something over it. */
static int change_file(struct quick *quick, bool add)
{
	CLEANUP_FREE char *before = NULL, *after = NULL;
	char path[PATH_MAX];
	struct stat status;
	int r;

	if (!realpath(RESOLV_CONF, path) || stat(path, &status) < 0) {
		if (!add || errno != ENOENT)
			return add ? err_set(quick->err, -errno, "%s: %s", RESOLV_CONF, strerror(errno)) : 0;
		text_copy(path, sizeof(path), RESOLV_CONF);
		status.st_mode = 0644;
		before = mem_text("");
	} else {
		r = file_read(path, RESOLV_CONF_MAX_BYTES, &before, NULL, quick->err);
		if (r < 0)
			return r;
	}
	after = add ? quick_resolv_conf_add(before, quick->name, &quick->config.dns, &quick->config.search)
		    : quick_resolv_conf_remove(before, quick->name);
	r = file_write(path, after, strlen(after), status.st_mode & 07777, quick->err);
	return r == -EBUSY || r == -EXDEV ? quick_overwrite(path, before, after, quick->err) : r;
}

/* The file is everybody's; who hands a tunnel over has the lock already. */
static int change(struct quick *quick, bool add)
{
	bool held = quick->route_lock_fd >= 0;
	int r;

	quick_say(quick, QUICK_STEP, "%s: name servers of %s %s", RESOLV_CONF, quick->name,
		add ? "come" : "go");
	if (quick->options->dry_run)
		return 0;
	r = quick_lock_routes(quick);
	if (r >= 0)
		r = change_file(quick, add);
	if (!held)
		quick_unlock_routes(quick);
	return r;
}

static int add(struct quick *quick)
{
	return change(quick, true);
}

static int take_away(struct quick *quick)
{
	return change(quick, false);
}

static bool has(const struct quick *quick)
{
	CLEANUP_FREE char *text = NULL, *without = NULL;

	if (file_read(RESOLV_CONF, RESOLV_CONF_MAX_BYTES, &text, NULL, NULL) < 0)
		return access(RESOLV_CONF, F_OK) == 0;
	without = quick_resolv_conf_remove(text, quick->name);
	return strcmp(text, without) != 0;
}

const struct quick_dns_backend quick_dns_file = {add, take_away, has};
