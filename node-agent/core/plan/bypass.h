/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PLAN_BYPASS_H
#define HOLDFAST_PLAN_BYPASS_H

#include "node-agent/core/plan/world.h"

/*
 * Endpoints that a tunnel's own routes lead to, so that what WireGuard sends would come back into it: each gets a route
 * of its own over the underlay, in the same table, and one that leads nowhere while the underlay has no way.
 */
enum { PLAN_BYPASSES_MAX = 4096 }; /* further ones are left out */

/* The way on which a packet would leave by the main table, were there none of our routes; false: none. */
typedef bool plan_underlay(const struct addr *to, struct plan_route *ret_way, void *context);

/* A prefix that leads into a tunnel. */
struct plan_cover {
	struct prefix to;
	uint32_t table;
};

/* Do others' routes of the cover's table know better than the tunnel? The longer prefix wins. */
typedef bool plan_known(const struct addr *to, const struct plan_cover *cover, void *context);

struct plan_bypass_facts {
	struct plan_cover *covers; /* in any order; they are sorted */
	size_t cover_count;
	const struct addr *endpoints; /* without a family: none; may repeat */
	size_t endpoint_count;
	plan_underlay *underlay;
	plan_known *known;
	void *context; /* of both */
};

/* Appends the routes to world; how many. */
size_t plan_bypass(struct plan_world *world, const struct plan_bypass_facts *facts);

#endif
