/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_DIFFERENCE_H
#define HOLDFAST_CONTROLLER_FLEET_DIFFERENCE_H

#include <stddef.h>

#include "common/base/text.h"
#include "controller/core/fleet/fleet.h"
#include "proto/desired.h"

/*
 * What would change on one gateway, in words: a line each, "+ peer alice in wg0 [10.50.0.2/32]",
 * "~ tunnel wg0: mtu 1420 -> 1400", "- virtual endpoint vpn". NULL: the gateway has nothing (yet, or any more).
 * Generations and partners do not count; no secret is shown. Returns the number of lines; 0: they are equal.
 */
size_t fleet_difference(const struct desired *from, const struct desired *to, struct text *lines);
/* The same without its peers. */
size_t fleet_difference_but_peers(const struct desired *from, const struct desired *to, struct text *lines);

/* The same for what only the controller knows: of virtual endpoints that are in both. */
size_t fleet_difference_of_controller(const struct fleet *from, const struct fleet *to, struct text *lines);

#endif
