/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_HANDOVER_H
#define HOLDFAST_AGENT_QUICK_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "node-agent/core/plan/plan.h"
#include "node-agent/core/quick/rules.h"
#include "node-agent/core/quick/target.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/rtnl/route.h"

/* A running tunnel passes from wg-quick's hands to ours, or back. */

struct quick;

/* ---- handover_look.c, handover_routes.c, handover.c: a running tunnel passes from wg-quick's hands to ours, or back ---- */
enum { QUICK_HANDOVER_RULES_MAX = 4 };
struct quick_handover {
	struct quick_routing routing; /* as wg-quick would: without the sidecar */
	struct quick_routed *asked;   /* owned; with it */
	size_t asked_count;
	struct plan_target target; /* routes as `up` would make them */
	struct rtnl_route *routes; /* owned; those that pass, as they are; sorted */
	size_t route_count;
	/* The rules that are there, as they are with us and with them, pair by pair. */
	struct quick_rule ours[QUICK_HANDOVER_RULES_MAX], theirs[QUICK_HANDOVER_RULES_MAX];
	size_t rule_count;
	bool has_table4, has_table6;
	bool begun; /* what is in the kernel may be either's */
};
/* journal.ifindex is known. Clear it also after an error. */
int quick_handover_look(struct quick *quick, struct quick_handover *handover);
int quick_handover_look_at_routes(struct quick *quick, struct quick_handover *handover);
bool quick_handover_has_route(const struct quick_handover *handover, const struct plan_route *route);
bool quick_is_made(const struct quick *quick, const struct rtnl_route *route);
void quick_handover_clear(struct quick_handover *handover);
/* What comes to us is as `up` made it, if a journal told, whatever the files say by now. */
int quick_handover_pass(struct quick *quick, struct quick_handover *handover, bool to_us);
/* The journal before it passes: all that may be in the kernel meanwhile; and when it is ours. */
int quick_handover_note(struct quick *quick, const struct quick_handover *handover, enum quick_stage stage);
void quick_handover_settle(struct quick *quick, const struct quick_handover *handover);
/* After a failure: to whose it was. quick->err and status survive it. To us also the name servers as they were before. */
void quick_handover_back_to_them(struct quick *quick, struct quick_handover *handover);
void quick_handover_back_to_us(
	struct quick *quick, struct quick_handover *handover, struct quick_dns_state *dns);

/* ---- differs.c ---- */
/* Warnings: where what runs is not what the file says. quick->endpoints are there. */
void quick_say_differences(struct quick *quick, const struct quick_handover *handover);

/* ---- fleet.c ---- */
int quick_require_not_agents(struct quick *quick); /* -EPERM: the tunnel is one of the fleet's */

/* ---- adopt.c ---- */
/* What runs is ours from now on, whatever of it was so before; or as it was. */
int quick_take_over(struct quick *quick);
bool quick_is_between(const struct quick *quick); /* interrupted while it passed */
int quick_require_this_link(
	struct quick *quick); /* a WireGuard interface, and the journal's, if there is one */
int quick_refuse_half(struct quick *quick);

#endif
