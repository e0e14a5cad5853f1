/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_CHECKING_H
#define HOLDFAST_AGENT_CHECKING_H

#include "common/base/text.h"
#include "common/io/health.h"
#include "proto/report.h"

struct agent;

/*
 * Would this gateway serve its endpoints well? The user's checks (io/checks), and whether packets between tunnel and inside
 * network would be forwarded (core/forwarding). Who would not is impaired: others come first, but it is better than none.
 */
struct checking;

int checking_open(struct agent *agent, struct err *err);
void checking_close(struct agent *agent);
/* Another generation is held. */
void checking_update(struct agent *agent);
/* Somebody has changed a firewall table of his. */
void checking_firewall_changed(struct agent *agent);

void checking_fill(const struct agent *agent, struct report *report);
void checking_diagnose(const struct agent *agent, struct health *health);
void checking_metrics(const struct agent *agent, struct text *out);

#endif
