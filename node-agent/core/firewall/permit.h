/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FIREWALL_PERMIT_H
#define HOLDFAST_FIREWALL_PERMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "proto/desired.h"
#include "proto/limits.h"

/* Where permits are kept: sets of the firewall, see firewall.h. */
#define FW_TABLE "holdfast"          /* of families inet and arp */
#define FW_PERMIT4 "permit4"         /* inet: IPv4 addresses that may be served */
#define FW_PERMIT6 "permit6"         /* inet: IPv6 addresses */
#define FW_PERMIT_MARK "permit_mark" /* inet: marks of tunnels that may send */
#define FW_ANNOUNCE6 "announce6"     /* inet: IPv6 addresses that may be claimed by ND */
#define FW_ANNOUNCE4 "announce4"     /* arp: IPv4 addresses that may be claimed by ARP */

enum { FW_PERMIT_ADDRESSES_MAX = 2 * PROTO_ADDRESSES_MAX, FW_PERMIT_MARKS_MAX = PROTO_TUNNELS_MAX };

/*
 * What a kernel lets through while its gateway holds a lease on one endpoint: which virtual addresses (dial and
 * inside), which tunnels may send, and whether ARP and neighbour solicitations for the addresses are answered.
 * `announces` false: serves traffic that reaches it, but does not claim the addresses (a guest during a move).
 */
struct fw_permit {
	size_t address_count;
	struct addr addresses[FW_PERMIT_ADDRESSES_MAX]; /* without duplicates */
	size_t mark_count;
	uint32_t marks[FW_PERMIT_MARKS_MAX];
	bool announces;
};

/* Of the endpoint of that name. -ENOENT: no such endpoint, or a tunnel it names is missing. */
int fw_permit_of(const struct desired *desired, const char *endpoint, struct fw_permit *ret_permit);

/* Add unless it is there already. -E2BIG beyond the limits above. */
int fw_permit_add_address(struct fw_permit *permit, const struct addr *address);
int fw_permit_add_mark(struct fw_permit *permit, uint32_t mark);

bool fw_permit_equal(const struct fw_permit *a, const struct fw_permit *b);

#endif
