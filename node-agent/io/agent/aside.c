/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/clock.h"
#include "node-agent/io/agent/agent_int.h"

/*
 * wireguard-go takes 70 to 90 ms to tell of 10,000 peers. A loop that waits for it sends no beats, and is suspected after 110: so devices of
 * many peers are read in the thread, and what a look, or the controller's word that puts a generation in force, needs to know of them is
 * there before. Should it not be, the look asks for itself.
 */

enum {
	PEERS_MIN = 200, /* fewer are told sooner than a thread is woken */
	TRIES_MAX = 3,   /* a device that is changed all the time is read in the loop in the end */
};

bool aside_is_small(const struct agent *agent)
{
	return !agent->reader || !agent->held.desired || agent->held.desired->peer_count < PEERS_MIN;
}

static const struct desired *of_many_peers(const struct agent *agent)
{
	return aside_is_small(agent) ? NULL : agent->held.desired;
}

/* false: all that can be known is. */
static bool ask(struct agent *agent)
{
	const struct desired *desired = of_many_peers(agent);
	bool awaited = false;

	for (size_t i = 0; desired && i < desired->tunnel_count; i++) {
		const char *tunnel = desired->tunnels[i].name;

		if (reconcile_is_given(agent->reconcile, tunnel))
			continue;
		if (agent->aside.tries < TRIES_MAX)
			owner_ask(agent, tunnel);
		awaited |= device_reader_is_asked(agent->reader, tunnel);
	}
	agent->aside.tries++;
	return awaited;
}

bool aside_look(struct agent *agent)
{
	if (!agent->aside.looks && !agent->aside.tells)
		agent->aside.tries = 0;
	agent->aside.looks = agent->aside.looks || ask(agent);
	return agent->aside.looks;
}

bool aside_staged(struct agent *agent, const struct staged *staged)
{
	agent->aside.tries = 0;
	agent->aside.staged = *staged;
	agent->aside.tells = ask(agent);
	return agent->aside.tells;
}

void aside_forget_staged(struct agent *agent)
{
	agent->aside.tells = false;
}

/* A look takes what was read: for the generation that waits it is read once more. Not for ever: looks may follow each other closely. */
static void go_on(struct agent *agent)
{
	if (agent->aside.looks) {
		agent_look_now(agent);
		if (agent->aside.tells && ask(agent))
			return;
	}
	if (!agent->aside.tells)
		return;
	agent->aside.tells = false;
	control_staged(agent->control, &agent->aside.staged);
}

static bool is_awaited(const struct agent *agent)
{
	const struct desired *desired = of_many_peers(agent);

	for (size_t i = 0; desired && i < desired->tunnel_count; i++)
		if (device_reader_is_asked(agent->reader, desired->tunnels[i].name))
			return true;
	return false;
}

void aside_take_read(struct agent *agent, struct device_read *read)
{
	bool again = false;

	if (!agent->aside.looks && !agent->aside.tells)
		return;
	if (read->result >= 0)
		again = !reconcile_give(agent->reconcile, read->tunnel, &read->device, read->began_ms);
	if (again)
		(void)ask(agent); /* at once, whatever else is being read: nobody would come back to it */
	if (!is_awaited(agent))
		go_on(agent);
}
