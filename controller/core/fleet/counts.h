/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_COUNTS_H
#define HOLDFAST_CONTROLLER_FLEET_COUNTS_H

#include <stddef.h>

#include "common/base/text.h"
#include "controller/core/fleet/access.h"

/* How much lies between two generations, each thing once, however many gateways have it. Peers count as the sides have them
 * at their now_s. */
struct fleet_counts {
	size_t added, changed, removed; /* peers: of a tunnel and key */
	size_t other;                   /* different lines of fleet_difference_but_peers() */
};

void fleet_count(
	const struct access_side *from, const struct access_side *to, struct fleet_counts *ret_counts);

/* Its parts, for whoever has not all gateways at once: the peers alone, of any gateways that have all tunnels between them ... */
void fleet_count_peers(
	const struct access_side *from, const struct access_side *to, struct fleet_counts *counts);
/* ... and how many of so many lines differ from each other. Cuts the text up. */
size_t fleet_count_different(struct text *lines, size_t count);

#endif
