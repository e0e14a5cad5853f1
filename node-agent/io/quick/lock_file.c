/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/quick/lock_file.h"

#include <sys/stat.h>

bool lock_file_is_current(int fd, const char *path)
{
	struct stat held, found;

	return fstat(fd, &held) == 0 && stat(path, &found) == 0 && held.st_ino == found.st_ino &&
	       held.st_dev == found.st_dev;
}
