/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_PARAMETER_H
#define HOLDFAST_AGENT_QUICK_PARAMETER_H

#include "node-agent/core/plan/plan.h"
#include "node-agent/io/quick/journal.h"

/* Parameters of the kernel that are one for all tunnels of a network namespace. */

struct quick;

const char *quick_parameter_key(enum quick_parameter parameter);
void quick_parameters_observe(struct plan_world *world);
/* In the journal, before they are set: which are wanted, and what they are now. */
void quick_parameters_note(struct quick *quick, const struct plan_world *wanted);
enum {
	QUICK_FORWARDING = 1u << QUICK_FORWARD4 | 1u << QUICK_FORWARD6,
	QUICK_ALL_PARAMETERS = (1u << QUICK_PARAMETERS) - 1
};
unsigned quick_parameters_unneeded(
	const struct quick_journal *journal); /* a mask of 1 << enum quick_parameter */
int quick_parameters_give_back(struct quick *quick, unsigned which);
/* What is needed is set and noted once more, after it was given back. */
int quick_parameters_take_again(struct quick *quick, unsigned which);

#endif
