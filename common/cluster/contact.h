/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLUSTER_CONTACT_H
#define HOLDFAST_CLUSTER_CONTACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cluster/timing.h"
#include "proto/datagram.h"

/*
 * What I know of hearing one remote, and of it hearing me (FAILOVER rule 1). Pure: fed with heads of datagrams
 * whose MAC was right.
 *
 * A life of the remote (its boot id) is *proven* by a datagram that echoes my own boot id and a recent time of
 * mine: nobody can have recorded that earlier. Only the proven life counts as heard; a boot id that proves
 * nothing is a newcomer or a replay, and is echoed (so that a newcomer can prove itself) only while the proven
 * life is silent. A proven life's datagrams are taken once each, in a window of 64 (as RFC 4303 section 3.4.3).
 * A life that another has followed never comes back. What was under way for timing.echo_ms longer than the quickest
 * is stale too, unless it proves itself: somebody who holds datagrams back cannot keep a dead gateway alive.
 *
 * Times are microseconds of the own monotonic clock. CONTACT_NEVER: it has not happened.
 */
#define CONTACT_NEVER INT64_MIN

enum contact_state {
	CONTACT_NONE = 0,    /* nothing was ever heard */
	CONTACT_ONE_WAY = 1, /* I hear it; whether it hears me is not known, or not lately */
	CONTACT_TWO_WAY = 2, /* contact: a recent echo within timing.contact_ms */
	CONTACT_SUSPECT = 3, /* was heard, and has been silent for timing.suspect_ms */
};

/* What became of one datagram. */
enum contact_fate {
	CONTACT_TAKEN = 0,    /* of the proven life, new */
	CONTACT_UNPROVEN = 1, /* of a life that has not shown that it hears me; counts for nothing yet */
	CONTACT_REPLAY = 2,   /* seen before, or older than the window */
	CONTACT_STALE = 3,    /* of a life that is over, or held back on its way */
};

enum { CONTACT_PAST_LIVES = 4 };

struct contact {
	struct timing timing;
	uint64_t my_boot;
	uint64_t boot;         /* the proven life; 0: none */
	uint64_t highest_seq;  /* of it */
	uint64_t seen;         /* bit i: highest_seq - i was taken */
	int64_t heard_us;      /* when the last datagram of the proven life was received */
	int64_t proof_us;      /* when the last one with a recent echo was received */
	int64_t evidence_us;   /* my own time that it echoed: nothing of what I know is newer than that */
	uint64_t echo_time_us; /* the time it carried, to be echoed */
	int64_t echo_heard_us;
	uint64_t new_boot; /* a life that has not proven itself; 0: none */
	uint64_t new_time_us;
	int64_t new_heard_us;
	uint64_t offset_us;   /* (received - its time) of a proven datagram that was on time; modulo 2^64 */
	int64_t offset_at_us; /* when that was measured */
	uint32_t rtt_us;      /* smoothed (RFC 6298), 0: not known */
	uint32_t rtt_var_us;
	uint64_t past[CONTACT_PAST_LIVES];
	size_t past_next;
	uint64_t taken, unproven, replayed, stale; /* datagrams, for metrics */
};

void contact_init(struct contact *contact, const struct timing *timing, uint64_t my_boot);

/* Take in the head of one datagram, received at received_us (by the kernel's stamp). */
enum contact_fate contact_receive(
	struct contact *contact, const struct datagram_head *head, int64_t received_us);

enum contact_state contact_state(const struct contact *contact, int64_t now_us);

/* Rule 1: is there contact now? */
bool contact_is_made(const struct contact *contact, int64_t now_us);

/* May it hear me? Something of it came within timing.echo_ms, by which it can be told what others wait for: that the proof
 * of contact was lost is no reason to keep silent. */
bool contact_may_hear(const struct contact *contact, int64_t now_us);

/* When contact_state() or contact_is_made() changes if nothing more is heard; INT64_MAX: never. */
int64_t contact_deadline(const struct contact *contact, int64_t now_us);

/* What to put into the next datagram to it. */
struct datagram_echo contact_echo(const struct contact *contact, int64_t now_us);

/* A bound on a round trip that has to be waited for, 4 x RTT, in whole ms; 0 while the RTT is not known. */
uint32_t contact_wait_ms(const struct contact *contact);

const char *contact_state_name(enum contact_state state); /* "none", "one-way", "two-way", "suspect" */

#endif
