/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_SWARM_CLIENT_H
#define HOLDFAST_SWARM_CLIENT_H

#include "tests/swarm/noise.h"

/*
 * One stock WireGuard client with a ping of its own, as a pure state machine: it initiates when it has no session, answers
 * the gateway's initiations, keeps the session before until the new one is confirmed, and pings through the one that is.
 * Timers are WireGuard's (whitepaper section 6). Times are ms of a monotonic clock; wall_ns is the wall clock, for stamps.
 */
enum {
	REKEY_TIMEOUT_MS = 5000,  /* between two initiations */
	REKEY_AFTER_MS = 120000,  /* the initiator of a session makes the next */
	REJECT_AFTER_MS = 180000, /* no session is older */
	NEW_HANDSHAKE_MS =
		15000, /* sent, and heard nothing for so long: keepalive and rekey timeouts together */
	CLIENT_MESSAGE_MAX = 256,
	CLIENT_ACTIONS_MAX = 2, /* datagrams of one step */
};

struct session {
	struct keys keys;
	uint32_t own_index, peer_index;
	uint64_t sent; /* the next counter */
	uint64_t
		received_next; /* lower counters are taken for replays: order is kept in the lab, but for repetitions */
	int64_t made_ms;
	bool present, initiated;
};

struct client {
	struct identity identity;
	uint32_t address, target; /* in the tunnel, IPv4, host order */
	struct handshake handshake;
	struct session current, next; /* next: answered, not confirmed by data yet */
	uint8_t latest_stamp[STAMP_BYTES], mac1[MAC_BYTES], cookie[MAC_BYTES];
	bool waits, has_cookie; /* waits: for a response */
	bool crosses;           /* the gateway's next initiation meets one of its own on the way */
	bool holds; /* its answer to that one is late: until both initiations have been answered */
	uint8_t held[RESPONSE_BYTES];
	uint32_t indices; /* given away so far */
	uint64_t random;
	int64_t initiated_ms, ping_ms,
		unheard_ms; /* unheard_ms: since when something sent was not answered; -1 */
	int64_t ping_every_ms;
	/* what is measured */
	int64_t answered_ms; /* the latest answer to a ping; -1 */
	int64_t first_ms;    /* the first since client_begin(); -1 */
	int64_t since_ms;
	uint32_t answers, pings, cookies, handshakes_answered, handshakes_made;
	uint32_t crossed; /* both sides answered, and both answers came too late to be of use */
};

struct client_event {
	const uint8_t *datagram; /* NULL: time went on */
	size_t size;
	uint64_t wall_ns;
	uint8_t secret[32]; /* random, for a handshake that the step may make */
};

struct client_actions {
	size_t count;
	struct {
		size_t size;
		uint8_t bytes[CLIENT_MESSAGE_MAX];
	} items[CLIENT_ACTIONS_MAX];
};

/* client->identity is made before. seed: a random number, for pings and indices. */
void client_init(struct client *client, uint32_t address, uint32_t target, int64_t ping_every_ms,
	uint64_t seed, int64_t now_ms);
void client_step(struct client *client, const struct client_event *event, int64_t now_ms,
	struct client_actions *actions);
int64_t client_deadline(const struct client *client);
/* The gateway's next initiation will cross with one of its own, as if that had been sent before this came: each side answers the
 * other's, has forgotten its own by then, and can use neither answer. Not within REKEY_TIMEOUT_MS of its last. */
void client_cross(struct client *client);
bool client_may_initiate(const struct client *client, int64_t now_ms);
/* first_ms counts from here: only answers from now on. */
void client_begin(struct client *client, int64_t now_ms);

#endif
