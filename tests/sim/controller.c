/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "common/base/text.h"
#include "tests/sim/world.h"

enum { DISK_MS = 5, EVENT_MS = 20, TERM_SPREAD = 256 }; /* as the daemon does it */

/* S7: nobody is moved to who is below the floor, but for an owner that has it back. */
static void check_target(struct world *world, size_t controller)
{
	const struct ownership *ownership = &world->hosts[controller].ownership;

	if (ownership->phase == OWNERSHIP_TAKING && ownership->target != ownership->owner &&
		ownership->members[ownership->target].generation < world->hosts[controller].floor.known)
		world_fail(world, "S7: %s orders %s, which is below the floor", world_name(controller),
			world_name(ownership->target));
}

/* Orders are events, and an event is on the disk a moment after it has happened. */
static void note_order(struct world *world, size_t controller, const struct order *order)
{
	struct host *h = &world->hosts[controller];

	if (order->owner[0] == '\0' || epoch_compare(&order->epoch, &h->noting.epoch) <= 0)
		return;
	h->noting = *order;
	h->noted_ms = world->now + EVENT_MS;
}

static void write_events(struct world *world, size_t controller)
{
	struct host *h = &world->hosts[controller];

	if (h->noted_ms > world->now)
		return;
	h->noted = h->noting;
	h->noted_ms = INT64_MAX;
}

static void recall_events(struct world *world, size_t controller)
{
	struct host *h = &world->hosts[controller];

	h->noting = h->noted; /* one that was on its way is lost */
	h->noted_ms = INT64_MAX;
	ownership_recall_epoch(&h->ownership, h->noted.owner, &h->noted.epoch);
}

static void send_order(struct world *world, size_t controller, const struct order *order)
{
	struct message message = {.kind = MSG_ORDER, .from = controller, .order = *order};
	char text[EPOCH_TEXT_MAX];

	world_say(world, "%s orders %s to \"%s\" (%s)", world_name(controller),
		epoch_format(&order->epoch, text), order->owner, order->cause);
	if (order->cause[0] == '\0')
		world_fail(world, "L3: an order without a cause");
	check_target(world, controller);
	note_order(world, controller, order);
	text_copy(world->cause, sizeof(world->cause), order->cause);
	floor_fill(world, controller, &message);
	for (size_t i = 0; i < world->gateways; i++) {
		message.to = i;
		network_send_tls(world, &message);
	}
}

static void act(struct world *world, size_t controller, const struct ownership_actions *actions)
{
	for (size_t i = 0; i < actions->count; i++) {
		const struct ownership_action *action = &actions->items[i];
		switch (action->kind) {
		case OWNERSHIP_ACTION_ORDER:
			world->orders++;
			send_order(world, controller, &action->order);
			break;
		case OWNERSHIP_ACTION_RELEASE:
			send_order(world, controller, &action->order);
			break;
		case OWNERSHIP_ACTION_GRANT:
			claim_grant(world, controller);
			break;
		case OWNERSHIP_ACTION_EVENT:
			world_say(world, "event: %s", action->text);
			break;
		}
	}
}

static void step(struct world *world, size_t controller, struct ownership_event event)
{
	struct ownership_actions actions = {0};

	ownership_step(&world->hosts[controller].ownership, &event, world->now, &actions);
	act(world, controller, &actions);
}

void controller_floor(struct world *world, size_t controller)
{
	step(world, controller,
		(struct ownership_event){
			.kind = OWNERSHIP_EVENT_FLOOR, .floor = world->hosts[controller].floor.known});
}

void controller_start(struct world *world, size_t controller)
{
	struct host *h = &world->hosts[controller];
	bool changed = h->before.generation != 0;
	struct ownership_actions actions = {0};
	struct ownership_config config;

	generation_start(world, controller);
	terms_of_controller(world, changed ? &h->before : &h->terms, &config);
	epoch_source_init(&h->source, h->stored_term);
	h->claim_ms = world->now + OWNERSHIP_LISTEN_MS - 50;
	ownership_init(&h->ownership, &config, &h->source, world->now);
	recall_events(world, controller);
	controller_floor(world, controller);
	if (h->frozen)
		ownership_freeze(&h->ownership, world->now, &actions);
	if (!changed)
		return;
	terms_of_controller(world, &h->terms, &config);
	ownership_configure(&h->ownership, &config, world->now, &actions);
	act(world, controller, &actions);
}

static void tell_generation(struct world *world, size_t controller, const struct message *message)
{
	step(world, controller,
		(struct ownership_event){.kind = OWNERSHIP_EVENT_GENERATION,
			.member = message->from,
			.generation = message->terms.generation});
}

/* By what it says itself, while this controller listens. */
static bool owns_it(const struct world *world, const struct message *report)
{
	size_t owner = world->hosts[report->to].ownership.owner;

	return owner == report->from || (owner == OWNERSHIP_NOBODY && seat_role_serves(report->seat.role));
}

void controller_receive(struct world *world, const struct message *message)
{
	struct message reply = {.kind = MSG_REPLY, .from = message->to, .to = message->from};

	network_send_tls(world, &reply);
	struct host *h = &world->hosts[message->to];
	const struct terms *terms = &h->terms;
	bool holds = message->terms.generation == terms->generation;
	bool ahead = message->terms.generation > terms->generation &&
		     message->terms.generation >= h->floor.known; /* the database is an old one */
	bool owns = owns_it(world, message);                      /* it serves no worse for what it lacks */

	if (message->terms.generation > h->newest_held)
		h->newest_held = message->terms.generation;
	watcher_event(world, message->to, message->from, (struct verdict_event){.kind = VERDICT_EVENT_TLS});
	tell_generation(world, message->to, message);
	if (message->terms.generation < terms->generation && terms->generation >= h->floor.known)
		terms_send(world, message->to, message->from);
	step(world, message->to,
		(struct ownership_event){
			.kind = OWNERSHIP_EVENT_SEAT, .member = message->from, .seat = &message->seat});
	if (message->heard.gateway[0] != '\0')
		step(world, message->to,
			(struct ownership_event){.kind = OWNERSHIP_EVENT_RELAYED,
				.member = message->from,
				.about = message->heard.gateway,
				.seat = &message->heard.seat});
	if (holds)
		step(world, message->to,
			(struct ownership_event){.kind = OWNERSHIP_EVENT_HOLDS, .member = message->from});
	step(world, message->to,
		(struct ownership_event){.kind = OWNERSHIP_EVENT_FITNESS,
			.member = message->from,
			.fit = message->fit && (holds || ahead || owns)});
	step(world, message->to,
		(struct ownership_event){.kind = OWNERSHIP_EVENT_LEAVING,
			.member = message->from,
			.leaving = message->leaving});
}

void controller_heard(struct world *world, size_t controller, size_t from, const struct message *message)
{
	floor_learn(world, controller, message);
	tell_generation(world, controller, message);
	step(world, controller,
		(struct ownership_event){
			.kind = OWNERSHIP_EVENT_SEAT, .member = from, .seat = &message->seat});
}

void controller_claimed(struct world *world, size_t controller, size_t gateway, const struct claim *claim)
{
	step(world, controller,
		(struct ownership_event){.kind = OWNERSHIP_EVENT_CLAIM, .member = gateway, .claim = claim});
}

void controller_verdict(struct world *world, size_t controller, size_t gateway)
{
	const struct verdict *verdict = &world->hosts[controller].others[gateway].verdict;

	step(world, controller,
		(struct ownership_event){.kind = OWNERSHIP_EVENT_VERDICT,
			.member = gateway,
			.verdict = verdict->kind,
			.last_sign_ms = verdict_last_sign_ms(verdict)});
}

void controller_tick(struct world *world, size_t controller)
{
	struct host *h = &world->hosts[controller];
	uint32_t term;

	if (world->now >= h->claim_ms && epoch_source_wants_term(&h->source, world->now / 1000, &term)) {
		term += (uint32_t)(h->boot % TERM_SPREAD);
		h->stored_term = term;
		epoch_source_claimed(&h->source, term);
		h->claim_ms = world->now + DISK_MS;
	}
	write_events(world, controller);
	if (controller == CTL)
		generation_tick(world);
	if (ownership_deadline(&h->ownership) <= world->now)
		step(world, controller, (struct ownership_event){.kind = OWNERSHIP_EVENT_TICK});
}

int controller_move(struct world *world, size_t gateway)
{
	struct ownership_actions actions = {0};
	struct err err;
	int rc;

	if (!host_works(world, CTL))
		return -1;
	rc = ownership_move(&world->hosts[CTL].ownership, gateway, world->now, &actions, &err);
	world_say(world, "move to %s: %s", world_name(gateway), rc < 0 ? err.text : "ok");
	act(world, CTL, &actions);
	return rc;
}

void controller_freeze(struct world *world, bool freeze)
{
	struct host *h = &world->hosts[CTL];
	struct ownership_actions actions = {0};

	world_say(world, freeze ? "frozen" : "thawed");
	h->frozen = freeze;
	if (freeze)
		ownership_freeze(&h->ownership, world->now, &actions);
	else
		ownership_thaw(&h->ownership, world->now, &actions);
	act(world, CTL, &actions);
}

int controller_change(struct world *world, uint32_t lease_ms, size_t members)
{
	struct host *h = &world->hosts[CTL];
	struct terms next = {h->terms.generation + 1, lease_ms, members};
	struct ownership_actions actions = {0};
	struct ownership_config config;
	struct err err;

	if (!host_works(world, CTL))
		return -1;
	terms_of_controller(world, &next, &config);
	if (ownership_check_change(&h->ownership, &config, world->now, &err) < 0) {
		world_say(world, "refused: %s", err.text);
		return -1;
	}
	world_say(world, "generation %llu: %zu gateways, a lease of %u ms",
		(unsigned long long)next.generation, members, lease_ms);
	h->before = h->terms;
	h->terms = h->stored = next;
	ownership_configure(&h->ownership, &config, world->now, &actions);
	act(world, CTL, &actions);
	for (size_t i = 0; i < world->gateways; i++)
		terms_send(world, CTL, i);
	return 0;
}
