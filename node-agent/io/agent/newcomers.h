/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_NEWCOMERS_H
#define HOLDFAST_AGENT_NEWCOMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/flow.h"

struct agent;

/*
 * A session that its owner has not reported is unknown to the standby, and its client waits 15 s after a takeover. The regular look at
 * the devices is once a second. So when connection tracking tells of a flow to a tunnel's port that the gateway has answered, which
 * WireGuard does only to a peer that it knows, the devices are looked at soon, again at growing distances, and what is new is reported at
 * once. Where the kernel tracks no connections the regular look has to do.
 */
void newcomers_open(struct agent *agent);
void newcomers_close(struct agent *agent);
/* News of connection tracking. */
void newcomers_hear(struct agent *agent, const struct flow *flow);
/* A look at one of the devices has ended. news: of a session. */
void newcomers_take_read(struct agent *agent, int64_t took_us, bool news);

#endif
