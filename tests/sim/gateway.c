/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/world.h"

enum { RETRANSMIT_MS = 200 }; /* of TCP, at least */

/* Where a segment of the report is lost, a controller has what others said by the next one; nothing else in it is worse for
 * that. Over a link that is cut all of it waits, and is old when it arrives. */
static void fill_heard(struct world *world, size_t gateway, struct message *report)
{
	struct host *h = &world->hosts[gateway];

	if (!hearsay_is_news(&h->hearsay, &h->seat.epoch))
		return;
	if (world_chance(world, world->loss))
		h->next_report_ms = world->now + RETRANSMIT_MS;
	else
		report->heard = h->hearsay;
}

void gateway_report(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];
	struct message message = {.kind = MSG_REPORT, .from = gateway};

	h->next_report_ms = world->now + REPORT_MS;
	seat_state_fill(&h->seat, world->now, &message.seat);
	fill_heard(world, gateway, &message);
	message.fit = h->carrier;
	message.leaving = h->leaving;
	message.terms = h->terms;
	for (message.to = CTL; message.to < HOSTS; message.to++)
		if (host_exists(world, message.to))
			network_send_tls(world, &message);
}

static void forget(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];

	if (h->forgotten_ms == 0 || h->forgotten_ms > world->now)
		return;
	h->forgotten_ms = 0;
	gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_FORGOTTEN});
}

void gateway_step(struct world *world, size_t gateway, struct seat_event event)
{
	struct seat_actions actions = {0};

	seat_step(&world->hosts[gateway].seat, &event, world->now, &actions);
	for (size_t i = 0; i < actions.count; i++)
		if (!gateway_act(world, gateway, &actions.items[i]))
			return;
	forget(world, gateway);
}

void gateway_begin(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];
	struct seat_disk disk = h->disk;
	struct seat_config config;
	int64_t left_ms;

	kernel_adopt(world, gateway);
	left_ms = kernel_permit_left_ms(world, gateway);
	terms_of_gateway(world, gateway, &config);
	h->served = (struct epoch){0};
	h->forgotten_ms = 0;
	seat_init(&h->seat, &config, world->now);
	if (!terms_has(&h->terms, gateway))
		return; /* it has no seat */
	gateway_step(world, gateway,
		(struct seat_event){
			.kind = SEAT_EVENT_START, .disk = &disk, .permit_left_ms = (uint32_t)left_ms});
	successor_start(world, gateway);
	floor_tell(world, gateway);
	revoked_adopts(world, gateway);
	if (h->seat.role != SEAT_SERVING) { /* nothing from before its start */
		gateway_burn(world, gateway, &disk.highest);
		gateway_burn(world, gateway, &disk.claimed);
	}
	world_say(world, "%s finds %lld ms of a permit, and is %s", world_name(gateway), (long long)left_ms,
		seat_role_name(h->seat.role));
	gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_CARRIER, .up = h->carrier});
	gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_FIT, .up = true});
}

/* An agent that connects is told what stands. */
static void greet(struct world *world, size_t gateway, size_t controller)
{
	const struct ownership *ownership = &world->hosts[controller].ownership;
	struct message order = {.kind = MSG_ORDER, .from = controller, .to = gateway};

	order.order = ownership->standing;
	floor_fill(world, controller, &order);
	if (world->hosts[controller].running && ownership_repeats_to(ownership, gateway))
		network_send_tls(world, &order);
}

void gateway_start(struct world *world, size_t gateway)
{
	world->hosts[gateway].frozen = false; /* forgotten */
	world->hosts[gateway].hearsay = (struct hearsay){0};
	floor_start(world, gateway);
	gateway_begin(world, gateway);
	for (size_t controller = CTL; controller < HOSTS; controller++)
		greet(world, gateway, controller);
}

void gateway_receive(struct world *world, size_t gateway, const struct message *message)
{
	switch (message->kind) {
	case MSG_WITNESS:
		gateway_step(world, gateway,
			(struct seat_event){.kind = SEAT_EVENT_WITNESS, .at_ms = message->sent_ms});
		successor_evidence(world, gateway, message->sent_ms);
		return;
	case MSG_ADDRESS:
		successor_event(world, gateway, (struct succession_event){.kind = SUCCESSION_EVENT_ANSWERED});
		return;
	case MSG_COMMIT:
		floor_take(world, gateway, message->floor, true);
		generation_take(world, gateway, &message->terms);
		successor_leader(world, gateway);
		return;
	case MSG_ORDER:
		floor_take(world, gateway, message->floor, true);
		if (!world->hosts[gateway].seat.started)
			return;
		gateway_step(world, gateway,
			(struct seat_event){.kind = SEAT_EVENT_ORDER, .order = &message->order});
		successor_leader(world, gateway);
		return;
	case MSG_REPLY:
		successor_leader(world, gateway);
		return;
	case MSG_DATAGRAM:
	case MSG_KERNEL:
	case MSG_REPORT:
	case MSG_CLAIM:
	case MSG_GRANT:
	case MSG_PROMISE:
		return; /* the watcher's, the controller's, claim.c's */
	}
}

static void take_contact(struct world *world, size_t gateway, const struct message *message)
{
	int64_t at_ms = (int64_t)(message->head.echo.time_us / 1000);

	gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_CONTACT, .at_ms = at_ms});
	successor_evidence(world, gateway, at_ms);
}

void gateway_heard(
	struct world *world, size_t gateway, size_t from, const struct message *message, bool proven)
{
	if (host_controls(from) && proven && message->head.kind == DATAGRAM_BEAT)
		world->hosts[gateway].frozen = message->frozen;
	if (host_controls(from) && proven)
		successor_leader(world, gateway);
	if (message->head.kind == DATAGRAM_BEAT)
		floor_take(world, gateway, message->floor, proven && message->floor_confirmed);
	if (host_controls(from) || !terms_has(&world->hosts[gateway].terms, from) ||
		!world->hosts[gateway].seat.started)
		return;
	if (proven)
		take_contact(world, gateway, message);
	if (message->head.kind != DATAGRAM_BEAT)
		return;
	gateway_step(world, gateway,
		(struct seat_event){.kind = SEAT_EVENT_HEARD,
			.from = world_name(from),
			.heard = &message->seat,
			.proven = proven});
	if (!proven)
		return;
	if (hearsay_hear(&world->hosts[gateway].hearsay, world_name(from), &message->seat))
		gateway_report(world, gateway);
	successor_heard(world, gateway, message);
}

void gateway_tick(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];

	kernel_tick(world, gateway);
	generation_hold(world, gateway);
	if (h->pulled_ms != 0 && h->pulled_ms <= world->now) {
		h->pulled_ms = 0;
		gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_PULLED});
	}
	forget(world, gateway);
	if (seat_deadline(&h->seat) <= world->now)
		gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_TICK});
	successor_tick(world, gateway);
	if (world->now >= h->next_report_ms)
		gateway_report(world, gateway);
}
