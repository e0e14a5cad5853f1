/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"

/*
 * FAILOVER rule 10: whoever holds a generation from before a peer was removed does not serve. What that means for a
 * seat is core/seat's; here the gateway hears of the floor, keeps it on its disk, and tells its seats.
 */

void agent_floor_tell(struct agent_seat *seat)
{
	struct agent *agent = seat->agent;

	agent_seat_step(seat, &(struct seat_event){.kind = SEAT_EVENT_FLOOR,
				      .generation = agent->held.desired->generation,
				      .floor = &agent->floor});
}

static void tell_all(struct agent *agent)
{
	for (size_t i = 0; i < agent->seat_count; i++) {
		agent_floor_tell(agent->seats[i]);
		agent_succession_step(
			agent->seats[i], (struct succession_event){.kind = SUCCESSION_EVENT_TICK});
	}
}

static void note_rise(struct agent *agent)
{
	uint64_t held = agent->held.desired->generation;

	journal_add(&agent->journal, "floor", NULL, "the revocation floor is generation %" PRIu64 "%s",
		agent->floor.known,
		floor_is_above(&agent->floor, held) ? ", above the one that is held: nothing is taken here"
						    : "");
	agent_save_seats(agent);
	if (floor_is_above(&agent->floor, held))
		control_hurry(agent->control);
}

void agent_floor_hear(struct agent *agent, uint64_t told, bool confirms)
{
	uint64_t before = agent->floor.known;

	if (!agent->held.desired || !floor_hear(&agent->floor, told, confirms))
		return;
	if (agent->floor.known > before)
		note_rise(agent);
	tell_all(agent);
}

/* Another store's generations have other numbers. Before the first generation no store is ours yet. */
static void take_word(struct agent *agent)
{
	if (agent->held.desired && agent->held.desired->store == agent->word.store)
		agent_floor_hear(agent, agent->word.floor, true);
}

bool agent_contact_is_foreign(const struct agent *agent)
{
	return agent->held.desired && agent->held.desired->store && agent->contact_store &&
	       agent->contact_store != agent->held.desired->store;
}

void agent_floor_word(struct agent *agent, uint64_t store, uint64_t told)
{
	agent->word.store = store;
	agent->word.floor = told;
	take_word(agent);
}

void agent_floor_held(struct agent *agent)
{
	take_word(agent);
	tell_all(agent);
}
