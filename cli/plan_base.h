/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_PLAN_BASE_H
#define HOLDFAST_CLI_PLAN_BASE_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/controller.h"
#include "controller/core/fleet/plan.h"

/* What a plan is made against: the fleet in force, or another. */
struct plan_base {
	struct fleet *fleet;       /* owned; NULL: there is none yet, or it cannot be read */
	char unread[ERR_TEXT_MAX]; /* why it cannot: what changes is not known; "": it can */
	int64_t generation;        /* in force; 0: none */
	char applied_by[128];      /* whoever put it in force */
	json_t *sessions;          /* owned; NULL: not known */
};

/* What is in force; one that this version cannot read is no error (unread). plan_base_clear() in every case. */
int plan_base_ask(const struct controller *controller, struct plan_base *ret_base, struct err *err);
/* Who is connected, if the plan costs anybody's session; else nobody asks. It is only shown: if it cannot be had, standard error
 * says so, and they stay not known. */
void plan_base_ask_sessions(
	const struct controller *controller, const struct fleet_plan *plan, struct plan_base *base);
void plan_base_clear(struct plan_base *base);

/* The plan for a person; one that is made against nothing, since the fleet cannot be read, says so. Nothing is printed of one
 * that is empty. */
void plan_base_print(const struct plan_base *base, const struct fleet_plan *plan, bool all, FILE *out);

#endif
