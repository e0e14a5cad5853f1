/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_LOCK_FILE_H
#define HOLDFAST_AGENT_QUICK_LOCK_FILE_H

#include <stdbool.h>

/* Locks are files, which are removed with the lock: whoever opened one just before that locks a file that nobody finds
 * any more. Is what we hold still the one that others will find? */
bool lock_file_is_current(int fd, const char *path);

#endif
