/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_EXPLAIN_LOOKUP_H
#define HOLDFAST_EXPLAIN_LOOKUP_H

#include "node-agent/core/explain/facts.h"

/*
 * Policy routing as the kernel does it (net/core/fib_rules.c): rules in order, each table's longest prefix, unless the
 * rule suppresses it. The kernel's own answer says where to; this says which rule made it so.
 */
struct explain_choice {
	const struct explain_rule *rule;   /* that decided; NULL: none */
	const struct explain_route *route; /* NULL: the rule itself refuses, or none decided */
	/* The first rule that selects by more than what is known here, on the way to that: NULL: none. */
	const struct explain_rule *unknown;
};

struct explain_choice explain_choose(
	const struct explain_facts *facts, const struct explain_way *way, uint32_t mark);

/* The best route of the way into the device, whatever the rules say; NULL: none. */
const struct explain_route *explain_route_into(const struct explain_way *way, const char *device);

#endif
