/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_PLAN_H
#define HOLDFAST_CONTROLLER_FLEET_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/core/fleet/counts.h"
#include "controller/core/fleet/fleet.h"

/*
 * What applying a fleet would do where another one is in force: on each gateway, and to whom, as the gateways see it: a peer
 * that is expired is none, whatever becomes of it in the file. Compiled a gateway at a time,
 * so that a large fleet fits into memory. Nothing in it is secret: files of keys are named, keys are not.
 */
struct fleet_plan_gateway {
	char name[PROTO_NAME_MAX + 1];
	bool is_new, leaves;
	char *lines;  /* fleet_difference(), at most as many lines as wanted; owned, never NULL */
	size_t shown; /* so many lines there are */
	size_t count; /* so many it would be */
};

enum fleet_plan_why {
	PLAN_REMOVED,     /* it is no peer of the tunnel any more */
	PLAN_KEY,         /* the peer of that name has another key */
	PLAN_TUNNEL_KEY,  /* the tunnel itself has another key: clients have to be told */
	PLAN_TUNNEL_PORT, /* it listens elsewhere, on some gateway: where clients dial nobody answers */
	PLAN_PRESHARED,   /* another pre-shared key, from the next handshake on */
	PLAN_NARROWED,    /* loses some of its addresses */
};

/* A peer whose session it costs, if it has one. */
struct fleet_plan_cost {
	char peer[PROTO_NAME_MAX + 1], tunnel[PROTO_INTERFACE_MAX + 1];
	struct key public_key; /* that it has now */
	enum fleet_plan_why why;
};

/* A peer that is let in, or lets do more. */
struct fleet_plan_admitted {
	char peer[PROTO_NAME_MAX + 1], tunnel[PROTO_INTERFACE_MAX + 1];
	bool widened;
};

struct fleet_plan {
	int64_t now_s; /* it is made for: peers that are expired by then are none */
	size_t gateway_count, cost_count, cost_capacity, admitted_count, admitted_capacity;
	struct fleet_plan_gateway *gateways;  /* owned: those of `from` in its order, then new ones */
	struct fleet_plan_cost *costs;        /* owned; by tunnel and name */
	struct fleet_plan_admitted *admitted; /* owned; likewise */
	char *controller;        /* lines of what only the controller does otherwise; owned, never NULL */
	size_t controller_count; /* so many they are */
	struct fleet_counts counts;
};

/* from NULL: there is none yet. now_s: since 1970. Of each gateway at most lines_max lines are kept. */
void fleet_plan_make(const struct fleet *from, const struct fleet *to, int64_t now_s, size_t lines_max,
	struct fleet_plan *ret_plan);
void fleet_plan_clear(struct fleet_plan *plan);
bool fleet_plan_is_empty(const struct fleet_plan *plan);

const char *fleet_plan_why_text(enum fleet_plan_why why); /* "removed" */

#endif
