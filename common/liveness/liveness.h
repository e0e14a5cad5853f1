/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_LIVENESS_LIVENESS_H
#define HOLDFAST_LIVENESS_LIVENESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/key.h"
#include "common/cluster/contact.h"
#include "common/cluster/timing.h"
#include "common/cluster/verdict.h"
#include "proto/datagram.h"
#include "proto/limits.h"

struct event_base;

/*
 * The liveness engine of both daemons: beats, probes, answers and silence reports over UDP, with the contact and
 * verdict cores behind (FAILOVER section 3). An agent's partners are the other members of its pools, over the
 * underlay, and the controller; a controller's are all gateways. One thread: call it and be called from the loop
 * of `base` only. Callbacks may call anything here but liveness_free().
 */
enum {
	LIVENESS_PORT = 7443,
	LIVENESS_LOCALS_MAX = 8,
	LIVENESS_PARTNERS_MAX = PROTO_GATEWAYS_MAX + 8,
};

/* An own address to send from and to listen on. */
struct liveness_local {
	struct addr address;
	uint16_t port; /* 0: any free one; for talking to a controller, which learns it */
};

struct liveness_partner {
	char name[PROTO_NAME_MAX + 1];
	bool is_controller;
	bool watch;    /* keep a verdict on it */
	bool underlay; /* reached over the underlay: contact with it is evidence for a lease */
	bool learn;    /* also send to where its proven datagrams come from (a controller's gateways) */
	struct key pair_key;
	size_t address_count; /* the first of each family that has a local of that family is used */
	struct addr addresses[PROTO_ADDRESSES_MAX];
	uint16_t port;    /* 0: LIVENESS_PORT */
	size_t locals[2]; /* from which of the config's locals: for AF_INET, for AF_INET6; SIZE_MAX: the first
			     of that family */
};

struct liveness_config {
	char name[PROTO_NAME_MAX + 1]; /* own: a gateway or a controller */
	bool is_controller;
	uint64_t boot;  /* clock_boot_id(), the same that the agent's reports carry */
	uint64_t store; /* the controller's store; 0: not known yet */
	struct timing timing;
	size_t local_count;
	struct liveness_local locals[LIVENESS_LOCALS_MAX];
};

/* What is known of one partner; for status, metrics and decisions. */
struct liveness_view {
	enum contact_state contact;
	bool contact_made;   /* rule 1 */
	uint64_t boot;       /* its life; 0 */
	int64_t heard_ms;    /* INT64_MIN: never */
	int64_t evidence_ms; /* own time that it echoed last; INT64_MIN: never */
	uint32_t rtt_us;     /* 0: not known */
	enum verdict_kind verdict;
	int64_t verdict_since_ms;
	int64_t last_sign_ms;    /* by anyone; INT64_MIN */
	uint32_t window_ms;      /* see verdict_window_ms(); 0: no verdict is kept on it */
	bool blocked, by_others; /* see struct verdict */
	int64_t suspected_ms;    /* when the present or last suspicion began; VERDICT_NEVER */
	bool clock_known;        /* the next two mean something */
	int64_t ahead_us;        /* its monotonic clock minus the own one ... */
	uint32_t clock_error_us; /* ... right within that: half a round trip */
	struct endpoint address; /* where it is sent to; family 0: nowhere yet */
};

/* A datagram of a partner that was taken in. */
struct liveness_receipt {
	int64_t received_ms; /* by the kernel's stamp */
	bool proven;         /* it echoes a recent time of mine: contact */
	int64_t evidence_ms; /* that time; INT64_MIN when not proven */
	bool underlay;       /* of a partner on the underlay */
};

struct liveness_ops {
	/* Fill the body of the own beat; it is empty. Called once per interval. May be NULL (a controller). */
	void (*fill)(void *context, struct datagram_beat *beat);
	/* A beat came in. May be NULL. */
	void (*beat)(void *context, const char *partner, const struct datagram *datagram,
		const struct liveness_receipt *receipt);
	/* A beat of a life that has not shown that it hears me: authentic, but maybe a replay. Only what can never
	 * become untrue may be taken from it: that an epoch exists, and who served it. May be NULL. */
	void (*unproven_beat)(void *context, const char *partner, const struct datagram *datagram,
		const struct liveness_receipt *receipt);
	/* A claim, a grant or a promise came in (`isolation: fence`). An unproven one may be a replay: a grant or a
	 * promise shows by its nonce how old it is, a claim does not. May be NULL. */
	void (*leave)(void *context, const char *partner, const struct datagram *datagram,
		const struct liveness_receipt *receipt);
	/* Any datagram that is contact came in (beats too). May be NULL. */
	void (*heard)(void *context, const char *partner, const struct liveness_receipt *receipt);
	/* contact or contact_made changed. May be NULL. */
	void (*contact)(void *context, const char *partner, const struct liveness_view *view);
	/* The verdict, or its `blocked`, changed. May be NULL. */
	void (*verdict)(void *context, const char *partner, const struct liveness_view *view);
	/* Somebody's silence report, after it was taken into account. May be NULL. */
	void (*silence)(void *context, const char *partner, const struct datagram_silence *silence);
	/* Own loop stood still for gap_ms > timing.stall_ms, or CLOCK_BOOTTIME jumped. Called before what arrived
	 * meanwhile is taken in. May be NULL. */
	void (*stalled)(void *context, int64_t gap_ms);
	/* Send `count` kernel probes (ICMP echo) to a partner; answers go to liveness_kernel_answered(). NULL: a
	 * silent partner is never taken for AGENT_DOWN. */
	void (*kernel_probe)(void *context, const char *partner, const struct addr *address, uint32_t count);
};

struct liveness_counters {
	uint64_t sent, received;
	uint64_t malformed, foreign, bad_mac, replayed, stale, unproven, send_failed;
	uint64_t bursts, probes, answers;
	uint32_t lag_ms; /* worst lag of the own loop in the last second, as in beats */
};

struct liveness;

/* Opens and binds the sockets (IP_FREEBIND is not used: an address that is not there is an error that names
 * it). *ops is copied. Sends nothing before partners are set. */
int liveness_new(struct event_base *base, const struct liveness_config *config,
	const struct liveness_ops *ops, void *context, struct liveness **ret_liveness, struct err *err);
void liveness_free(struct liveness *liveness); /* wipes keys; NULL-safe */

/* All partners from now on; those with a known name keep what is known of them. -E2BIG beyond
 * LIVENESS_PARTNERS_MAX. */
int liveness_set_partners(struct liveness *liveness, const struct liveness_partner *partners, size_t count);
/* Another store or timing, as a new generation says. */
void liveness_set_store(struct liveness *liveness, uint64_t store);
void liveness_set_timing(struct liveness *liveness, const struct timing *timing);

/* Own path over the underlay is known broken (no carrier, no witness): own silence reports say "blind". */
void liveness_set_blind(struct liveness *liveness, bool blind);

/* The own witness has answered a question that was asked at at_ms: for telling a death from the own deafness as good
 * as a datagram from somebody else. */
void liveness_set_witnessed(struct liveness *liveness, int64_t at_ms);

/* Send a beat to everyone now (a seat has changed), and the next one an interval later. */
void liveness_beat_now(struct liveness *liveness);

/* A claim, grant or promise to this partner, at once; all of its head but the kind is filled in here. -ENOENT for an
 * unknown name. */
int liveness_send(struct liveness *liveness, const char *partner, struct datagram *datagram);

/* A partner's agent spoke over TLS; its kernel answered a probe. Unknown names are ignored. */
void liveness_tls_contact(struct liveness *liveness, const char *partner);
void liveness_kernel_answered(struct liveness *liveness, const char *partner);

/* -ENOENT for an unknown name. */
int liveness_view(const struct liveness *liveness, const char *partner, struct liveness_view *ret_view);
struct liveness_counters liveness_counters(const struct liveness *liveness);
/* Is any controller in contact? */
bool liveness_has_controller(const struct liveness *liveness);
/* The UDP port that a local is bound to. */
uint16_t liveness_local_port(const struct liveness *liveness, size_t local);

#endif
