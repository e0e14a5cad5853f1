/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_CLIENT_ADDRESS_H
#define HOLDFAST_CLI_CLIENT_ADDRESS_H

#include "common/base/err.h"
#include "controller/core/fleet/fleet.h"

/* A client has an address of each family that its tunnel has. */
enum { CLIENT_ADDRESSES_MAX = 2 };

/*
 * The lowest address that is free in the tunnel's networks, of each family: nobody's in the fleet, neither a gateway's nor
 * inside some peer's allowed IPs (those that hold the whole network do not count: a way to elsewhere is nobody's address),
 * nor one that IP gives a meaning to (the network's own, IPv4's broadcast). A network that is full is passed over for the
 * next of its family. -ENOSPC: they are all full; -ENOENT: the tunnel has no network, only addresses of its own.
 */
int client_address_pick(const struct fleet *fleet, const struct fleet_tunnel *tunnel,
	struct prefix ret_addresses[CLIENT_ADDRESSES_MAX], size_t *ret_count, struct err *err);

#endif
