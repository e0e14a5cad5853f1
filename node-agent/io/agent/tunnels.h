/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_TUNNELS_H
#define HOLDFAST_AGENT_TUNNELS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "node-agent/core/repair/repair.h"
#include "node-agent/core/repair/silence.h"
#include "node-agent/io/agent/place.h"
#include "node-agent/io/quick/keep.h"
#include "node-agent/io/rtnl/monitor.h"
#include "node-agent/io/wireguard/wireguard.h"

struct agent;
struct tunnels;

/*
 * The tunnels that `holdfast up` made from the agent's namespace: seen by their journals, looked at (io/quick/keep) when the
 * kernel tells of something that may concern them, where they are or where their sockets are, and every AGENT_SLOW_POLL_MS.
 * At most QUICK_KEPT_MAX; what is more is told of.
 */
enum { TUNNELS_RETRY_MS = 1000 };

struct tunnel {
	char name[IFNAMSIZ];
	struct quick_kept kept;       /* as seen last; owned */
	struct place *target, *birth; /* where kept says, listened to; NULL: at home, or not found */
	bool unheard;                 /* that it is not found was told */
	struct wg *wg;                /* NULL: not open */
	struct silence silence;       /* of its program */
	struct repair repair;
	char failure[QUICK_KEPT_WHY_MAX]; /* of the last look; "": all well */
	bool due;
	int64_t look_ms; /* when, if due */
	int64_t retry_ms;
	size_t lines;               /* of the look under way */
	enum quick_kept_state told; /* in the events */
};

/* Tells and goes on without them while another agent keeps this namespace's; tunnels_second() tries again. */
int tunnels_open(struct agent *agent, struct err *err);
void tunnels_close(struct agent *agent); /* NULL-safe as to agent->tunnels */

/* Of the network namespace `place`; NULL: the agent's own. */
void tunnels_told(struct agent *agent, const struct place *place, const struct monitor_event *event);
void tunnels_firewall_changed(
	struct agent *agent, const struct place *place); /* tables of ours, or of theirs */
void tunnels_underlay_changed(
	struct agent *agent, const struct place *place, const char *to, const char *way);
/* The underlay may have changed: those whose ways to their endpoints depend on it. */
void tunnels_look_around(struct agent *agent, const struct place *place);
void tunnels_look_soon(struct agent *agent, const char *name); /* nothing if it is none of them */
void tunnels_see_mark(struct agent *agent, const char *name, uint32_t mark); /* the device's, now */
void tunnels_second(struct agent *agent);

/* index < tunnels_count(); the order changes when tunnels come and go, and so does the version when peers do. */
size_t tunnels_count(const struct agent *agent);
const struct tunnel *tunnels_at(const struct agent *agent, size_t index);
const struct tunnel *tunnels_find(const struct agent *agent, const char *name); /* NULL: none */
uint64_t tunnels_version(const struct agent *agent);
const char *tunnels_left_out(const struct agent *agent); /* names of those that are too many; "" */

/* Where it is, where it sends from; place NULL: the agent's own namespace. */
bool tunnel_is_in(const struct tunnel *tunnel, const struct place *place);
bool tunnel_sends_from(const struct tunnel *tunnel, const struct place *place);
struct underlay *tunnel_underlay(
	struct agent *agent, const struct tunnel *tunnel); /* NULL: not listened to */
void tunnel_leave_places(struct tunnel *tunnel);

/* As wg_get() and wg_set(), where it is, from the loop: a program that hangs is waited for as briefly as the fleet's. */
int tunnel_get_device(
	struct agent *agent, const struct tunnel *tunnel, struct wg_device *ret_device, struct err *err);
int tunnel_set_device(
	struct agent *agent, const struct tunnel *tunnel, const struct wg_change *change, struct err *err);
void tunnel_forget_device(struct tunnel *tunnel);

#endif
