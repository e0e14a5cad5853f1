/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_HOLDING_INT_H
#define HOLDFAST_AGENT_HOLDING_INT_H

#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/ping/ping.h"

/* Inside of holding.c, holding_move.c, holding_probe.c, holding_tell.c. */

/* A tunnel that probes go through; without a name it is free. */
struct holding_way {
	struct agent *agent;
	char tunnel[PROTO_INTERFACE_MAX + 1];
	struct tunnel_ping *ping; /* NULL: it could not be opened yet */
	struct event *readable;
};

struct holding {
	struct holder *holder;     /* NULL: no generation yet, or one where nobody has anything in common */
	struct sessions *sessions; /* of its peers, from the devices */
	struct event *timer;
	struct event *telling; /* a report, when others had the time to join */
	uint64_t last_question;
	size_t way_count;
	struct holding_way ways[PROTO_TUNNELS_MAX];
	int64_t next_poll_ms;   /* of tunnels that are in no endpoint */
	uint64_t verdicts_told; /* of holder->verdicts: that a report was asked for */
};

/* ---- holding.c ---- */
bool holding_serves(struct agent *agent, const char *tunnel);
/* Something may have changed: carry out what follows, and wait for the next. */
void holding_step(struct agent *agent);

/* ---- holding_move.c ---- */
/* Allowed IPs, then routes, then what the others have too much. */
void holding_carry_out(struct agent *agent, const struct holder_move *moves, size_t count);

/* NULL: there is none of that name. */
const struct desired_tunnel *holding_find_tunnel(const struct desired *desired, const char *name);

/* ---- holding_probe.c ---- */
void holding_ask(struct agent *agent);
void holding_forget_ways(struct holding *holding);
/* Those of tunnels that there are no more: what was asked through the others may still be answered. */
void holding_drop_ways(struct agent *agent);

/* ---- holding_tell.c ---- */
/* What is about to be carried out, in the log: how long that took is between this line and the event's. */
void holding_notice(struct agent *agent, const struct holder_move *moves, size_t count);
void holding_tell(struct agent *agent, const struct holder_move *moves, size_t count);

#endif
