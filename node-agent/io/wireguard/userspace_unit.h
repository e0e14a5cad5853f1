/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_WIREGUARD_USERSPACE_UNIT_H
#define HOLDFAST_AGENT_WIREGUARD_USERSPACE_UNIT_H

#include <stdbool.h>
#include <stddef.h>

/* A unit of systemd's for a userspace WireGuard, and the command that starts it. */
struct userspace_unit {
	char name[64];
	char **words; /* of the command: owned, and NULL after the last */
	size_t count, capacity;
};

/* The program at `path` for the interface `name`. has_unit: it is wireguard-go, which has one that is ours; another program,
 * or one in another network namespace than systemd's, gets a transient one. Clear what comes. */
void userspace_unit_make(const char *path, const char *name, bool has_unit, struct userspace_unit *ret_unit);
void userspace_unit_clear(struct userspace_unit *unit);

#endif
