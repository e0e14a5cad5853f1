/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_REPAIRS_H
#define HOLDFAST_AGENT_REPAIRS_H

#include "node-agent/core/plan/plan.h"
#include "node-agent/core/repair/repair.h"
#include "node-agent/io/rtnl/monitor.h"

struct agent;

/* What a look puts right, and why it had to: told to people. */

/* What the kernel told of, as a reason for repairs. */
void repairs_told(struct repair *repair, const struct monitor_event *event);
void repairs_begin(struct agent *agent, const struct plan_facts *facts);
void repairs_applied(const struct plan_op *op, bool done, void *agent);
void repairs_end(struct agent *agent, bool well);
/* One line and one event for a repair, up to a number of them for a look (*lines counts); then how many more. */
void repairs_note(struct agent *agent, size_t *lines, const char *what, const char *why, int64_t took_ms);
void repairs_note_rest(struct agent *agent, size_t lines);
/* The fence was put back at once, outside a look. */
void repairs_fence(struct agent *agent, int64_t told_ms);

#endif
