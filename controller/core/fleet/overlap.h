/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_OVERLAP_H
#define HOLDFAST_CONTROLLER_FLEET_OVERLAP_H

#include "controller/core/fleet/fleet.h"

/* Inside controller/core/fleet only. */

/* The routing table in which peers of other tunnels compete for the prefix; 0: there is no route of it, or one in a table
 * that no other tunnel has, so that only peers of the same tunnel do. */
uint32_t overlap_table(
	const struct fleet_settings *settings, const struct fleet_peer *peer, const struct prefix *to);

#endif
