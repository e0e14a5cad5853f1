/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_PLAN_VIEW_H
#define HOLDFAST_CLI_PLAN_VIEW_H

#include <jansson.h>
#include <stdio.h>

#include "controller/core/fleet/plan.h"

/* A plan for people and for programs. */
enum {
	PLAN_LINES_SHOWN = 40, /* of a gateway, unless all are wanted */
	PLAN_PEERS_SHOWN = 20, /* of those whose sessions it costs, and of those let in */
};

struct plan_view {
	const struct fleet_plan *plan;
	size_t peers_max;
	const json_t *sessions; /* GET /v1/sessions; NULL: nobody knows who is connected */
};

/* Peers whose sessions it costs, and how many of those are connected now. */
void plan_view_print(const struct plan_view *view, FILE *out);
void plan_view_print_admitted(const struct plan_view *view, FILE *out);
/* Members of *object. */
void plan_view_put(const struct plan_view *view, json_t *object);

#endif
