/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_OWNERSHIP_POOL_H
#define HOLDFAST_TESTS_OWNERSHIP_POOL_H

#include "controller/core/ownership/ownership.h"

/* A pool of gw-a, gw-b, gw-c as a controller sees it, under a virtual clock. Members speak every 50 ms of `pass()`
 * as long as they live, each with the seat that it was given. */
enum { GW_A, GW_B, GW_C, POOL = 3 };

struct pool {
	struct ownership ownership;
	struct epoch_source source;
	int64_t now;
	bool obedient; /* members carry out orders and releases at once */
	struct pool_member {
		bool alive;
		bool fit;
		const char *impaired;
		bool leaving;
		uint64_t generation; /* 0: it does not say */
		struct seat_state seat;
	} members[POOL];
	unsigned grants;
	unsigned orders, releases, hosts, events, alarms; /* hosts: orders with a guest */
	struct order last;                                /* order or release */
};

/* All alive, fit and standing by; a term is on disk; the controller has just started. */
void pool_init(struct pool *pool);
void pool_init_in(struct pool *pool, bool exclusive);
/* It asks for leave, as it does for as long as it serves or was ordered to. How many grants that gave: 0 or 1. */
unsigned pool_claim(struct pool *pool, size_t member, struct epoch epoch, bool serves);
/* The same, after the first owner, gw-a, has been named and serves. */
void pool_init_served(struct pool *pool);
/* The revocation floor, from now on. */
void pool_floor(struct pool *pool, uint64_t floor);
void pool_pass(struct pool *pool, int64_t ms);
void pool_say(struct pool *pool, size_t member); /* its seat, fitness and whether it leaves, now */
void pool_serve(struct pool *pool, size_t member, struct epoch epoch);
void pool_stand_by(struct pool *pool, size_t member);
void pool_fence(struct pool *pool, size_t member);
/* It falls silent, and this is the verdict. */
void pool_verdict(struct pool *pool, size_t member, enum verdict_kind kind);
void pool_return(struct pool *pool, size_t member); /* alive again, by verdict, and says its seat */
/* `member` reports what `about` said, which it heard serve last. */
void pool_relay(struct pool *pool, size_t member, const char *about, const struct seat_state *seat);
void pool_take_in(struct pool *pool, const struct ownership_actions *actions);
int pool_move(struct pool *pool, size_t member, struct err *err);

#endif
