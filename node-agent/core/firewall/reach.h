/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FIREWALL_REACH_H
#define HOLDFAST_FIREWALL_REACH_H

#include "common/base/err.h"
#include "node-agent/core/firewall/ruleset.h"
#include "proto/desired.h"

/*
 * What peers in groups may reach: a table of its own, which takes away and never lets through what others drop.
 *
 *   table inet holdfast_groups   sets from4.TUNNEL.GROUP, from6.TUNNEL.GROUP (where peers of the group send from), to4.GROUP, to6.GROUP
 *                                (what it may reach); chain forward: what belongs to a connection passes; from a peer
 *                                of a group to what it may reach passes; the rest of what comes from a peer of a group is counted and dropped
 *
 * The rules follow from tunnels and groups alone; peers are elements. So one changed peer of 100,000 is an element or two.
 * Sources are of the innermost prefix, as WireGuard takes them: a peer without groups inside another's network is not restricted.
 */
#define FW_GROUPS_TABLE "holdfast_groups"

/* Both ends are in it. */
struct reach_range {
	struct addr first, last;
};

struct reach_set {
	char name[FW_NAME_MAX + 1];
	enum fw_key key;
	char tunnel[PROTO_INTERFACE_MAX + 1]; /* whose peers send from there; "": what a group may reach */
	size_t to;                            /* with a tunnel: the set of what they may reach */
	size_t count, capacity;
	struct reach_range *ranges; /* owned; rising, apart from each other */
};

/* Tunnels and groups that peers of a gateway join: each has up to four rules and four sets. */
enum { REACH_PAIRS_MAX = 512, REACH_SETS_MAX = 2 * REACH_PAIRS_MAX + 2 * PROTO_GROUPS_MAX };

struct reach {
	struct fw_ruleset
		*rules; /* owned; its table has the sets, without elements; no table: no peer is in a group */
	size_t set_count, set_capacity;
	struct reach_set *sets; /* owned; as those of the table, in that order */
};

/* -EINVAL: more than REACH_PAIRS_MAX. A group that is not there reaches nothing. Free with reach_free(). */
int reach_from_desired(const struct desired *desired, struct reach **ret_reach, struct err *err);
void reach_free(struct reach *reach); /* NULL-safe */

/*
 * What is to be in the kernel while the peers of one generation make way for those of another: all that `to` wants, and what
 * `from` has of addresses that are in no group of the tunnel in `to`. So whoever is to go, or to give an address away, is
 * held to his groups until he has. NULL: that is `to` itself. Free with reach_free().
 */
struct reach *reach_between(const struct reach *from, const struct reach *to);

/* Would the same rules do for both, so that only elements differ? */
bool reach_same_rules(const struct reach *a, const struct reach *b);

#endif
