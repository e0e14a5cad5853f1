/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TEST_PLAN_SAMPLE_H
#define HOLDFAST_TEST_PLAN_SAMPLE_H

#include "node-agent/core/plan/plan.h"

/* One gateway of a pool: endpoint "vpn" (10.9.0.100 and 2001:db8::100 on wan, 192.168.1.1/24 on lan, a route
 * to 172.30.0.0/16) with tunnel wg0 (10.50.0.1/24), peers 1 (10.50.0.2/32) and 2 (10.50.0.3/32 and
 * 192.168.77.0/24, keepalive 25). */
struct sample {
	struct desired desired;
	struct desired_tunnel tunnel;
	struct desired_endpoint endpoint;
	struct desired_peer peers[2];
	struct prefix allowed[3];
	struct plan_facts facts;
	struct plan_world observed;
	struct plan_target target;
	struct plan plan;
	char text[PLAN_TEXT_MAX];
};

void sample_init(struct sample *sample);
void sample_clear(struct sample *sample);

struct prefix prefix(const char *text);
struct addr addr(const char *text);

/* Target and plan from facts and observed; the line `index` of the plan, "" beyond its end. */
void sample_plan(struct sample *sample);
const char *sample_line(struct sample *sample, size_t index);
/* Make the observed world what the target asks for. */
void sample_obey(struct sample *sample);

#endif
