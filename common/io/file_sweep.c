/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a writer that was killed has left beside its file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/file.h"
#include "common/io/file_int.h"

/* FILE.<16 lower-case hex digits>.tmp */
static bool is_temporary_of(const char *name, const char *file)
{
	size_t length = strlen(file);
	const char *rest = name + length + 1;

	if (strncmp(name, file, length) != 0 || name[length] != '.')
		return false;
	return strspn(rest, "0123456789abcdef") == FILE_SALT_DIGITS &&
	       strcmp(rest + FILE_SALT_DIGITS, FILE_TEMPORARY_SUFFIX) == 0;
}

/* A writer holds a lock on it from before its first byte until it has its name. One that has not got the lock yet finds its
 * file gone, and takes another (file.c). */
static bool is_abandoned(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
	       flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void sweep_one(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return;
	if (is_abandoned(fd))
		unlinkat(directory, name, 0);
	close(fd);
}

void file_sweep(const char *path)
{
	char *of_directory CLEANUP_FREE = mem_text(path), *of_name CLEANUP_FREE = mem_text(path);
	const char *file = basename(of_name);
	DIR *directory = opendir(dirname(of_directory));
	const struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory)))
		if (is_temporary_of(entry->d_name, file))
			sweep_one(dirfd(directory), entry->d_name);
	closedir(directory);
}
