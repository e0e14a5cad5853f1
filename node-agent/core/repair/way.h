/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_REPAIR_WAY_H
#define HOLDFAST_REPAIR_WAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "proto/limits.h"

/*
 * The ways by which tunnels' packets leave the host, as the kernel's own look-up with the tunnel's mark answers:
 * compared with those of the look before, so that an underlay that flaps back to what it was is no change.
 */
enum { WAYS_MAX = 32 };

struct way {
	struct addr to; /* where to: a peer, or an address that stands for everywhere else */
	uint32_t scope; /* the interface that it has to be, of a link-local address; 0: any */
	bool reachable;
	struct addr via; /* none: on link */
	struct addr src;
	char device[PROTO_INTERFACE_MAX + 1];
	uint32_t mtu;
};

struct ways {
	size_t count, left_out; /* left_out: how many there would have been beyond WAYS_MAX */
	struct way items[WAYS_MAX];
};

bool way_equal(const struct way *a, const struct way *b);

/* "via 10.0.0.1 dev eth0 src 10.0.0.2 mtu 1500", or "none". Returns buffer. */
enum { WAY_TEXT_MAX = 160 };
char *way_format(const struct way *way, char buffer[WAY_TEXT_MAX]);

/* The first of now's ways that differs from before's to the same address; addresses that before lacks do not.
 * NULL: none. *ret_before: how it was. */
const struct way *ways_first_change(
	const struct ways *before, const struct ways *now, const struct way **ret_before);

#endif
