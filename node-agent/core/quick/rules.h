/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_RULES_H
#define HOLDFAST_QUICK_RULES_H

#include <linux/rtnetlink.h>

#include "node-agent/core/plan/world.h"
#include "node-agent/core/quick/default_route.h"

/* A routing rule that is there, and whose it is. */
struct quick_rule {
	struct plan_rule rule;
	uint8_t protocol; /* FRA_PROTOCOL */
	bool narrow;      /* it asks for more than a tunnel's rules do: nobody's tunnel made it */
};

/* What the rules of wg-quick carry: ip(8) gives a rule no protocol unless it is told one, and the kernel takes the
 * absence of one, in a request to delete, for any. Routes get RTPROT_BOOT. */
enum { QUICK_THEIR_RULES = RTPROT_UNSPEC, QUICK_THEIR_ROUTES = RTPROT_BOOT };

/*
 * The two rules of a tunnel in one family. wg-quick keeps no journal: they are told by the tunnel's mark and by the order
 * in which wg-quick adds them. `rules`: of the family, in the kernel's order. What carries the agent's protocol is the
 * agent's.
 */
struct quick_pair {
	const struct quick_rule *suppress, *not_ours; /* NULL: not there */
};
struct quick_pair quick_find_pair(const struct quick_rule *rules, size_t count, uint32_t mark);

/* Where our own come when they replace `theirs`: to the same places, so that other tunnels keep theirs before or after
 * them; but where those are in the wrong order, or with the local table's, to those of a new tunnel. Errors as
 * quick_choose_priorities(). */
int quick_replace_priorities(const struct quick_rule *rules, size_t count, const struct quick_pair *theirs,
	struct quick_priorities *ret_priorities, struct err *err);

#endif
