/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_SEAT_WAKE_H
#define HOLDFAST_SEAT_WAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/key.h"
#include "proto/limits.h"

/*
 * The handshakes of one takeover: which peers to poke and when, so that every client that was connected is back
 * in one round trip. Pure; times are ms of the own monotonic clock.
 *
 * Poking is the persistent keepalive going from 0 to N, on which kernel and wireguard-go initiate at once.
 * WireGuard itself retries after 5 s; re-creating the peer resets that clock, but kills a handshake in flight. So that
 * three lost responses in a row cost less than a second, noticing included, the first three tries are followed by
 * the next after WAKE_RECREATE_MS; a client that is further away than that is reached by one of the later tries, each of
 * which waits twice as long as the one before. While others are coming back none waits less than they take, and while
 * most are silent none less than WAKE_IN_FLIGHT_MS, doubled with each try: processors are busy then, and what is late for that
 * reason only must not be begun anew. A peer is never re-created when its handshake has
 * completed: only after a look at the device that began when it was due and still found it silent, in the step after it.
 * A try counts from when the device was told of it (wake_told()), which may be long after the step that wanted it.
 *
 * At most WAKE_OUTSTANDING_MAX pokes younger than WAKE_IN_FLIGHT_MS are out: beyond 512 queued handshakes a responder
 * demands cookies, and drops responses too.
 */
enum {
	WAKE_OUTSTANDING_MAX = 256,
	WAKE_IN_FLIGHT_MS = 500,
	WAKE_RECREATE_MS =
		225, /* with the tries at 0, 225, 450 and 675 ms four are made within a second of the cut */
	WAKE_QUICK_TRIES = 3, /* that so little time follows; then it doubles */
	WAKE_JITTER_MS = 15,
	WAKE_COMING_MS = 50,     /* since the last one came back: who has not is lost, not late */
	WAKE_FEW = 8,            /* may be silent all together without a thought for processors */
	WAKE_TRIES_MAX = 8,      /* the poke included */
	WAKE_GIVE_UP_MS = 15000, /* after the peer's first try: it may have waited long for its turn */
	WAKE_KEEPALIVE_S = 25,   /* what a poke sets when no keepalive is configured */
	WAKE_ACTIONS_MAX = 256,
};

struct wake_peer {
	char tunnel[PROTO_INTERFACE_MAX + 1];
	struct key public_key;
	struct endpoint endpoint;
	uint16_t keepalive_s; /* configured; 0: off */
	int64_t handshake_ms; /* of the session: only younger than SESSION_LIFE_MS are woken */
	int64_t active_ms;    /* most recent first */
	uint64_t stamp_ns;    /* last-handshake time in the own device now; 0: never */
};

enum wake_action_kind {
	WAKE_POKE = 1, /* set the keepalive from 0 to keepalive_s, with the endpoint */
	WAKE_RECREATE =
		2, /* remove the peer, add it again with everything configured, endpoint, keepalive_s */
	WAKE_RESTORE = 3, /* done or given up: set the keepalive to keepalive_s, as configured */
};

struct wake_action {
	enum wake_action_kind kind;
	const struct wake_peer *peer; /* valid until wake_free() */
	uint16_t keepalive_s;
};

struct wake_actions {
	size_t count;
	struct wake_action items[WAKE_ACTIONS_MAX];
};

struct wake_result {
	uint32_t sessions, back, given_up;
	int64_t first_ms; /* from the start to the first completed handshake; -1: none yet */
	int64_t took_ms;  /* from the start to the last of them or to giving up; so far, unless over */
	bool over;
};

struct wake;

/* seed: for the jitter. */
struct wake *wake_new(int64_t now_ms, uint64_t seed);
void wake_free(struct wake *wake);

/* All peers first, then steps. Peers without a live session, or without an endpoint, are left out: false. */
bool wake_add(struct wake *wake, const struct wake_peer *peer);

/* What to do now; at most WAKE_ACTIONS_MAX, more at the next deadline, which is then now. */
void wake_step(struct wake *wake, int64_t now_ms, struct wake_actions *ret_actions);

/* Is it still to be done? An action may be put off, for others to have their turn; a peer that is seen back in between, or was
 * removed, must not be made anew: that would end the session that it has, and nobody would miss it. */
bool wake_action_stands(const struct wake *wake, const struct wake_action *action);

/* The message with that action was answered at now_ms, or not in time. What was not may still be carried out, or is lost: that
 * try counts from wake_answers() on. Until one of the two says so a peer has not been told, and is not made anew. */
void wake_told(struct wake *wake, const struct wake_action *action, bool answered, int64_t now_ms);
/* The tunnel's device has just told of its peers: it answers. After that look's wake_looked(). */
void wake_answers(struct wake *wake, const char *tunnel, int64_t now_ms);

/* The device's last-handshake time of a peer: another than at the start means that it is back (whoever
 * initiated). False: unknown peer or no change. */
bool wake_handshake(struct wake *wake, const char *tunnel, const struct key *public_key, uint64_t stamp_ns,
	int64_t now_ms);

/* A whole look at that tunnel's device, begun at began_ms, went to wake_handshake(). Without one no peer of the tunnel is
 * re-created, nor given up before WAKE_GIVE_UP_MS; wake_deadline() does not ask for one, so look regularly. */
void wake_looked(struct wake *wake, const char *tunnel, int64_t began_ms);

/* A peer was removed from the tunnel meanwhile: no action names it any more. */
void wake_remove(struct wake *wake, const char *tunnel, const struct key *public_key);

int64_t wake_deadline(const struct wake *wake); /* INT64_MAX: over and nothing to restore */
struct wake_result wake_result(const struct wake *wake, int64_t now_ms);

#endif
