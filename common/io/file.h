/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_FILE_H
#define HOLDFAST_IO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/base/key.h"

/* Files. Errors carry the path in err->where and say what to do; the return is the -errno behind them. */

/* A whole regular file of at most max_bytes (-EFBIG over it). *ret_data is terminated by a NUL that *ret_size (may be
 * NULL) does not count. The caller frees (and wipes, if it is secret). */
int file_read(const char *path, size_t max_bytes, char **ret_data, size_t *ret_size, struct err *err);

/* Write whole or not at all: a temporary beside it, fsync, rename, fsync of the directory. The mode is exact, whatever
 * the umask. An existing file is replaced; a symlink itself is replaced, not what it points at. */
int file_write(const char *path, const void *data, size_t size, mode_t mode, struct err *err);
/* The same, but -EEXIST if there is something already. */
int file_create(const char *path, const void *data, size_t size, mode_t mode, struct err *err);

/* At a start: the temporary files beside this one that writers have left who were killed, and may hold its secrets, go. Those of
 * living writers, of other users and of other names stay. */
void file_sweep(const char *path);

/* A directory and its missing parents; an existing directory is fine, its mode left alone. */
int file_make_directories(const char *path, mode_t mode, struct err *err);

/* May others read this secret file? Then true, and warning says so and what to do ("...: chmod 600 ..."). A file that
 * cannot be looked at gives false. */
bool file_secret_is_open(const char *path, char *warning, size_t size);

/* A WireGuard key file: 44 characters of base64 and white space around them. The text is never repeated. */
int file_read_key(const char *path, struct key *ret_key, struct err *err);

/* path as seen from the directory of the file base (absolute paths stay as they are). The caller frees. */
char *file_beside(const char *base, const char *path);

#endif
