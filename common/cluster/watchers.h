/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLUSTER_WATCHERS_H
#define HOLDFAST_CLUSTER_WATCHERS_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/limits.h"

/*
 * Who watches whom in a pool: at most WATCHERS_MAX each (FAILOVER section 3), so that a death does not make a large pool
 * talk all at once. One of them is the controller; the others are those who follow the gateway in the pool's order, which
 * begins again at its end. Members must hold the same order. Who is in
 * several pools has the watchers of each. Pure.
 */
enum { WATCHERS_MAX = 8 };

/* False if one of them is not a member, or they are the same. */
bool watchers_include(
	const char members[][PROTO_NAME_MAX + 1], size_t count, const char *gateway, const char *watcher);

#endif
