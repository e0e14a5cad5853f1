/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_DATAGRAM_H
#define HOLDFAST_PROTO_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/key.h"
#include "proto/claim.h"
#include "proto/limits.h"
#include "proto/seat.h"

/*
 * Liveness datagrams (FAILOVER sections 3 and 5). Big-endian, one per UDP datagram, at most
 * PROTO_DATAGRAM_MAX bytes: magic "HF", version, kind, body, and at the end 16 bytes of HMAC-SHA256 over all
 * before it, under the key of the pair {from, to}. docs/protocol.md draws it. The MAC itself is computed by
 * the caller (common/io/mac.h): this is pure.
 *
 * A replay proves nothing: only a datagram that echoes the receiver's own boot id and a recent time of its
 * own counts as contact (rule 1).
 */
enum datagram_kind {
	DATAGRAM_BEAT = 1,
	DATAGRAM_PROBE = 2,
	DATAGRAM_ANSWER = 3,
	DATAGRAM_SILENCE = 4,
	/* `isolation: fence`. A member of the pool passes claims on to a controller, and grants to the one who asked. */
	DATAGRAM_CLAIM = 5,
	DATAGRAM_GRANT = 6,
	DATAGRAM_PROMISE = 7, /* the claim as it was: its sender takes nothing for a lease */
};

enum {
	DATAGRAM_MAC_BYTES = 16,
	DATAGRAM_HEAD_BYTES_MAX = 185, /* with two names of PROTO_NAME_MAX */
	DATAGRAM_BEAT_BYTES = 22,      /* of a beat, besides its seats */
	DATAGRAM_SEAT_BYTES = 42,      /* of a seat, besides its endpoint's name */
	/* What the seats of one beat may come to, whatever the names in its head: sixteen endpoints whose names
	 * have 31 characters fit. Whoever makes endpoints checks it. */
	DATAGRAM_SEATS_BYTES_MAX =
		PROTO_DATAGRAM_MAX - DATAGRAM_MAC_BYTES - DATAGRAM_HEAD_BYTES_MAX - DATAGRAM_BEAT_BYTES,
};

/* What I last took in from the one I write to, so that it knows I hear it. All zero: nothing yet. */
struct datagram_echo {
	uint64_t boot;    /* the receiver's boot id, as it last told */
	uint64_t time_us; /* the receiver's own clock in the last datagram I took in from it */
	uint32_t held_us; /* how long ago that was when I sent this: RTT = now - time_us - held_us */
};

struct datagram_head {
	enum datagram_kind kind;
	char from[PROTO_NAME_MAX + 1]; /* a gateway, or a controller */
	char to[PROTO_NAME_MAX + 1];
	bool from_controller;
	uint64_t store;   /* id of the controller's store, pinned by agents; 0: not known yet */
	uint64_t boot;    /* this life of the sender; never 0 */
	uint64_t seq;     /* rises with every datagram of this life to this receiver */
	uint64_t time_us; /* the sender's monotonic clock when it sent this */
	struct datagram_echo echo;
};

struct datagram_beat {
	uint64_t generation; /* whole generation the sender holds */
	bool leader_contact; /* the sender is in contact with a controller */
	bool underlay_ok;    /* carrier is up and a witness answers, as the sender sees it */
	uint32_t lag_ms;     /* worst lag of the sender's own loop in the last second */
	size_t seat_count;   /* at most PROTO_ENDPOINTS_MAX; none from a controller */
	struct seat_state seats[PROTO_ENDPOINTS_MAX];
	uint64_t floor;       /* the revocation floor that the sender knows; 0: none */
	bool floor_confirmed; /* a controller says so itself; a gateway has heard so since it started (rule 10) */
	bool frozen; /* from a controller: people have forbidden automatic moves; from a gateway it says nothing */
};

/* I have not heard `suspect` for silent_ms, on the underlay; what answered my burst. Sent to the controller,
 * and by the first to suspect to everyone, which makes them probe as well. */
/* What a silence report says of a suspect whose agent did not answer, as a person would. */
struct datagram_silence;
const char *datagram_silence_text(const struct datagram_silence *silence);

struct datagram_silence {
	char suspect[PROTO_NAME_MAX + 1];
	uint32_t silent_ms;  /* since the last datagram from it, by the kernel's time stamp; UINT32_MAX: never
				heard */
	bool burst_done;     /* my own burst is over: the two below are its result */
	bool agent_answered; /* a probe of mine was answered */
	bool kernel_answered; /* an ICMP or ARP probe was answered */
	bool blind;           /* my own loop stalled or no witness answers me: my word does not count */
};

/* A probe's answer carries nothing but its head, whose echo names the probe. */
struct datagram {
	struct datagram_head head;
	union {
		struct datagram_beat beat;
		struct datagram_silence silence;
		struct claim claim; /* CLAIM, PROMISE */
		struct grant grant;
	};
};

/* Returns the number of bytes written without the MAC, always <= PROTO_DATAGRAM_MAX - DATAGRAM_MAC_BYTES;
 * -EMSGSIZE if it does not fit, -EINVAL for a name or count beyond its limit. */
int datagram_encode(const struct datagram *datagram, uint8_t *buffer, size_t size);

/* The sender's and receiver's names only, from bytes that nobody has authenticated yet: to find the pair's
 * key with. */
int datagram_peek(const uint8_t *bytes, size_t size, struct datagram_head *ret_head);

/* Decode the whole of what the MAC has vouched for (size without the MAC). -EBADMSG for anything malformed,
 * trailing bytes included; -EPROTONOSUPPORT for another version. */
int datagram_decode(const uint8_t *bytes, size_t size, struct datagram *ret_datagram);

#endif
