/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_HOLDER_HOLDER_H
#define HOLDFAST_HOLDER_HOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"
#include "node-agent/core/check/check.h"
#include "proto/desired.h"
#include "proto/unanswered.h"

/*
 * Who of several peers has a prefix that each of them may have: redundant routers of one network, in one tunnel or in
 * several, and peers with a network around it. Pure; times are monotonic.
 *
 * Candidates for a prefix are those that claim it, the highest priority first, then those that claim what is around it,
 * from the inside out. The first that lives has it. A peer lives
 *
 * - with a probe that reaches it, once it has made a handshake: unless the probe is down. A probe reaches a peer whenever its address is in a prefix
 *   that is this peer's alone, and otherwise only while the peer has the prefix the address is in;
 * - else while its last handshake is younger than HOLDER_LIFE_MS, and younger than the moment its probe went down.
 *
 * From a dead one to a live one it goes at once, back to a preferred one when that one has lived for HOLDER_SETTLE_MS.
 * One whose probe was down and cannot be asked is tried after HOLDER_RETRY_MS; each return that fails doubles that.
 * While none lives nothing moves. Where a gateway serves only some of the tunnels, only their peers count; where it serves
 * none of them, it follows what it is told of their handshakes and of probes that are not answered, so that it has them as
 * they shall be when it takes over.
 */
enum {
	HOLDER_LIFE_MS =
		190000, /* a session ends 180 s after its handshake (REJECT_AFTER_TIME), and is polled */
	HOLDER_SETTLE_MS = 3000,
	HOLDER_PROBE_EVERY_MS = 500,
	HOLDER_PROBE_TIMEOUT_MS = 500,
	HOLDER_PROBE_FALL = 3,
	HOLDER_PROBE_RISE = 2,
	HOLDER_RETRY_MS = 10000, /* after a probe went down; doubles ... */
	HOLDER_RETRY_MAX_MS = 600000,
	HOLDER_TRUST_MS = 60000, /* ... until it has held for so long */
};

#define HOLDER_NEVER INT64_MIN
#define HOLDER_NONE SIZE_MAX

/* A peer with claims. */
struct holder_peer {
	const struct desired_peer *desired; /* borrowed */
	size_t first, count;                /* its claims */
	bool observed;                      /* it is known how it stands; until then it keeps what it has */
	bool served;                        /* this gateway speaks with it */
	bool paused;                        /* what it answers may come to another gateway */
	int64_t handshake_ms;               /* its last one; HOLDER_NEVER */
	struct prefix *allowed_ips;         /* what it has just now; owned */
	size_t allowed_ip_count;
};

struct holder_claim {
	size_t peer;
	const struct desired_share *share; /* borrowed */
	size_t prefix;                     /* of holder->prefixes */
	bool own_way;                      /* the probe's address is in a prefix that is the peer's alone */
	struct check probe;
	uint64_t question; /* the number of the last one, by whoever asks; 0: none yet */
	bool lives;
	int64_t lives_ms; /* since when */
	int64_t down_ms;  /* when its probe went down; HOLDER_NEVER: it did not since it was well */
	bool elsewhere;   /* whoever speaks with its peer gets no answer to its probe, as heard */
	int64_t retry_ms, retry_for_ms; /* when it may have the prefix again, and how long that was put off */
};

struct holder_prefix {
	struct prefix prefix;
	uint32_t metric;
	size_t candidate_count;
	uint32_t candidates[PROTO_SHARERS_MAX]; /* claims, the preferred first */
	size_t current;                         /* of candidates */
	int64_t since_ms;
};

struct holder {
	size_t peer_count, claim_count, prefix_count;
	struct holder_peer *peers;      /* owned; in the order of desired->peers */
	struct holder_claim *claims;    /* owned; by peer */
	struct holder_prefix *prefixes; /* owned; sorted by where they compete, then by prefix and metric */
	uint64_t moves;                 /* so far */
	uint64_t verdicts;              /* rises with each change of holder_is_unanswered() */
	uint64_t question_before; /* the last that was asked before this generation; 0: none that is kept */
	int64_t began_ms;
};

/* Why a prefix moves. */
enum holder_why {
	HOLDER_SILENT,     /* no handshake for too long */
	HOLDER_UNANSWERED, /* its probe is down */
	HOLDER_UNSERVED,   /* another gateway speaks with it */
	HOLDER_PREFERRED,  /* a preferred one lives again */
};

struct holder_move {
	size_t prefix, from, to; /* to, from: claims */
	enum holder_why why;
};

/* Of a generation, which is borrowed. What is known of the one before goes on (before: NULL: nothing is). random: any
 * number, which spreads the probes. */
struct holder *holder_new(
	const struct desired *desired, const struct holder *before, uint32_t random, int64_t now_ms);
void holder_free(struct holder *holder); /* NULL-safe */

/* A peer with claims, or HOLDER_NONE. */
size_t holder_find(const struct holder *holder, const struct desired_peer *peer);
/* A prefix stays with whom the devices have it until something speaks against it: a new agent moves nothing. Whoever was
 * preferred to him counts as one whose probe has just gone down, if a ping cannot tell. */
typedef bool holder_has(const struct desired_peer *peer, const struct prefix *prefix, void *context);
void holder_adopt(struct holder *holder, holder_has *has, void *context, int64_t now_ms);

/* Does this gateway speak with the peer, and when was its last handshake as far as is known? An older one than the known
 * is no news. */
void holder_observe(struct holder *holder, size_t peer, bool served, int64_t handshake_ms, int64_t now_ms);

/* Does what the peer answers come to another gateway just now, since the tunnel is being moved? Then it is not asked, and its silence says
 * nothing. */
void holder_pause(struct holder *holder, size_t peer, bool paused);

/* What who speaks with them tells of probes: of peers that this gateway does not speak with, and if it does one day, from
 * there on. */
void holder_hear(struct holder *holder, const struct unanswered_news *news, int64_t now_ms);
/* Does this gateway ask, and is the claim's peer one that has not answered since? What others are to hear. */
bool holder_is_unanswered(const struct holder *holder, const struct holder_claim *claim);

/* The next claim from *cursor on (0 at first) whose probe is to be sent now, or HOLDER_NONE. */
size_t holder_ask(struct holder *holder, size_t *cursor, int64_t now_ms);
/* The claim that this question is the last one of, by its number, which rises, and which was claim `hint` when it was asked:
 * another generation may have moved it, and only then is it searched, and no longer than its answer may take. HOLDER_NONE: none,
 * or it asks another address by now. */
size_t holder_asked(const struct holder *holder, uint64_t question, size_t hint, int64_t now_ms);
/* The open question of a claim was answered, or not in time. True: its probe is up, or down, since. */
bool holder_answer(struct holder *holder, size_t claim, bool good, int64_t now_ms);

/* What has to move now: it has moved. At most max; call again while as many come. */
size_t holder_step(struct holder *holder, int64_t now_ms, struct holder_move *ret_moves, size_t max);
/* When holder_ask() or holder_step() may have something new to say; INT64_MAX: when something happens. */
int64_t holder_deadline(const struct holder *holder, int64_t now_ms);

const struct holder_claim *holder_current(const struct holder *holder, size_t prefix);
/* The allowed IPs of a peer of the generation as they are now: holder's, or its own. holder may be NULL. */
const struct prefix *holder_allowed_ips(
	const struct holder *holder, const struct desired_peer *peer, size_t *ret_count);

/* "site1-b of wg0 has 192.168.77.0/24: site1-a does not answer the probe of 192.168.77.1". */
void holder_say(const struct holder *holder, const struct holder_move *move, struct text *text);
/* "lives", "no handshake for 190 s", ... */
void holder_say_state(const struct holder *holder, size_t claim, int64_t now_ms, struct text *text);

#endif
