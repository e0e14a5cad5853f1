/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_HOOKS_H
#define HOLDFAST_AGENT_HOOKS_H

#include <stdbool.h>

#include "node-agent/io/reconcile/reconcile.h"

struct agent;

/*
 * The hooks of the fleet's tunnels (core/hook/course.h says when): run beside the loop, a line after the other, at most
 * HOOKS_DEADLINE_MS for all lines of a key. What is under way is written down in the run directory, so that an agent that
 * starts knows of tunnels whose making or removing was cut off, and of no others runs a hook.
 */
struct hooks;

enum { HOOKS_DEADLINE_MS = 30000 };

void hooks_open(struct agent *agent);
void hooks_close(struct agent *agent); /* kills those that run, with what they started */
/* Another generation is held. */
void hooks_update(struct agent *agent);

/* Around a look of the plan engine. The list of those that it leaves alone is valid until it is over. */
void hooks_look(struct agent *agent, struct reconcile_input *input);
void hooks_applied(struct agent *agent, const struct plan_op *op, bool done);
void hooks_looked(struct agent *agent, bool done); /* done: it could look, and did what it planned */

/* Is a tunnel waiting for its hooks? Then a look that found all well does not say that all is there. */
bool hooks_are_awaited(const struct agent *agent);
/* Could the kernel not say of a tunnel whether it is there? */
bool hooks_are_unseen(const struct agent *agent);
/* Does a tunnel that goes still have its peers? Then what holds them stays. */
bool hooks_let_in(const struct agent *agent);
/* Why a tunnel is not made, or not emptied before it goes; "": nothing of the kind. */
const char *hooks_failure(const struct agent *agent);

#endif
