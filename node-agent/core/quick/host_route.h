/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_HOST_ROUTE_H
#define HOLDFAST_QUICK_HOST_ROUTE_H

#include "node-agent/core/quick/target.h"

/*
 * Host routes: the ways of what a tunnel itself sends to its endpoints, around routes of its own that cover them. They
 * need no mark and no rules, and follow the underlay only when somebody looks; so behind each there is another that leads
 * nowhere.
 */

/* Appends those for the routes that world has. */
void quick_target_host_routes(struct plan_world *world, const struct quick_route_facts *facts);

/* Of a route of ours: does it lead around the tunnel? */
bool quick_is_host_route(const struct plan_route *route, const char *name);

/* Puts what makes host routes first in a plan and what removes them last, so that no packet finds itself without. */
void quick_order_host_routes(struct plan *plan, const char *name);

#endif
