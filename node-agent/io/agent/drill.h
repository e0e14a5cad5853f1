/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_DRILL_H
#define HOLDFAST_AGENT_DRILL_H

#include "proto/drill.h"
#include "proto/report.h"

struct agent;

/* `holdfast drill`: while one is going on, live clients are pinged if this gateway serves, and the answers that come here
 * are counted whoever serves. One at a time; a new one ends the one before. */
void drill_take(struct agent *agent, const struct drill_order *order);
/* The result, from its end until the next one begins. */
void drill_fill(const struct agent *agent, struct report *report);
void drill_close(struct agent *agent);

#endif
