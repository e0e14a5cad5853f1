/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_ROUTING_H
#define HOLDFAST_AGENT_QUICK_ROUTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node-agent/core/firewall/ruleset.h"
#include "node-agent/core/quick/rules.h"
#include "node-agent/core/quick/target.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/journal.h"

/* Routes, rules and the mark, for what the device holds; and ways around the tunnel to its endpoints. */

struct quick;

/* ---- routing.c: what the routes of what the device holds need ---- */
struct quick_routing {
	struct quick_view view;
	struct quick_route_facts facts; /* mark and priorities are the caller's to choose */
	struct quick_routed *routed;    /* owned; of facts, as covering */
	struct prefix *covering, *rivals;
	struct addr *endpoints;
	struct quick_other *others;
};
/* `from_file`: as a device would be that was made of the file. */
int quick_routing_look(struct quick *quick, bool from_file, struct quick_routing *routing);
void quick_routing_clear(struct quick_routing *routing);
bool quick_routing_needs_mark(const struct quick_routing *routing); /* in either family */
/* wg-quick's tables for the mark that was chosen, under our name or nobody's. Free with fw_ruleset_free(). */
int quick_routing_firewall(
	struct quick *quick, const struct quick_routing *routing, bool ours, struct fw_ruleset **ret_ruleset);

/* ---- host_route.c: routes around the tunnel to its endpoints ---- */
int quick_observe_host_routes(struct quick *quick, struct plan_world *world);
/* What they depend on, if the sidecar asks for them. `ahead`: also for the endpoints that the device is about to get. */
int quick_look_around(struct quick *quick, bool ahead, struct quick_routing *routing);
void quick_note_host_routes(
	struct quick *quick, const struct plan_target *target); /* to be ours from now on, too */
void quick_settle_host_routes(struct quick *quick, const struct plan_target *target); /* no others are */
int quick_undo_host_routes(struct quick *quick);
/* Those with our protocol for host routes, whichever tunnel's. The caller frees *ret_routes. */
int quick_list_host_routes(struct quick *quick, struct plan_route **ret_routes, size_t *ret_count);
void quick_note_host_route(struct quick_journal *journal, const struct plan_route *route);
bool quick_has_host_route(const struct quick_journal *journal, const struct plan_route *route);

/* ---- route.c ---- */
int quick_make_routes(struct quick *quick);
/* Before a reload gives the device other endpoints: the ways around it to those. */
int quick_make_ways(struct quick *quick);
/* The priorities of its rules, as the journal has them; false: there are none. */
bool quick_had_rules(
	const struct quick *quick, uint8_t family, uint32_t mark, struct quick_priorities *ret_priorities);

#endif
