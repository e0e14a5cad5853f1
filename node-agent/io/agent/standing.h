/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_STANDING_H
#define HOLDFAST_AGENT_STANDING_H

#include "common/base/addr.h"
#include "common/io/health.h"
#include "proto/report.h"

struct agent;
struct agent_seat;

/*
 * Standing ready: once a second each standby's world is judged (core/readiness) by what is known already, and by one
 * question each to the next hops of its routes and to its witnesses. A verdict that changes is reported at once.
 */
void standing_open(struct agent *agent);
void standing_close(struct agent *agent);
/* A seat may have become a standby: it is looked at soon. */
void standing_begin(struct agent *agent);

/* Somebody answered a question: by ARP or ND on that interface (an index), or by ICMP (0). */
void standing_answered(struct agent *agent, const struct addr *from, unsigned ifindex);

void standing_fill(const struct agent *agent, struct report *report);
/* What keeps standbys from being ready, as warnings. */
void standing_diagnose(const struct agent *agent, struct health *health);
/* NULL: it serves, or was not judged yet. Its age is of now. */
const struct standing *standing_of(const struct agent_seat *seat);
void standing_free(struct agent_seat *seat);

#endif
