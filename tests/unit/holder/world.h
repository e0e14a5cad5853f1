/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_HOLDER_WORLD_H
#define HOLDFAST_TESTS_HOLDER_WORLD_H

#include "node-agent/core/holder/holder.h"

/*
 * Peers under a virtual clock: those that are up make a handshake when they come up and every two minutes, the gateway
 * looks once a second, and a ping is answered 5 ms later if whoever has its address is up, and his network is.
 */
enum { WORLD_PEERS_MAX = 8, WORLD_SAID_MAX = 64 };

struct world_peer {
	const char *name;
	bool up, network_up;
	bool served, looked_at;
	int64_t handshake_ms;
};

struct world {
	struct desired *desired;
	struct holder *holder;
	int64_t now_ms, next_look_ms;
	struct world_peer peers[WORLD_PEERS_MAX]; /* in the order of desired->peers */
	struct text said;                         /* a line for each move: "12.345 peer b of wg0 has ..." */
};

void world_begin(struct world *world);
/* Names in rising order. table 0: in its tunnel only. */
struct desired_peer *world_add(struct world *world, const char *tunnel, const char *name);
void world_share(
	struct desired_peer *peer, const char *prefix, uint32_t priority, const char *probe, uint32_t table);
void world_own(struct desired_peer *peer, const char *prefix);
/* All are there. */
void world_start(struct world *world);
void world_end(struct world *world);

struct world_peer *world_peer(struct world *world, const char *name);
void world_kill(struct world *world, const char *name);
void world_revive(struct world *world, const char *name);
void world_run(struct world *world, int64_t ms);
/* Until it has it; how long that took, at most max_ms. */
int64_t world_until(struct world *world, const char *prefix, const char *name, int64_t max_ms);
/* Who has it: "" for nobody, "a+b" for two, by their allowed IPs. */
const char *world_has(const struct world *world, const char *prefix);

#endif
