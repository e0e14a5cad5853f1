/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
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

/*
 * Name servers of a tunnel whose interface is in a namespace with a name: /etc/netns/NAME/resolv.conf, which
 * `ip netns exec` mounts over /etc/resolv.conf. It is changed in place: programs that run in there have this very file
 * mounted. Its last line says what of it and its directories we made, whichever tunnel of ours goes last.
 */
enum { NETNS_CONF_MAX_BYTES = 1024 * 1024, FILE_PATH_MAX = sizeof("/etc/netns//resolv.conf") + NAME_MAX };
static const char PARENT[] = "/etc/netns", HOSTS[] = "/etc/resolv.conf";

/* By how much we made. */
static const char *const made_by_us[] = {"# made by holdfast\n", "# made by holdfast, with its directory\n",
	"# made by holdfast, with its directory and /etc/netns\n"};

/* The same in the journal. */
static const char *const made_words[] = {"file", "directory", "all"};

static void paths(const struct quick *quick, char directory[FILE_PATH_MAX], char file[FILE_PATH_MAX])
{
	snprintf(directory, FILE_PATH_MAX, "%s/%s", PARENT, quick->spaces.name);
	snprintf(file, FILE_PATH_MAX, "%s/%s/resolv.conf", PARENT, quick->spaces.name);
}

/* ---- the file ---- */

/* A link to the host's own would make this tunnel's servers everybody's. */
static int refuse_hosts(const char *path, struct err *err)
{
	char ours[PATH_MAX], hosts[PATH_MAX];
	struct stat status;

	if (lstat(path, &status) < 0 || !S_ISLNK(status.st_mode) || !realpath(path, ours) ||
		!realpath(HOSTS, hosts) || strcmp(ours, hosts) != 0)
		return 0;
	return err_set(
		err, -EEXIST, "%s is a link to the host's own %s: make it a file of its own", path, hosts);
}

/* ---- making ---- */

/* Did a tunnel of ours make /etc/netns, for another namespace? Then who goes last removes it. */
static bool parent_is_ours(void)
{
	glob_t found;
	bool ours = false;

	if (glob("/etc/netns/*/resolv.conf", 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc && !ours; i++) {
			CLEANUP_FREE char *text = NULL;

			ours = file_read(found.gl_pathv[i], NETNS_CONF_MAX_BYTES, &text, NULL, NULL) >= 0 &&
			       strstr(text, made_by_us[2]);
		}
	globfree(&found);
	return ours;
}

/* Tunnels of other namespaces have other locks: the last of them may take /etc/netns away between our two steps, which
 * is -EAGAIN. A link to nothing stays in the way. */
static int try_directories(const char *directory, struct err *err)
{
	struct stat status;
	bool parent = mkdir(PARENT, 0755) == 0;
	int r;

	if (!parent && errno != EEXIST)
		return err_set(err, -errno, "%s: %s", PARENT, strerror(errno));
	parent = parent || parent_is_ours();
	r = mkdir(directory, 0755) < 0 ? -errno : 0;
	if (r == -ENOENT && lstat(PARENT, &status) < 0)
		return -EAGAIN;
	if (r == -EEXIST)
		return 0;
	if (r < 0)
		return err_set(err, r, "%s: %s", directory, strerror(-r));
	return parent ? 2 : 1;
}

/* How much of it is ours: an index of made_by_us. */
static int make_directories(const char *directory, struct err *err)
{
	int made;

	do
		made = try_directories(directory, err);
	while (made == -EAGAIN);
	return made;
}

static int make_file(const char *directory, const char *path, struct err *err)
{
	int made = make_directories(directory, err);

	if (made < 0)
		return made;
	return file_create(path, made_by_us[made], strlen(made_by_us[made]), 0644, err);
}

void quick_namespace_dns_note(struct quick *quick)
{
	char directory[FILE_PATH_MAX], path[FILE_PATH_MAX];
	const char *word = "";

	paths(quick, directory, path);
	if (access(PARENT, F_OK) < 0)
		word = made_words[2];
	else if (access(directory, F_OK) < 0)
		word = made_words[1];
	else if (access(path, F_OK) < 0)
		word = made_words[0];
	text_copy(quick->journal.dns.name, sizeof(quick->journal.dns.name), word);
}

static int add(struct quick *quick)
{
	char directory[FILE_PATH_MAX], path[FILE_PATH_MAX];
	CLEANUP_FREE char *before = NULL, *after = NULL;
	int r;

	paths(quick, directory, path);
	quick_say(quick, QUICK_STEP, "%s: name servers of %s come", path, quick->name);
	if (quick->options->dry_run)
		return 0;
	r = quick_lock_routes(quick);
	if (r >= 0)
		r = refuse_hosts(path, quick->err);
	if (r >= 0 && access(path, F_OK) < 0)
		r = make_file(directory, path, quick->err);
	if (r >= 0)
		r = file_read(path, NETNS_CONF_MAX_BYTES, &before, NULL, quick->err);
	if (r >= 0) {
		after = quick_resolv_conf_add(before, quick->name, &quick->config.dns, &quick->config.search);
		r = quick_overwrite(path, before, after, quick->err);
	}
	quick_unlock_routes(quick);
	return r;
}

static bool has(const struct quick *quick)
{
	char directory[FILE_PATH_MAX], path[FILE_PATH_MAX];
	CLEANUP_FREE char *text = NULL, *without = NULL;

	paths(quick, directory, path);
	if (file_read(path, NETNS_CONF_MAX_BYTES, &text, NULL, NULL) < 0)
		return access(path, F_OK) == 0;
	without = quick_resolv_conf_remove(text, quick->name);
	return strcmp(text, without) != 0;
}

/* ---- undoing ---- */

/* One that was killed before the file was there; or somebody removed it. */
static void remove_directories(const struct quick *quick, const char *directory)
{
	const char *made = quick->journal.dns.name;

	if (!strcmp(made, made_words[1]) || !strcmp(made, made_words[2]))
		rmdir(directory);
	if (!strcmp(made, made_words[2]))
		rmdir(PARENT);
}

/* Nothing is left in it but that we made it. */
static void remove_own(const char *directory, const char *path, const char *text)
{
	for (size_t made = 0; made < ARRAY_COUNT(made_by_us); made++) {
		if (strcmp(text, made_by_us[made]) != 0)
			continue;
		unlink(path);
		if (made >= 1)
			rmdir(directory);
		if (made >= 2)
			rmdir(PARENT); /* there may be others' in it, or of others of ours, who will */
	}
}

static int take_out_of_file(struct quick *quick, const char *directory, const char *path)
{
	CLEANUP_FREE char *before = NULL, *after = NULL;
	int r = refuse_hosts(path, quick->err);

	if (r >= 0)
		r = file_read(path, NETNS_CONF_MAX_BYTES, &before, NULL, quick->err);
	if (r < 0)
		return r;
	after = quick_resolv_conf_remove(before, quick->name);
	r = quick_overwrite(path, before, after, quick->err);
	if (r >= 0)
		remove_own(directory, path, after);
	return r;
}

/* Whether the file is there is looked at under the lock: another tunnel of ours may be about to make it. */
static int take_away(struct quick *quick)
{
	char directory[FILE_PATH_MAX], path[FILE_PATH_MAX];
	int r;

	paths(quick, directory, path);
	quick_say(quick, QUICK_STEP, "%s: name servers of %s go", path, quick->name);
	if (quick->options->dry_run)
		return 0;
	r = quick_lock_routes(quick);
	if (r >= 0 && access(path, F_OK) == 0)
		r = take_out_of_file(quick, directory, path);
	else if (r >= 0)
		remove_directories(quick, directory);
	quick_unlock_routes(quick);
	return r;
}

const struct quick_dns_backend quick_dns_namespace = {add, take_away, has};
