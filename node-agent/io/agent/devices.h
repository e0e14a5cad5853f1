/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_DEVICES_H
#define HOLDFAST_AGENT_DEVICES_H

#include "node-agent/io/device_reader/device_reader.h"
#include "node-agent/io/wireguard/wireguard.h"
#include "proto/desired.h"
#include "proto/instruction.h"
#include "proto/report.h"

struct agent;
struct agent_seat;

/* What the loop does with the tunnels' WireGuard devices, beside looks: read aside, told peer by peer. */

/* ---- takeover.c ---- */
void takeover_start(struct agent_seat *seat);
/* A guest has become the owner: its handshakes were this takeover's. */
void takeover_go_on(struct agent_seat *seat);
void takeover_end(struct agent_seat *seat); /* NULL-safe as to seat->takeover */
/* While there is one: a device of the seat's was read, or could not be. */
void takeover_take_read(struct agent_seat *seat, const struct device_read *read);
/* A new generation: peers that it lacks are no more to be woken. */
void takeover_refresh(struct agent_seat *seat, const struct desired *before);

/* ---- standby.c ---- */
/* Where the pool's live peers are, from the controller: kept as endpoints in our devices. */
void standby_learn(struct agent *agent, const struct session *sessions, size_t count);
const struct endpoint *standby_live_endpoint(const char *tunnel, const struct key *public_key, void *agent);

/* ---- forgetting.c: of one that serves no more ---- */
/* Every keepalive of the endpoint's tunnels off, sessions forgotten, the peers kept: now, or (false) of many peers, and where a program
 * hangs, in the turns of the loop that follow; then SEAT_EVENT_FORGOTTEN tells of its end. While none is under way. */
bool forgetting_begin(struct agent_seat *seat);
/* The rest of it, now and untold: nobody is there any more who would do it. Waits for WireGuard programs. */
void forgetting_finish(struct agent_seat *seat);
/* A device was read, for whatever reason, or could not be. */
void forgetting_take_read(struct agent *agent, const struct device_read *read);

/* ---- owner.c ---- */
/* The devices that we serve are read in a thread; the sessions in them are kept, a takeover is told of handshakes. */
int owner_open(struct agent *agent, struct err *err);
void owner_close(struct agent *agent);
/* At all of them, but for those that a takeover looks at. */
void owner_look(struct agent *agent);
/* Now and then. */
void owner_poll(struct agent *agent);
/* Once more, unless that is asked for already, or its program hangs. */
void owner_ask(struct agent *agent, const char *tunnel);

/* ---- peers.c ---- */
/* NULL: there is none. */
const struct desired_peer *agent_find_peer(
	const struct desired *desired, const char *tunnel, const struct key *public_key);
/* Two changes that make a peer anew with everything configured, or none (0) if it is not configured. */
size_t agent_recreate_peer(const struct agent *agent, const char *tunnel, const struct key *public_key,
	const struct endpoint *endpoint, uint16_t keepalive_s, struct wg_peer_change *changes);
/* One message; nothing for count 0. */
int agent_set_peers(struct agent *agent, const char *tunnel, const struct wg_peer_change *changes,
	size_t count, struct err *err);
int agent_get_device(struct agent *agent, const char *tunnel, struct wg_device *ret_device);

/* ---- aside.c ---- */
/* Before a look of the loop's own, and before the controller is told that a generation could be put in force: devices of many peers are
 * read in the thread. false: not worth it, or read already; else the look is taken, or it is told, once they are. */
bool aside_look(struct agent *agent);
bool aside_staged(struct agent *agent, const struct staged *staged);
/* Something else has come of the staged generation. */
void aside_forget_staged(struct agent *agent);
/* Is a device of the generation held told sooner than a thread is woken? Else it is read there, and changed in parts. */
bool aside_is_small(const struct agent *agent);
/* A device was read, for whatever reason, or could not be. Keeps the device, if it is waited for. */
void aside_take_read(struct agent *agent, struct device_read *read);

#endif
