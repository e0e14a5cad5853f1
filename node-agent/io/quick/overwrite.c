/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/session.h"

/* A file that is mounted somewhere cannot be replaced, only changed. */

/* Filled up with empty lines to its old length, then cut: killed in between, nothing is lost and nothing wrong left. */
static int overwrite(int fd, const char *before, const char *after)
{
	size_t old_size = strlen(before), size = strlen(after), whole = size > old_size ? size : old_size;
	CLEANUP_FREE char *padded = mem_new(whole + 1, 1);
	ssize_t written;

	memset(padded, '\n', whole);
	memcpy(padded, after, size);
	written = pwrite(fd, padded, whole, 0);
	if (written < 0)
		return -errno;
	if (written == (ssize_t)whole)
		return ftruncate(fd, (off_t)size) < 0 ? -errno : 0;
	return pwrite(fd, before, old_size, 0) < 0 || ftruncate(fd, (off_t)old_size) < 0 ? -errno : -ENOSPC;
}

int quick_overwrite(const char *path, const char *before, const char *after, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r;

	r = fd < 0 ? -errno : overwrite(fd, before, after);
	if (fd >= 0)
		close(fd);
	return r < 0 ? err_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}
