/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/io/file.h"
#include "node-agent/core/quick/read.h"
#include "node-agent/io/quick/files.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/rtnl/link.h"

enum { NAME_MAX_LENGTH = IFNAMSIZ - 1, FOR_OTHERS = 0007 };
static const char DIRECTORY[] = "/etc/wireguard";

static bool is_name(const char *text, size_t length)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=+.-";

	return length >= 1 && length <= NAME_MAX_LENGTH && strspn(text, letters) >= length;
}

/* A name always means /etc/wireguard/NAME.conf, even if a file of that name is here. */
static int choose_path(struct quick *quick, char path[PATH_MAX])
{
	const char *argument = quick->options->argument;
	int length;

	if (is_name(argument, strlen(argument)))
		length = snprintf(path, PATH_MAX, "%s/%s.conf", DIRECTORY, argument);
	else
		length = snprintf(path, PATH_MAX, "%s", argument);
	if (length >= PATH_MAX)
		return err_set(quick->err, -ENAMETOOLONG, "the path is too long");
	return 0;
}

/* The interface is named after the path as given, whatever it is a link to. */
static int take_name(struct quick *quick, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t length = strlen(base), suffix = strlen(".conf");

	if (length <= suffix || strcmp(base + length - suffix, ".conf") != 0 ||
		!is_name(base, length - suffix))
		return err_set(quick->err, -EINVAL,
			"%.300s: the file must be named after the interface, NAME.conf, with a NAME of 1 to "
			"15 letters, "
			"digits or _=+.-",
			path);
	memcpy(quick->name, base, length - suffix);
	if (!rtnl_is_device_name(quick->name))
		return err_set(quick->err, -EINVAL, "\"%s\" is no name for an interface", quick->name);
	return 0;
}

/* As with the name: beside the path as given, whatever that is a link to. */
static void take_sidecar_path(struct quick *quick, const char *path)
{
	size_t stem = strlen(path) - strlen(".conf");

	memcpy(quick->sidecar_path, path, stem);
	memcpy(quick->sidecar_path + stem, ".yaml", sizeof(".yaml"));
}

void quick_warn_if_open(const struct quick *quick, const char *path)
{
	CLEANUP_FREE char *directory = file_beside(path, ".");
	struct stat file, parent;

	if (stat(path, &file) == 0 && stat(directory, &parent) == 0 &&
		(file.st_mode & parent.st_mode & FOR_OTHERS))
		quick_say(quick, QUICK_WARNING, "`%s' is world accessible", path);
}

int quick_find(struct quick *quick)
{
	char path[PATH_MAX];
	int r = choose_path(quick, path);

	if (r < 0)
		return r;
	if (!realpath(path, quick->path))
		return err_set(quick->err, -errno, "`%.300s' %s", path,
			errno == ENOENT ? "does not exist" : strerror(errno));
	r = take_name(quick, path);
	if (r < 0)
		return r;
	take_sidecar_path(quick, path);
	quick_say(quick, QUICK_NAME, "%s", quick->name);
	quick_say(quick, QUICK_FILE, "%s", quick->path);
	quick_warn_if_open(quick, quick->path);
	return 0;
}

static void say_warnings(const struct quick *quick)
{
	for (size_t i = 0; i < quick->config.warnings.count; i++)
		quick_say(quick, QUICK_WARNING, "%s", quick->config.warnings.items[i]);
}

static int check_keys(struct quick *quick)
{
	const struct quick_config *config = &quick->config;

	if (config->has_private_key && !key_is_zero(&config->private_key) &&
		wg_public_key(&config->private_key, &quick->public_key) < 0)
		return err_set(quick->err, -EINVAL, "%s: PrivateKey is not a usable key", quick->path);
	return 0;
}

static int read_whole(struct quick *quick)
{
	int r = quick_read(quick->path, quick->text, quick->size, &quick->config, quick->err);

	if (r >= 0)
		r = quick_load_sidecar(quick);
	if (r >= 0)
		r = quick_resolve_names(quick);
	return r < 0 ? r : check_keys(quick);
}

static int load_text(struct quick *quick)
{
	int r = quick_find(quick);

	return r < 0 ? r
		     : file_read(quick->path, QUICK_FILE_MAX_BYTES, &quick->text, &quick->size, quick->err);
}

int quick_load(struct quick *quick)
{
	int r = load_text(quick);

	if (r >= 0)
		r = read_whole(quick);
	if (r < 0)
		return r;
	quick_allowed_init(&quick->allowed, &quick->config, quick->path, &quick->config.warnings);
	say_warnings(quick);
	return 0;
}

/* What spoils a file must not keep its tunnel up. */
int quick_load_for_down(struct quick *quick)
{
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];
	struct err why;
	int r = load_text(quick);

	if (r < 0)
		return r;
	if (read_whole(quick) < 0) {
		why = *quick->err;
		quick_config_clear(&quick->config);
		quick_sidecar_clear(&quick->sidecar);
		r = quick_read_for_down(quick->path, quick->text, quick->size, &quick->config, quick->err);
		if (r < 0)
			return r;
		quick_say(quick, QUICK_WARNING, "%s%s", err_format(&why, line, sizeof(line)),
			quick->config.save_config ? "; it is not saved" : "");
		quick->config.save_config = false;
		*quick->err = (struct err){0};
	}
	quick_allowed_init(&quick->allowed, &quick->config, quick->path, NULL);
	return 0;
}
