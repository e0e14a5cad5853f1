/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_EXPIRED_H
#define HOLDFAST_CONTROLLER_FLEET_EXPIRED_H

#include "controller/core/fleet/diagnostics.h"
#include "controller/core/fleet/fleet.h"

/* As its gateways see it, by a clock that says now_s (since 1970). */
bool fleet_peer_is_expired(const struct fleet_peer *peer, int64_t now_s);

/* Warns of peers that are over at now_s. Keeps the order of the files. */
void fleet_warn_expired(struct fleet *fleet, int64_t now_s, struct diagnostics *diagnostics);

#endif
