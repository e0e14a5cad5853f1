/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/seat/floor.h"

bool floor_hear(struct floor *floor, uint64_t told, bool confirms)
{
	struct floor before = *floor;

	if (told > floor->known)
		floor->known = told;
	floor->confirmed |= confirms;
	return floor->known != before.known || floor->confirmed != before.confirmed;
}

bool floor_is_above(const struct floor *floor, uint64_t generation)
{
	return generation < floor->known;
}
