/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/text.h"
#include "tests/sim/world.h"

enum { DISK_MS = 5 };

static struct succession_view look(const struct world *world, size_t gateway)
{
	const struct host *h = &world->hosts[gateway];

	return (struct succession_view){.highest = h->seat.disk.highest,
		.generation = h->terms.generation,
		.floor = h->floor.known,
		.frozen = h->frozen,
		.ready = seat_is_ready(&h->seat, world->now)};
}

void successor_start(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];
	struct succession_config config = {.timing = world->timing, .member_count = world->gateways};

	text_copy(config.gateway, sizeof(config.gateway), world_name(gateway));
	for (size_t i = 0; i < world->gateways; i++)
		text_copy(config.members[i], sizeof(config.members[i]), world_name(i));
	h->claim_written_ms = 0;
	h->leader_ms = world->now;
	succession_init(&h->succession, &config, &h->disk.claimed, world->now);
}

/* The kernel of whoever holds a permit that announces answers; of any other it is shut. */
static void ask_for_address(struct world *world, size_t gateway)
{
	struct message answer = {.kind = MSG_ADDRESS, .to = gateway};

	for (size_t i = 0; i < world->gateways; i++) {
		answer.from = i;
		if (i != gateway && kernel_serves(world, i))
			network_send(world, &answer);
	}
}

static void take(struct world *world, size_t gateway, const struct succession_action *action)
{
	struct order order = {.endpoint = "vpn", .epoch = action->epoch, .cause = "no-controller"};
	char text[EPOCH_TEXT_MAX];

	world_say(world, "%s succeeds %s under %s", world_name(gateway), action->from,
		epoch_format(&action->epoch, text));
	invariant_succeeds(world, gateway);
	world->successions++;
	text_copy(world->cause, sizeof(world->cause), order.cause);
	text_copy(order.owner, sizeof(order.owner), world_name(gateway));
	gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_ORDER, .order = &order});
}

static void act(struct world *world, size_t gateway, const struct succession_action *action)
{
	struct host *h = &world->hosts[gateway];
	struct message witness = {.kind = MSG_WITNESS, .from = gateway, .to = gateway};

	switch (action->kind) {
	case SUCCESSION_ACTION_ASK_LEADER:
		gateway_report(world, gateway);
		return;
	case SUCCESSION_ACTION_ASK_WITNESS:
		network_send(world, &witness);
		return;
	case SUCCESSION_ACTION_PROBE:
		ask_for_address(world, gateway);
		return;
	case SUCCESSION_ACTION_PERSIST:
		h->claim = action->epoch;
		h->claim_written_ms = world->now + DISK_MS;
		return;
	case SUCCESSION_ACTION_TAKE:
		if (epoch_compare(&action->epoch, &h->disk.claimed) != 0)
			world_fail(world, "S3: %s serves what is not on its disk", world_name(gateway));
		take(world, gateway, action);
		return;
	}
}

void successor_event(struct world *world, size_t gateway, struct succession_event event)
{
	struct succession_actions actions = {0};

	event.view = look(world, gateway);
	succession_step(&world->hosts[gateway].succession, &event, world->now, &actions);
	for (size_t i = 0; i < actions.count; i++)
		act(world, gateway, &actions.items[i]);
}

void successor_leader(struct world *world, size_t gateway)
{
	world->hosts[gateway].leader_ms = world->now;
	successor_event(world, gateway,
		(struct succession_event){.kind = SUCCESSION_EVENT_LEADER, .at_ms = world->now});
}

bool successor_has_leader(const struct world *world, size_t gateway)
{
	return world->now - world->hosts[gateway].leader_ms < SUCCESSION_LEADER_MS;
}

void successor_verdict(struct world *world, size_t gateway, size_t about)
{
	const struct verdict *verdict = &world->hosts[gateway].others[about].verdict;

	successor_event(world, gateway,
		(struct succession_event){.kind = SUCCESSION_EVENT_VERDICT,
			.from = world_name(about),
			.verdict = verdict->kind,
			.last_sign_ms = verdict_last_sign_ms(verdict)});
}

void successor_evidence(struct world *world, size_t gateway, int64_t at_ms)
{
	successor_event(
		world, gateway, (struct succession_event){.kind = SUCCESSION_EVENT_EVIDENCE, .at_ms = at_ms});
}

void successor_heard(struct world *world, size_t gateway, const struct message *message)
{
	successor_event(world, gateway,
		(struct succession_event){.kind = SUCCESSION_EVENT_HEARD,
			.from = world_name(message->from),
			.heard = &message->seat,
			.leader_contact = message->leader_contact,
			.generation = message->terms.generation});
}

static void write_claim(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];

	h->claim_written_ms = 0;
	h->seat.disk.claimed = h->disk.claimed = h->claim;
	successor_event(world, gateway,
		(struct succession_event){.kind = SUCCESSION_EVENT_PERSISTED, .epoch = h->claim});
}

void successor_tick(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];

	if (h->claim_written_ms != 0 && h->claim_written_ms <= world->now)
		write_claim(world, gateway);
	if (successor_deadline(world, gateway) <= world->now)
		successor_event(world, gateway, (struct succession_event){.kind = SUCCESSION_EVENT_TICK});
}

int64_t successor_deadline(const struct world *world, size_t gateway)
{
	const struct host *h = &world->hosts[gateway];
	struct succession_view view = look(world, gateway);
	int64_t ms = succession_deadline(&h->succession, &view, world->now);

	return h->claim_written_ms != 0 && h->claim_written_ms < ms ? h->claim_written_ms : ms;
}
