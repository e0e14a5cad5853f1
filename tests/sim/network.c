/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/world.h"

static bool is_underlay(size_t from, size_t to)
{
	return !host_controls(from) && !host_controls(to);
}

/* Gateways reach each other over the underlay, the controller over a network of its own. */
bool network_is_open(const struct world *world, size_t from, size_t to)
{
	if (!world->hosts[from].power || !world->hosts[to].power || world->cut[from][to])
		return false;
	return !is_underlay(from, to) || (world->hosts[from].underlay && world->hosts[to].underlay);
}

static bool is_deaf(const struct host *host)
{
	return host->deaf || host->filtered;
}

/* A round trip by a kernel or a witness is one message to the asker, subject to loss twice. */
static bool is_lost(struct world *world, const struct message *message)
{
	switch (message->kind) {
	case MSG_KERNEL:
		return world->hosts[message->from].filtered || world_chance(world, world->loss) ||
		       world_chance(world, world->loss) ||
		       !network_is_open(world, message->to, message->from) ||
		       !network_is_open(world, message->from, message->to);
	case MSG_ADDRESS:
		return world_chance(world, world->loss) || world_chance(world, world->loss) ||
		       !network_is_open(world, message->to, message->from) ||
		       !network_is_open(world, message->from, message->to);
	case MSG_WITNESS:
		return world_chance(world, world->loss) || world_chance(world, world->loss) ||
		       !world->witness || !world->hosts[message->to].underlay;
	case MSG_CLAIM:
	case MSG_GRANT:
	case MSG_PROMISE:
	case MSG_DATAGRAM:
		return world_chance(world, world->loss) || is_deaf(&world->hosts[message->from]) ||
		       is_deaf(&world->hosts[message->to]) ||
		       !network_is_open(world, message->from, message->to);
	case MSG_ORDER:
	case MSG_COMMIT:
	case MSG_REPORT:
	case MSG_REPLY:
		break;
	}
	return false;
}

static void record(struct world *world, const struct message *message)
{
	bool leave = message->kind == MSG_GRANT || message->kind == MSG_PROMISE;

	if (world->hoarder ? leave : message->kind == MSG_DATAGRAM)
		world->recorded[world->recorded_count++ % RECORDED] = *message;
}

static void fly(struct world *world, const struct message *message)
{
	struct message *copy = message_copy(world, message);

	copy->sent_ms = world->now;
	copy->due_ms = world->now + 1 + (int64_t)world_random(world, FLIGHT_MAX_MS);
	queue_add(&world->flying[copy->due_ms % BUCKETS], copy);
}

void network_send(struct world *world, const struct message *message)
{
	if (world->attacker || world->hoarder)
		record(world, message);
	if (is_lost(world, message))
		return;
	fly(world, message);
	if (world->duplicates && world_chance(world, 0.1))
		fly(world, message);
}

void network_send_tls(struct world *world, const struct message *message)
{
	struct message *copy = message_copy(world, message);

	copy->sent_ms = world->now;
	copy->due_ms = world->now + 1 + (int64_t)world_random(world, 4);
	queue_add(&world->tls[message->from][message->to], copy);
}

void network_forget(struct world *world, size_t host)
{
	for (size_t i = 0; i < HOSTS; i++) {
		queue_drop(world, &world->tls[host][i]);
		queue_drop(world, &world->tls[i][host]);
	}
}

static void arrive(struct world *world, struct message *message)
{
	struct host *to = &world->hosts[message->to];

	to->wakes_ms = world->now;
	if (host_works(world, message->to) && to->hung_until_ms == 0) {
		watcher_receive(world, message->to, message);
	} else if (to->power && to->running) {
		queue_add(&to->backlog, message);
		return;
	}
	message_drop(world, message);
}

static void deliver_tls(struct world *world, size_t from, size_t to)
{
	struct queue *queue = &world->tls[from][to];

	while (queue->first != NULL && queue->first->due_ms <= world->now) {
		if (!network_is_open(world, from, to) || !network_is_open(world, to, from))
			return;
		arrive(world, queue_take(queue));
	}
}

/* To whom it was sent, whatever has become of the one who sent it. */
static void replay(struct world *world)
{
	size_t count = world->recorded_count < RECORDED ? world->recorded_count : RECORDED;

	if (world->now < world->replays_ms)
		return;
	do
		world->replays_ms++;
	while (!world_chance(world, 0.1));
	if (count == 0)
		return;
	struct message *copy = message_copy(world, &world->recorded[world_random(world, count)]);
	copy->due_ms = world->now;
	arrive(world, copy);
}

void network_deliver(struct world *world)
{
	struct queue now = world->flying[world->now % BUCKETS];
	struct message *message;

	world->flying[world->now % BUCKETS] = (struct queue){0};
	while ((message = queue_take(&now)) != NULL)
		arrive(world, message);
	for (size_t i = 0; i < HOSTS; i++)
		for (size_t j = 0; j < HOSTS; j++)
			deliver_tls(world, i, j);
	if (world->attacker || world->hoarder)
		replay(world);
}
