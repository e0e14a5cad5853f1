/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FIREWALL_STEER_H
#define HOLDFAST_FIREWALL_STEER_H

#include "common/base/addr.h"
#include "node-agent/core/firewall/ruleset.h"
#include "proto/limits.h"

/*
 * Steering on one outer interface, as a netdev table of its own: during a planned move, WireGuard packets of sessions
 * that are not this gateway's go on to its partner, in the kernel, as they are. Which sessions are its own the egress
 * chain learns from the handshakes that leave (sender index of types 1 and 2), all the time and whoever owns what;
 * the ingress chain is empty but for a move.
 *
 *   table netdev holdfast-steer-eth0   set own; chains egress, ingress
 *
 * Frames from the partner pass by the steering: nothing goes back and forth. Of a packet
 * in fragments the first alone shows its session: those of others' sessions are lost.
 */
enum {
	STEER_WAYS_MAX = PROTO_ENDPOINTS_MAX,
	STEER_OWN_MAX = 262144,           /* sessions learned: three for each of 80,000 peers */
	STEER_OWN_TIMEOUT_MS = 600000,    /* a session lives for 180 s, and its end is seen a while later */
	STEER_COMPLETE_MS = 180000 + 5000 /* after that each session that lives was learned */
};

#define STEER_OWN "own"
#define STEER_EGRESS "egress"
#define STEER_INGRESS "ingress"

/* One endpoint that is being moved. */
struct steer_way {
	bool back; /* initiations stay, and own ones may leave: see enum seat_steer */
	size_t port_count;
	uint16_t ports[PROTO_TUNNELS_MAX];
	size_t address_count;
	struct addr addresses[PROTO_ADDRESSES_MAX]; /* dial */
	struct addr to4, to6; /* the partner on this segment; a family without is not steered */
	uint8_t mac[6];       /* the partner's */
};

struct steer {
	const char *device;
	uint32_t ifindex;
	int64_t complete_ms; /* of the set, should it have to be made now */
	size_t port_count;
	const uint16_t *ports; /* of all tunnels that are dialled here: whose sessions are learned */
	size_t way_count;
	const struct steer_way *ways;
};

/* Its scope, of FW_SCOPE_MAX characters at most, and the table's name, of FW_NAME_MAX. */
void steer_scope(const char *device, char *buffer, size_t size);
void steer_table(const char *device, char *buffer, size_t size);
/* The set's comment says when it is complete, by CLOCK_BOOTTIME: from then on what is not in it is not ours. */
void steer_complete_format(int64_t complete_ms, char *buffer, size_t size);
int64_t steer_complete_parse(const char *comment); /* INT64_MAX: it does not say */

/* One table. Free with fw_ruleset_free(). */
struct fw_ruleset *steer_build(const struct steer *steer);

#endif
