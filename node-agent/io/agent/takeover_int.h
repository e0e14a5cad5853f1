/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_TAKEOVER_INT_H
#define HOLDFAST_AGENT_TAKEOVER_INT_H

#include "node-agent/core/seat/wake.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/repeat/repeat.h"

/* What the files of a takeover share: takeover.c steps, the others do and tell. */
struct takeover_run {
	struct agent_seat *seat;
	bool is_guests; /* whom it has woken answer here already when the seat gets to serve */
	struct wake *wake;
	struct repeat *repeat; /* NULL: nothing is repeated */
	struct event *timer;
	int64_t wake_ms;                 /* when waking began: the order came before */
	int64_t wake_wall_ms;            /* the same by the wall clock, which is what devices stamp with */
	int64_t polled_ms, poll_cost_us; /* the last one: when it began or was read, what it took */
	struct wake_actions actions;     /* what the last step wanted ... */
	size_t done;                     /* ... and how many of them are */
};

/* ---- takeover_device.c: what the tunnels' devices tell, and what they are told ---- */
/* Has anybody come back by itself, or by us? The devices are read in a thread, see takeover_take_read(). */
void takeover_ask_devices(struct takeover_run *run);
/* wireguard-go takes no change while it tells, and a message now would make the loop wait for the rest of it. */
bool takeover_is_being_read(const struct takeover_run *run);
/* The program of each tunnel hangs and is not to be asked yet: what it would be told now was lost, and counted as a try. */
bool takeover_is_silent(const struct takeover_run *run);
void takeover_take_handshakes(struct takeover_run *run, const struct wg_device *device);
/* Of what the last step wanted. Small messages, and the loop gets its turn in between: making 256 peers anew takes wireguard-go 0.1 s. */
void takeover_do_some(struct takeover_run *run);
bool takeover_has_actions(const struct takeover_run *run);

/* ---- takeover_result.c ---- */
void takeover_begin_result(struct agent_seat *seat);
/* The result, and whether it says something new that is worth a report at once. */
void takeover_take_result(struct takeover_run *run);
void takeover_log_result(struct agent_seat *seat);
/* A guest's handshakes are part of a takeover that is yet to come. The run may have ended in it. */
void takeover_tell_over(struct agent_seat *seat);

#endif
