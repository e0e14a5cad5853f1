/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "tests/sim/world.h"

/* One run from its begin to its end, all of it from the seed: how its world is, not what happens in it (sort.c, killer.c). */

enum { FORGETS_MS = 400 }; /* what a standby takes that forgets the sessions of many peers */

/* The seeds share the modes between them. Bit 3 is the mode and bit 0 how many gateways there are; the sort is of the next four (sort.c). */
static bool is_exclusive(const struct schedule *schedule)
{
	return schedule->mode == MODE_OF_SEED ? schedule->seed / 8 % 2 == 1 : schedule->mode == MODE_FENCE;
}

/* A world that has come to the end of its schedule; its caller frees it. */
static struct world *play(const struct schedule *schedule)
{
	static const double losses[] = {0, 0, 0.01, 0.05, 0.2};
	struct world *world = mem_new(1, sizeof(*world));
	uint64_t seed = schedule->seed;

	world_init(world, seed, 2 + seed % 2, losses[seed / 2 % 5]);
	world->rival = schedule->killer && killer_wants_rival(schedule->killer);
	world->exclusive = is_exclusive(schedule);
	for (size_t i = 0; i < GATEWAYS && world->exclusive; i++)
		world->hosts[i].slow = world_chance(world, 0.5);
	world->witness = seed % 3 != 0;
	/* Not in killers: what it sends again gets around any cut, as by a third way. */
	world->attacker = !schedule->killer && seed % 7 == 0;
	world->duplicates = seed % 5 == 2;
	world->forgets_ms = !schedule->killer && seed % 11 == 4 ? FORGETS_MS : 0;
	world->verbose = schedule->verbose;
	world->every_ms = schedule->every_ms;
	course_begin(world);
	if (world->failure[0] == '\0' && schedule->killer)
		killer_run(world, schedule->killer);
	else if (world->failure[0] == '\0')
		sort_run(world);
	return world;
}

static void end(struct world *world)
{
	world_clear(world);
	free(world);
}

int schedule_run(const struct schedule *schedule, char *ret_failure, size_t size)
{
	struct world *world = play(schedule);
	int failed = world->failure[0] != '\0';

	if (failed)
		text_copy(ret_failure, size, world->failure);
	end(world);
	return failed;
}

/* Whatever happens late draws its random numbers late, so that all that follows differs. */
bool schedule_skips_nothing(const struct schedule *schedule)
{
	struct schedule both[] = {*schedule, *schedule};

	both[0].every_ms = false;
	both[1].every_ms = true;
	struct world *some = play(&both[0]), *every = play(&both[1]);
	bool same = some->random == every->random && some->now == every->now &&
		    some->orders == every->orders && some->moves == every->moves &&
		    some->served_ms == every->served_ms && some->longest_ms == every->longest_ms;
	end(some);
	end(every);
	return same;
}
