/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_SEAT_SESSIONS_H
#define HOLDFAST_SEAT_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/key.h"
#include "proto/instruction.h"
#include "proto/limits.h"

/*
 * The directory of live WireGuard sessions, by tunnel and public key. An owner fills it from polls of its
 * devices, a standby from its controller. Ages are by the own monotonic clock: a session is live for
 * SESSION_LIFE_MS after its handshake (WireGuard's REJECT_AFTER_TIME). Cost is proportional to what changed.
 */
enum { SESSION_LIFE_MS = 180000 };

struct sessions_entry {
	char tunnel[PROTO_INTERFACE_MAX + 1];
	struct key public_key;
	struct endpoint endpoint;    /* where the client is */
	int64_t handshake_ms;        /* when its last handshake was completed, to the precision of a poll */
	int64_t active_ms;           /* when it last moved a byte, as far as is known */
	uint64_t rx_bytes, tx_bytes; /* by the own device, when it was last polled; 0: learned, not polled */
	uint64_t changed;            /* number of the change that touched it last */
};

struct sessions;

struct sessions *sessions_new(void);
void sessions_free(struct sessions *sessions);

/*
 * What a poll of an own device says of one peer. stamp_ns: the device's last-handshake time, used only to see
 * that it changed (0: no handshake ever); wall_age_ms: its age by the wall clock, believed only for a peer that
 * was not known, negative ones as 0. Returns true if the endpoint or the
 * handshake is news. A peer without a live handshake is not kept. At most PROTO_SESSIONS_MAX; beyond, the news
 * is dropped and false returned.
 */
bool sessions_poll(struct sessions *sessions, const char *tunnel, const struct key *public_key,
	const struct endpoint *endpoint, uint64_t stamp_ns, int64_t wall_age_ms, uint64_t rx_bytes,
	uint64_t tx_bytes, int64_t now_ms);

/* What the controller passes on. An older handshake than the known one is no news. */
bool sessions_learn(struct sessions *sessions, const struct session *session, int64_t now_ms);

/* A peer was removed from the tunnel. */
void sessions_remove(struct sessions *sessions, const char *tunnel, const struct key *public_key);

/* Drop what is older than SESSION_LIFE_MS. Returns how many. */
size_t sessions_expire(struct sessions *sessions, int64_t now_ms);

const struct sessions_entry *sessions_find(
	const struct sessions *sessions, const char *tunnel, const struct key *public_key);
size_t sessions_count(const struct sessions *sessions);

/* The number of the latest change; 0: none yet. */
uint64_t sessions_changed(const struct sessions *sessions);
/* All entries changed after change number `since` (0: all), latest first. The list must not be changed
 * meanwhile. */
void sessions_each_since(const struct sessions *sessions, uint64_t since,
	void (*each)(void *context, const struct sessions_entry *entry), void *context);

#endif
