/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/authority/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/file.h"

static int set_path(char to[PATH_MAX], const char *path, const char *suffix, struct err *err)
{
	if (snprintf(to, PATH_MAX, "%s%s", path, suffix) < PATH_MAX)
		return 0;
	return err_at(err, -ENAMETOOLONG, path, 0, 0, "the path is too long");
}

int pair_paths(const char *certificate, const char *key, struct pair *ret_pair, struct err *err)
{
	int r = set_path(ret_pair->certificate, certificate, "", err);

	if (!r)
		r = set_path(ret_pair->key, key, "", err);
	if (!r)
		r = set_path(ret_pair->next_certificate, certificate, ".next", err);
	if (!r)
		r = set_path(ret_pair->next_key, key, ".next", err);
	return r ? r : set_path(ret_pair->key_before, key, ".before", err);
}

int pair_prepare_key(const struct pair *pair, const char *key_pem, struct err *err)
{
	int r = pair_recover(pair, err);

	return r < 0 ? r : file_write(pair->next_key, key_pem, strlen(key_pem), 0600, err);
}

int pair_prepare_certificate(const struct pair *pair, const char *certificate_pem, struct err *err)
{
	return file_write(pair->next_certificate, certificate_pem, strlen(certificate_pem), 0644, err);
}

/* Best effort: where directories cannot be synced, renames are as lasting as they get. */
static void sync_directory_of(const char *path)
{
	CLEANUP_FREE char *copy = mem_text(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static int take_place(const char *from, const char *to, struct err *err)
{
	if (rename(from, to) == 0)
		return 0;
	return err_at(err, -errno, from, 0, 0, "cannot be renamed to %s: %s", to, strerror(errno));
}

/* A second name for the key in force. False: there is no key, or the file system has no second names. */
static bool keep_key(const struct pair *pair)
{
	unlink(pair->key_before);
	return link(pair->key, pair->key_before) == 0;
}

/* As it was before: the new key gets its first name back before the old key takes the place, which is never empty. */
static void put_key_back(const struct pair *pair)
{
	if (link(pair->key, pair->next_key) == 0)
		rename(pair->key_before, pair->key);
	sync_directory_of(pair->key);
}

/* The certificate is renamed only after its key is known to be in place. */
int pair_commit(const struct pair *pair, struct err *err)
{
	bool kept = keep_key(pair);
	int r = take_place(pair->next_key, pair->key, err);

	if (r < 0)
		return r;
	sync_directory_of(pair->key);
	r = take_place(pair->next_certificate, pair->certificate, err);
	sync_directory_of(pair->certificate);
	if (r < 0 && kept)
		put_key_back(pair);
	if (r < 0)
		return r;
	unlink(pair->next_key); /* of one that was killed while it put the key back */
	unlink(pair->key_before);
	return 0;
}

void pair_drop(const struct pair *pair)
{
	unlink(pair->next_certificate);
	unlink(pair->next_key);
}

int pair_recover(const struct pair *pair, struct err *err)
{
	int r;

	file_sweep(pair->next_key);
	file_sweep(pair->next_certificate);

	if (access(pair->next_certificate, F_OK) < 0) {
		unlink(pair->next_key);
		unlink(pair->key_before);
		return 0;
	}
	if (access(pair->next_key, F_OK) == 0)
		return pair_commit(pair, err);
	r = take_place(pair->next_certificate, pair->certificate, err);
	if (!r)
		unlink(pair->key_before);
	return r;
}
