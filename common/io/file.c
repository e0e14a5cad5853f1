/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file_int.h"

static void close_pointer(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define CLEANUP_FD __attribute__((cleanup(close_pointer)))

/* What a person can do about it, where that is plain. */
static const char *advice(int code)
{
	switch (code) {
	case -EACCES:
	case -EPERM:
		return ": run as root or change its owner or mode";
	case -ENOSPC:
		return ": make room";
	case -EROFS:
		return ": choose another directory";
	default:
		return "";
	}
}

static int fail(const char *path, const char *what, int code, struct err *err)
{
	return err_at(err, code, path, 0, 0, "%s: %s%s", what, strerror(-code), advice(code));
}

static int read_all(int fd, const char *path, size_t max_bytes, struct text *text, struct err *err)
{
	char buffer[16384];
	ssize_t got;

	while ((got = read(fd, buffer, sizeof buffer)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(path, "cannot read", -errno, err);
		if (text->length + (size_t)got > max_bytes)
			return err_at(err, -EFBIG, path, 0, 0, "too large: at most %zu bytes", max_bytes);
		text_add_bytes(text, buffer, (size_t)got);
	}
	mem_wipe(buffer, sizeof buffer);
	return 0;
}

/* Not blocking, or a FIFO in the file's place would hang the daemon. */
static int open_regular(const char *path, struct err *err)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return fail(path, "cannot open", -errno, err);
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	close(fd);
	return err_at(err, -EINVAL, path, 0, 0, "not a regular file");
}

int file_read(const char *path, size_t max_bytes, char **ret_data, size_t *ret_size, struct err *err)
{
	int fd CLEANUP_FD = open_regular(path, err);
	struct text text = {0};
	int r;

	if (fd < 0)
		return fd;
	r = read_all(fd, path, max_bytes, &text, err);
	if (r < 0) {
		mem_wipe(text.data, text.capacity);
		text_clear(&text);
		return r;
	}
	if (ret_size)
		*ret_size = text.length;
	*ret_data = text_take(&text);
	return 0;
}

static int write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t put = write(fd, at, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		at += put;
		size -= (size_t)put;
	}
	return 0;
}

/* Locked, so that nobody takes it for one that was left behind. -EAGAIN: somebody has, before that. Where there are no
 * locks, nobody removes anything either. */
static int lock_new(int fd)
{
	struct stat status;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return -EAGAIN;
	if (fstat(fd, &status) < 0)
		return -errno;
	return status.st_nlink ? 0 : -EAGAIN;
}

/* Empty, of a name that nobody has had. *ret_name: the caller frees. */
static int create_beside(const char *path, char **ret_name)
{
	struct text name = {0};
	uint64_t salt = 0;
	int fd, r;

	if (getrandom(&salt, sizeof salt, 0) != (ssize_t)sizeof salt)
		return -EIO;
	text_add(&name, "%s.%0*llx" FILE_TEMPORARY_SUFFIX, path, FILE_SALT_DIGITS, (unsigned long long)salt);
	fd = open(name.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : lock_new(fd);
	if (!r) {
		*ret_name = text_take(&name);
		return fd;
	}
	if (fd >= 0) {
		unlink(name.data);
		close(fd);
	}
	text_clear(&name);
	return r;
}

/* A new file beside path, on the disk. *ret_name: the caller frees and unlinks, and closes what is returned when it has its
 * place. */
static int write_beside(
	const char *path, const void *data, size_t size, mode_t mode, char **ret_name, struct err *err)
{
	char *name = NULL;
	int fd, r;

	while ((fd = create_beside(path, &name)) == -EAGAIN)
		;
	if (fd < 0)
		return fail(path, "cannot create", fd, err);
	r = write_all(fd, data, size);
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	if (r < 0) {
		unlink(name);
		close(fd);
		free(name);
		return fail(path, "cannot write", r, err);
	}
	*ret_name = name;
	return fd;
}

static int sync_directory_of(const char *path)
{
	char *copy CLEANUP_FREE = mem_text(path);
	int fd CLEANUP_FD = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* link(2) does not replace, rename(2) does. */
static int put_in_place(const char *name, const char *path, bool replace)
{
	int r = replace ? rename(name, path) : link(name, path);

	r = r < 0 ? -errno : 0;
	if (!replace || r < 0)
		unlink(name);
	return r < 0 ? r : sync_directory_of(path);
}

static int write_file(
	const char *path, const void *data, size_t size, mode_t mode, bool replace, struct err *err)
{
	char *name CLEANUP_FREE = NULL;
	int fd CLEANUP_FD = write_beside(path, data, size, mode, &name, err);
	int r;

	if (fd < 0)
		return fd;
	r = put_in_place(name, path, replace);
	if (r == -EEXIST)
		return err_at(err, r, path, 0, 0,
			"is already there and is not overwritten: remove it or choose another place");
	return r < 0 ? fail(path, "cannot write", r, err) : 0;
}

int file_write(const char *path, const void *data, size_t size, mode_t mode, struct err *err)
{
	return write_file(path, data, size, mode, true, err);
}

int file_create(const char *path, const void *data, size_t size, mode_t mode, struct err *err)
{
	return write_file(path, data, size, mode, false, err);
}

/* Another may remove it between two looks: then it is made again. A link to nothing stays in the way. */
static int make_directory(const char *path, mode_t mode, struct err *err)
{
	struct stat status = {0};

	do {
		if (mkdir(path, mode) == 0)
			return 0;
		if (errno != EEXIST)
			return fail(path, "cannot make directory", -errno, err);
	} while (lstat(path, &status) < 0 && errno == ENOENT);
	if (S_ISDIR(status.st_mode) || (stat(path, &status) == 0 && S_ISDIR(status.st_mode)))
		return 0;
	return err_at(err, -ENOTDIR, path, 0, 0, "is in the way: not a directory");
}

int file_make_directories(const char *path, mode_t mode, struct err *err)
{
	char *part CLEANUP_FREE = mem_text(path);
	int r = 0;

	for (char *slash = part; r == 0 && (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		r = make_directory(part, mode, err);
		*slash = '/';
	}
	return r < 0 ? r : make_directory(path, mode, err);
}

bool file_secret_is_open(const char *path, char *warning, size_t size)
{
	struct stat status;

	if (stat(path, &status) < 0 || (status.st_mode & (S_IRWXG | S_IRWXO)) == 0)
		return false;
	snprintf(warning, size, "%s: others may read this secret (mode %04o): chmod 600 it", path,
		(unsigned)(status.st_mode & 07777));
	return true;
}

/* White space around the key goes; the buffer is the caller's. */
static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t\r\n");
	length = strlen(text);
	while (length > 0 && strchr(" \t\r\n", text[length - 1]))
		text[--length] = '\0';
	return text;
}

int file_read_key(const char *path, struct key *ret_key, struct err *err)
{
	struct err cause;
	char *text = NULL;
	size_t size;
	int r = file_read(path, 4096, &text, &size, err);

	if (r < 0)
		return r;
	r = strlen(text) != size ? err_set(&cause, -EINVAL, "not a WireGuard key: holds NUL bytes")
				 : key_parse(trim(text), ret_key, &cause);
	if (r < 0)
		err_at(err, r, path, 0, 0, "%s", cause.text);
	mem_wipe(text, size);
	free(text);
	return r;
}

char *file_beside(const char *base, const char *path)
{
	char *copy CLEANUP_FREE = mem_text(base);
	const char *directory = dirname(copy);
	struct text text = {0};

	if (path[0] == '/' || strcmp(directory, ".") == 0)
		return mem_text(path);
	text_add(&text, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, path);
	return text_take(&text);
}
