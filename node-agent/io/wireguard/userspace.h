/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_WIREGUARD_USERSPACE_H
#define HOLDFAST_AGENT_WIREGUARD_USERSPACE_H

#include <stdbool.h>

#include "common/base/err.h"

/*
 * Userspace WireGuard programs. They outlive whoever started them: with systemd (/run/systemd/system exists)
 * in a unit of their own, holdfast-userspace@NAME.service (other programs than wireguard-go: a transient
 * holdfast-userspace-NAME; so in another network namespace than systemd's), else as a daemon in a session of its own. No shell; stdio is /dev/null; of
 * our environment it gets PATH, LOG_LEVEL, and the settings of userspace_settings.h; in the unit holdfast-userspace@, what that says.
 */

/* Start the program for the interface and wait until its socket answers. -ENOENT: no such program, with an
 * err that says what to install or set. -ETIMEDOUT: it did not answer in time, and was ended. */
int userspace_start(const char *program, const char *name, int timeout_ms, struct err *err);

/* Where the program is: itself if it has a slash, else the first in PATH that can be executed. -ENOENT, with an err
 * that says what to install or set. */
enum { USERSPACE_PATH_MAX = 4096 };
int userspace_find(const char *program, char path[USERSPACE_PATH_MAX], struct err *err);

/* Does a program answer on the interface's socket? */
bool userspace_is_live(const char *name);

/* Wait until nobody answers on the interface's socket, and remove what is left of it. -ETIMEDOUT. */
int userspace_wait_gone(const char *name, int timeout_ms);

#endif
