/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "tests/sim/killers/killers.h"

void ways_cut(struct world *world, size_t from, size_t to)
{
	world_say(world, "FAULT no way from %s to %s", world_name(from), world_name(to));
	world->cut[from][to] = true;
}

void ways_cut_both(struct world *world, size_t a, size_t b)
{
	ways_cut(world, a, b);
	ways_cut(world, b, a);
}

void ways_open(struct world *world)
{
	world_say(world, "all ways are open");
	memset(world->cut, 0, sizeof(world->cut));
}

void ways_split(struct world *world, size_t gateway, bool with_controller)
{
	for (size_t i = 0; i < world->gateways; i++) {
		if (i == gateway)
			continue;
		ways_cut_both(world, gateway, i);
		if (with_controller)
			ways_cut_both(world, CTL, i);
	}
	if (!with_controller)
		ways_cut_both(world, gateway, CTL);
}
