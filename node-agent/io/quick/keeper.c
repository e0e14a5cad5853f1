/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "node-agent/io/quick/keep.h"
#include "node-agent/io/quick/keeping.h"
#include "node-agent/io/quick/lock_file.h"
#include "node-agent/io/quick/session.h"

/* Whether an agent keeps the tunnels of a namespace is told by a lock beside the directory of their journals. */
enum { KEEPER_PATH_MAX = PATH_MAX + 32 };

int quick_kept_directory(const char *run_directory, char *ret_path, size_t size, struct err *err)
{
	struct quick_options options = {.run_directory = run_directory};
	struct err ignored;
	struct quick quick;
	int r = quick_begin(&quick, &options, err ? err : &ignored);

	if (r >= 0 && !text_copy(ret_path, size, quick.directory))
		r = err_set(err, -ENAMETOOLONG, "%s: the path is too long", run_directory);
	(void)quick_end(&quick, r);
	return r;
}

static void keeper_path(const char *directory, char path[KEEPER_PATH_MAX])
{
	snprintf(path, KEEPER_PATH_MAX, "%s.agent", directory);
}

/* Of an open file, not of the process, and it can be asked for without being taken: an agent that starts while `up` asks
 * gets it (fcntl(2), open file description locks). */
static struct flock whole_file(short type)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

bool quick_has_keeper(const struct quick *quick)
{
	struct flock held = whole_file(F_RDLCK);
	char path[KEEPER_PATH_MAX];
	int fd, r;

	keeper_path(quick->directory, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	r = fcntl(fd, F_OFD_GETLK, &held);
	close(fd);
	return r == 0 && held.l_type != F_UNLCK;
}

static int open_and_lock(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), r;
	struct flock own = whole_file(F_WRLCK);

	if (fd < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (fcntl(fd, F_OFD_SETLK, &own) == 0)
		return fd;
	r = errno == EAGAIN || errno == EACCES
		    ? err_set(err, -EBUSY, "%s: another agent keeps this namespace's tunnels", path)
		    : err_set(err, -errno, "%s: %s", path, strerror(errno));
	close(fd);
	return r;
}

static int lock(const char *path, struct err *err)
{
	int fd;

	while ((fd = open_and_lock(path, err)) >= 0 && !lock_file_is_current(fd, path))
		close(fd); /* the agent before us has just removed it */
	return fd;
}

int quick_keeper_open(const char *run_directory, struct err *err)
{
	char directory[PATH_MAX], path[KEEPER_PATH_MAX];
	int r = quick_kept_directory(run_directory, directory, sizeof(directory), err);

	if (r < 0)
		return r;
	keeper_path(directory, path);
	*strrchr(directory, '/') = '\0';
	r = file_make_directories(directory, 0700, err);
	return r < 0 ? r : lock(path, err);
}

void quick_keeper_close(const char *run_directory, int fd)
{
	char directory[PATH_MAX], path[KEEPER_PATH_MAX];

	if (fd < 0)
		return;
	if (quick_kept_directory(run_directory, directory, sizeof(directory), NULL) >= 0) {
		keeper_path(directory, path);
		unlink(path);
	}
	close(fd);
}

static void take_name(const char *file, struct quick_kept_names *names)
{
	size_t length = strlen(file), suffix = strlen(".json");

	if (length <= suffix || length - suffix >= IFNAMSIZ || strcmp(file + length - suffix, ".json") != 0)
		return;
	names->items = mem_grow(names->items, &names->capacity, names->count + 1, sizeof(*names->items));
	memcpy(names->items[names->count], file, length - suffix);
	names->items[names->count++][length - suffix] = '\0';
}

int quick_kept_list(const char *run_directory, struct quick_kept_names *ret_names, struct err *err)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *directory;
	int r = quick_kept_directory(run_directory, path, sizeof(path), err);

	*ret_names = (struct quick_kept_names){0};
	if (r < 0)
		return r;
	directory = opendir(path);
	if (!directory)
		return errno == ENOENT ? 0 : err_set(err, -errno, "%s: %s", path, strerror(errno));
	while (errno = 0, (entry = readdir(directory)))
		take_name(entry->d_name, ret_names);
	r = errno ? err_set(err, -errno, "%s: %s", path, strerror(errno)) : 0;
	closedir(directory);
	if (r < 0)
		quick_kept_names_clear(ret_names);
	return r;
}

void quick_kept_names_clear(struct quick_kept_names *names)
{
	free(names->items);
	*names = (struct quick_kept_names){0};
}
