/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_READINESS_READINESS_H
#define HOLDFAST_READINESS_READINESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "proto/limits.h"
#include "proto/standing.h"

/*
 * Could this standby take one endpoint over now, and when was that last seen? Pure; times are ms of the own monotonic
 * clock.
 *
 * What core/plan compares already (devices, keys, peers, firewall, kernel parameters) comes in as one observation: when
 * the difference was last found to be empty. From a standby's world the owner's differs by the permit, the endpoint's
 * addresses and routes and the peers' keepalives only (plan/target.h), so what remains is whether those could work:
 * interfaces that are up, next hops that answer, a copy of the owner's connections, the owner's generation.
 */
#define READINESS_NEVER INT64_MIN

enum {
	READINESS_LINKS_MAX = 16,
	READINESS_HOPS_MAX = 16,
	READINESS_SILENT_MS = 3500,    /* three questions, a second apart, that were not answered */
	READINESS_COMPARED_MS = 75000, /* two looks at the kernel, should no event have told, were missed */
	READINESS_BEHIND_MS = 2000,    /* a generation reaches all gateways within that (L5) */
};

/* An interface that an owner needs: outer, inside, of a route. */
struct readiness_link {
	char name[PROTO_INTERFACE_MAX + 1];
	bool usable; /* there, up, with carrier */
};

enum readiness_hop_kind {
	READINESS_ROUTER, /* a route of the endpoint leads there */
	READINESS_WITNESS /* of the outer segment: for a succession */
};

/* Somebody who is asked once a second whether he is there. */
struct readiness_hop {
	enum readiness_hop_kind kind;
	char interface[PROTO_INTERFACE_MAX + 1];
	struct addr address;
	int64_t since_ms;    /* asked since then */
	int64_t answered_ms; /* READINESS_NEVER: not yet */
};

struct readiness {
	size_t hop_count;
	struct readiness_hop hops[READINESS_HOPS_MAX];
	size_t hops_left_out; /* beyond READINESS_HOPS_MAX: nobody asks them */
	uint64_t behind_of;   /* the generation that the owner holds and this gateway does not; 0: none */
	int64_t behind_ms;    /* since when */
};

/* What was seen; filled by the caller. */
struct readiness_view {
	int64_t standby_ms;     /* since when it has been a standby: what was seen before says nothing */
	int64_t compared_ms;    /* when the kernel was last found to be as it shall be; READINESS_NEVER */
	const char *difference; /* what is known not to be; "" */
	size_t link_count;
	struct readiness_link links[READINESS_LINKS_MAX];
	bool mirrors;            /* connections are to be mirrored here */
	int64_t mirrored_ms;     /* when the copy was last known to be whole; READINESS_NEVER: it is not */
	const char *mirror_why;  /* then: why, or "" */
	const char *owner;       /* "": nobody is heard serving */
	bool owner_is_neighbour; /* known as one on the outer segment, as steering needs it */
	uint64_t generation, owner_generation; /* 0: not known */
	uint64_t floor;                        /* of revocation; 0: none */
	bool floor_confirmed;                  /* since this gateway started */
	size_t witnesses;                      /* members of the pool in contact besides the owner */
	bool exclusive;                        /* `isolation: fence` */
	bool forgets; /* WireGuard may hold sessions still from when it served: it takes nothing before */
};

void readiness_init(struct readiness *readiness);

/* Whom to ask from now on (kind, interface, address); what is known of those that stay is kept. count may be more than
 * READINESS_HOPS_MAX. */
void readiness_ask(
	struct readiness *readiness, const struct readiness_hop *hops, size_t count, int64_t now_ms);
/* interface NULL: it is known to have been the right one. */
void readiness_answered(
	struct readiness *readiness, const struct addr *address, const char *interface, int64_t now_ms);

/* All of *ret_standing but the endpoint's name. */
void readiness_judge(struct readiness *readiness, const struct readiness_view *view, int64_t now_ms,
	struct standing *ret_standing);

#endif
