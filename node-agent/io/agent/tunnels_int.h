/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_TUNNELS_INT_H
#define HOLDFAST_AGENT_TUNNELS_INT_H

#include <limits.h>

#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/agent/keeper.h"

/* Inside of tunnels.c, tunnel_look.c and tunnel_news.c. */

struct tunnels {
	struct keeper *keeper;
	int lock_fd, inotify_fd;
	char directory[PATH_MAX];
	struct event *answers, *files, *timer;
	size_t count, capacity;
	struct tunnel **items;
	struct text left_out; /* what was told of those that are too many */
	int64_t regular_ms;   /* when to look at all of them again */
	uint64_t version;
};

struct tunnel *tunnels_get(const struct agent *agent, const char *name); /* NULL: none */
/* The list of those that there are is made anew. */
void tunnels_scan(struct agent *agent);

/* ---- tunnel_look.c ---- */
void tunnel_look_in(struct agent *agent, struct tunnel *tunnel, int64_t wait_ms);
void tunnel_look_soon(struct agent *agent, struct tunnel *tunnel); /* after the events of a burst are in */
/* What the look under way found, if it has an answer. */
void tunnels_take_answer(struct agent *agent);
void tunnels_look_open(struct agent *agent);

/* ---- tunnel_place.c ---- */
/* Listen where it is now. */
void tunnel_settle(struct agent *agent, struct tunnel *tunnel);
/* Namespaces that have lost their names are let go, and those tunnels looked at. */
void tunnels_leave_lost(struct agent *agent);

#endif
