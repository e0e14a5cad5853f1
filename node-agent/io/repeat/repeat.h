/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_REPEAT_H
#define HOLDFAST_AGENT_REPEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct event_base;

/*
 * WireGuard sends a handshake initiation once and tries again after 5 s. During a takeover that is 5 s of
 * silence for a client whose initiation, or whose answer, was lost. So those that leave through an interface
 * are kept, as frames, and those that nothing has answered are sent again, the same bytes: a client takes
 * only one of them, their time stamp being the same.
 *
 * A client goes over to the new session only when it has had data in it. The empty packet with which WireGuard confirms is sent
 * once, too, and if it is lost the client talks to a dead session for up to 15 s, while the device shows a completed
 * handshake. So its first one is sent again at the same times and once more, answered or not: a client's replay window drops all
 * but one.
 *
 * A packet socket (packet(7)) sees both what leaves and the answers. It goes around the firewall: the caller
 * says before each repetition whether it may still speak.
 */
enum {
	REPEAT_FIRST_MS = 50, /* after the initiation left */
	REPEAT_SECOND_MS = 150,
	REPEAT_THIRD_MS =
		350, /* confirmations only: an initiation that nothing answers is followed by a new one before */
	REPEAT_FRAMES_MAX = 8192, /* kept at a time (see kept.h); further ones are not repeated */
	REPEAT_PORTS_MAX = 64,
};

struct repeat_counters {
	uint32_t seen, answered, repeated; /* initiations, of them, and frames of both kinds */
	uint32_t left_out;                 /* frames beyond REPEAT_FRAMES_MAX */
};

struct repeat;

/* ports: own UDP ports of the tunnels. may_speak is asked before anything is sent. -EPROTONOSUPPORT: not an
 * Ethernet interface; there nothing is repeated. */
int repeat_open(struct event_base *base, const char *interface, const uint16_t *ports, size_t port_count,
	bool (*may_speak)(void *context), void *context, struct repeat **ret_repeat, struct err *err);
/* The kernel waits for its other processors here: some ms. NULL-safe. */
void repeat_close(struct repeat *repeat);

/* Is there something that may have to be sent again? False for NULL. */
bool repeat_is_waiting(const struct repeat *repeat);

struct repeat_counters repeat_counters(const struct repeat *repeat);

#endif
