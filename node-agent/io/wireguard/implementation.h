/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_WIREGUARD_IMPLEMENTATION_H
#define HOLDFAST_AGENT_WIREGUARD_IMPLEMENTATION_H

#include <stdbool.h>

#include "common/base/err.h"

/*
 * Making and removing WireGuard devices, by the implementation that agent.yaml asks for:
 * "auto" (the kernel's, and wireguard-go where the kernel has none), "kernel", or a program such as
 * "wireguard-go" or
 * "/usr/local/bin/boringtun-cli" (found in PATH if it has no slash).
 */

enum { WG_CREATE_TIMEOUT_MS = 10000 }; /* what to pass when nothing speaks for another value */

/* Is it there? Nothing is changed, but the kernel may load its module. -EOPNOTSUPP (kernel) or -ENOENT
 * (program) with an err that says what to install or set. *ret_userspace (may be NULL): is it a program? */
int wg_implementation_check(const char *implementation, bool *ret_userspace, struct err *err);

/* Create the device, down and without configuration. -EEXIST: a link has that name already (of whatever
 * kind). A userspace program is running and answers on its socket when this returns 0; see userspace.h. */
int wg_create(const char *name, const char *implementation, int timeout_ms, struct err *err);
/* The same with the device in the network namespace of netns_fd, and its UDP socket in the caller's. The kernel's device
 * is made there, a program's is made in the caller's and then moved. -EEXIST also for a name that is taken there. */
int wg_create_in(const char *name, const char *implementation, int netns_fd, int timeout_ms, struct err *err);

/* Remove the device, whoever implements it; waits until its socket is gone (or removes a dead one). -ENODEV:
 * it was not there; left-over sockets are removed all the same. -EINVAL: neither of the kernel's kind nor does a program
 * answer for it. */
int wg_remove(const char *name, int timeout_ms, struct err *err);
/* The same for a device that the caller made and knows by its ifindex: also when no program answers for it any more. */
int wg_remove_made(const char *name, unsigned ifindex, int timeout_ms, struct err *err);

#endif
