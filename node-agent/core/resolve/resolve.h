/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_RESOLVE_RESOLVE_H
#define HOLDFAST_RESOLVE_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"

/*
 * When to resolve the host name of one peer's endpoint, and what to do with the answer. Times are monotonic.
 *
 * It is asked: at the start; when the peer owes an answer (we sent, and for RESOLVE_UNANSWERED_MS nothing came);
 * when the answer is RESOLVE_AGE_MS old; when the underlay changed. A resolver that fails is asked again,
 * less and less often.
 *
 * An address is set: while there is none; when the peer owes an answer (the next of the list, or what is new);
 * when the one in use is no longer among the answers. It is never set over an endpoint that is not ours (the peer
 * roamed, or was there before us) unless its last handshake is older than RESOLVE_STALE_MS and it owes an answer.
 */
enum {
	RESOLVE_ADDRESSES_MAX = 16, /* of one name; further ones are not tried */
	RESOLVE_STALE_MS =
		135000, /* REKEY_AFTER_TIME (120 s) and three attempts: a session in use is younger */
	RESOLVE_KEEPALIVE_BYTES = 32, /* on the wire; nobody answers one, so those do not count */
	/* A peer in good order answers data within KEEPALIVE_TIMEOUT (10 s); then REKEY_TIMEOUT (5 s) for a new
	 * handshake. */
	RESOLVE_UNANSWERED_MS = 15000,
	RESOLVE_TRY_MS = 10000,       /* each next address: two initiations */
	RESOLVE_AGE_MS = 1800000,     /* no resolver interface tells the TTL; 30 min are what others take */
	RESOLVE_RETRY_MS = 1000,      /* after a failure; doubles */
	RESOLVE_RETRY_MAX_MS = 60000, /* ... up to this */
	RESOLVE_UNDERLAY_MS = 5000,   /* a flapping underlay causes no more questions than this */
};

struct resolve {
	uint16_t port;
	bool forced;           /* the first answer counts whatever is there: the name was configured anew */
	bool asking;           /* a question is under way */
	size_t count, current; /* addresses known; the one in use, or count: none of them */
	struct addr addresses[RESOLVE_ADDRESSES_MAX];
	struct endpoint set; /* what we set last; no family: nothing yet */
	int64_t ask_ms;      /* when to ask next */
	int64_t asked_ms;    /* when the last question was asked; INT64_MIN: never */
	int64_t retry_ms;
	size_t tried; /* addresses since the peer was last heard */

	/* What the device said last. */
	bool observed;
	struct endpoint now;
	bool has_handshake;
	int64_t handshake_ms; /* of the last one */
	uint64_t rx_bytes, tx_bytes;
	uint64_t quiet_tx_bytes; /* sent when the peer was last heard */
	int64_t quiet_ms;        /* ... and when that was */
	int64_t owed_ms;         /* since when we send without an answer; INT64_MIN: we do not */
	int64_t sent_ms;         /* when that was last seen to grow */
};

struct resolve_peer {
	struct endpoint endpoint; /* no family: none */
	bool has_handshake;
	int64_t handshake_age_ms;
	uint64_t rx_bytes, tx_bytes;
	uint16_t keepalive_s; /* 0: off */
};

enum resolve_action {
	RESOLVE_NOTHING,
	RESOLVE_ASK, /* the resolver; then resolve_answer() */
	RESOLVE_SET, /* resolve->set is to be the peer's endpoint */
};

void resolve_init(struct resolve *resolve, uint16_t port, bool forced, int64_t now_ms);

/* What is to be done now. Call it again until there is nothing; each ASK is told once, and ends with an answer. */
enum resolve_action resolve_step(struct resolve *resolve, int64_t now_ms);

/* What the device says of the peer, now and then. Counters that go back mean that the peer was made anew. */
void resolve_observe(struct resolve *resolve, const struct resolve_peer *peer, int64_t now_ms);
/* count 0: the resolver failed, or knows none. Copies. */
void resolve_answer(struct resolve *resolve, const struct addr *addresses, size_t count, int64_t now_ms);
void resolve_underlay_changed(struct resolve *resolve, int64_t now_ms);

/* What the peer's endpoint shall be if it has none; no family: not known yet. */
struct endpoint resolve_endpoint(const struct resolve *resolve);

#endif
