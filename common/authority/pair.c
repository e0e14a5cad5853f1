/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/authority/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
	return r ? r : set_path(ret_pair->key_before, key, ".holdfast-before", err);
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

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* A second name for the key in force; best effort, as the file system may have no second names. */
static void keep_key(const struct pair *pair)
{
	(void)!link(pair->key, pair->key_before);
}

static bool is_one_file(const char *a, const char *b)
{
	struct stat of_a, of_b;

	return lstat(a, &of_a) == 0 && lstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
	       of_a.st_ino == of_b.st_ino;
}

/* The new key gets its first name back before the old key takes the place, which is never empty. */
static int put_key_back(const struct pair *pair, struct err *err)
{
	int r;

	if (!is_there(pair->next_key) && link(pair->key, pair->next_key) < 0)
		return err_at(err, -errno, pair->key, 0, 0, "cannot be linked to %s: %s", pair->next_key,
			strerror(errno));
	r = take_place(pair->key_before, pair->key, err);
	sync_directory_of(pair->key);
	return r;
}

/* A commit that did not get to its end is undone, wherever it was. Without a next certificate it did get there. */
static int roll_back(const struct pair *pair, struct err *err)
{
	if (!is_there(pair->key_before) || !is_there(pair->next_certificate))
		return 0;
	if (!is_one_file(pair->key, pair->key_before))
		return put_key_back(pair, err);
	unlink(pair->key_before);
	return 0;
}

/* The certificate is renamed only after its key is known to be in place. */
static int put_in_place(const struct pair *pair, struct err *err)
{
	int r = take_place(pair->next_key, pair->key, err);

	if (r < 0)
		return r;
	sync_directory_of(pair->key);
	r = take_place(pair->next_certificate, pair->certificate, err);
	sync_directory_of(pair->certificate);
	return r;
}

int pair_commit(const struct pair *pair, struct err *err)
{
	int r = roll_back(pair, err);

	if (r < 0)
		return r;
	keep_key(pair);
	r = put_in_place(pair, err);
	if (r < 0)
		(void)roll_back(pair, NULL);
	else
		unlink(pair->key_before);
	return r;
}

/* A key that could not be put back is worth more than order: the next one who comes tries again. */
void pair_drop(const struct pair *pair)
{
	if (roll_back(pair, NULL) < 0)
		return;
	unlink(pair->next_certificate);
	unlink(pair->next_key);
}

int pair_recover(const struct pair *pair, struct err *err)
{
	file_sweep(pair->next_key);
	file_sweep(pair->next_certificate);

	if (!is_there(pair->next_certificate)) {
		unlink(pair->next_key);
		unlink(pair->key_before);
		return 0;
	}
	if (is_there(pair->next_key) || is_there(pair->key_before))
		return pair_commit(pair, err);
	return take_place(pair->next_certificate, pair->certificate, err);
}
