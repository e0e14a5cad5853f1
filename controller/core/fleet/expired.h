/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_EXPIRED_H
#define HOLDFAST_CONTROLLER_FLEET_EXPIRED_H

#include "controller/core/fleet/diagnostics.h"
#include "controller/core/fleet/fleet.h"

/* Warns of peers that are over at now_s (since 1970). Keeps the order of the files. */
void fleet_warn_expired(struct fleet *fleet, int64_t now_s, struct diagnostics *diagnostics);

#endif
