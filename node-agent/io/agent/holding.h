/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_HOLDING_H
#define HOLDFAST_AGENT_HOLDING_H

#include <jansson.h>

#include "common/base/text.h"
#include "node-agent/core/holder/holder.h"
#include "node-agent/io/device_reader/device_reader.h"
#include "proto/report.h"

struct agent;

/*
 * Prefixes that several peers lay claim to: core/holder decides who has each, by the handshakes that devices tell of and
 * by pings through the tunnels; what it says is carried out at once, allowed IPs and routes.
 */
struct holding;

void holding_open(struct agent *agent);
void holding_close(struct agent *agent); /* NULL-safe as to agent->holding */
/* Another generation is held; the one before is not freed yet. Before the first look that is to make it so. */
void holding_update(struct agent *agent);
void holding_second(struct agent *agent);
/* Before it is reported: which tunnels it serves, or moves, is what the next report goes by. */
void holding_seat_changed(struct agent *agent);
void holding_take_read(struct agent *agent, const struct device_read *read);
/* What who serves other tunnels told of the probes there. */
void holding_hear(struct agent *agent, const struct unanswered_news *news);
/* The same of those that it serves itself. */
void holding_fill(const struct agent *agent, struct report *report);

/* NULL: nobody has anything in common. */
const struct holder *holding_holder(const struct agent *agent);
/* A plan_allowed_ips(). */
const struct prefix *holding_allowed_ips(const struct desired_peer *peer, size_t *ret_count, void *agent);

void holding_put(json_t *root, const struct agent *agent);
void holding_metrics(const struct agent *agent, struct text *out);

#endif
