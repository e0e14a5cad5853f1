/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_FLOWS_H
#define HOLDFAST_AGENT_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/text.h"
#include "proto/seat.h"

struct agent;
struct agent_seat;

/*
 * Connections through an endpoint outlive its move: the owner tells the pool what its kernel's connection tracking holds of
 * them, and every standby loads it into its own, all along. Straight from gateway to gateway (HTTPS, TCP port FLOWS_PORT of
 * the underlay's addresses), so no controller is needed. A standby asks, with what it has; the owner answers as soon as
 * there is something new.
 */
enum { FLOWS_PORT = 7444 };

/* Where the kernel has no connection tracking it is said, and nothing is mirrored. */
void flows_open(struct agent *agent);
void flows_close(struct agent *agent);
/* Once a second. */
void flows_second(struct agent *agent);

/* A pool member said what it does for the endpoint. */
void flows_heard(struct agent_seat *seat, const char *member, const struct seat_state *state);
/* To be called before addresses move: what was taken in is put into the kernel, for 20 ms; what takes longer goes on. */
void flows_settle(struct agent_seat *seat);
/* It hosts a guest, through whom some packets of its connections go from now on: they are not to be held against the others. */
void flows_loosen(struct agent_seat *seat);
/* When this standby's copy of the owner's connections was last known to be whole; INT64_MIN: it is not, or lately the owner
 * did not answer: *ret_why says so, or is "". */
int64_t flows_mirrored_ms(const struct agent_seat *seat, const char **ret_why);
void flows_seat_free(struct agent_seat *seat);

void flows_metrics(const struct agent *agent, struct text *out);

#endif
