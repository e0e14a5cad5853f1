/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_DEFAULT_ROUTE_H
#define HOLDFAST_QUICK_DEFAULT_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * What a default route through a tunnel needs besides the route: a mark that tells the tunnel's own packets, which is
 * also the number of its routing table, and places for two rules. Both are functions of what the host has.
 */

/* The first from 51820 up that no table in use has. Tables may be given more than once, in any order. */
enum { QUICK_MARK_FIRST = 51820 };
uint32_t quick_free_mark(const uint32_t *tables, size_t count);

/* A rule that is there, of one family. */
struct quick_seen_rule {
	uint32_t priority, table;
};

/*
 * Priorities for `lookup main suppress_prefixlength 0` (asked first) and `not fwmark M lookup M`. They come right
 * before the first rule after the local table's: what the kernel picks by itself for wg-quick (32764 and 32765 on a
 * host without rules of its own), except where it picks 0 for both, in the wrong order, because somebody else has a
 * rule of priority 0. -ENOSPC: no two free places before the main table's rule.
 */
struct quick_priorities {
	uint32_t suppress, not_ours;
};
int quick_choose_priorities(const struct quick_seen_rule *rules, size_t count,
	struct quick_priorities *ret_priorities, struct err *err);

#endif
