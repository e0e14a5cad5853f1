/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/text.h"
#include "tests/sim/world.h"

enum { PULL_MAX_MS = 2500 }; /* longer than a guest may take */

void gateway_report(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];
	struct message message = {.kind = MSG_REPORT, .from = gateway};

	h->next_report_ms = world->now + REPORT_MS;
	seat_state_fill(&h->seat, world->now, &message.seat);
	message.fit = h->carrier;
	message.leaving = h->leaving;
	message.terms = h->terms;
	for (message.to = CTL; message.to < HOSTS; message.to++)
		if (host_exists(world, message.to))
			network_send_tls(world, &message);
}

static void burn(struct world *world, size_t gateway, const struct epoch *epoch)
{
	if (epoch_compare(epoch, &world->hosts[gateway].burnt) > 0)
		world->hosts[gateway].burnt = *epoch;
}

static void note_served(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];

	if (!seat_role_serves(h->seat.role) || epoch_compare(&h->seat.epoch, &h->served) == 0)
		return;
	h->served = h->seat.epoch;
	invariant_serves(world, gateway);
}

static bool is_guest(const struct host *h)
{
	return h->seat.role == SEAT_GUEST || h->seat.role == SEAT_PULLED;
}

/* Rule 4: nothing is extended across a stall or a restart without fresh evidence or 300 ms of quiet. */
static void check_renewal(struct world *world, size_t gateway, uint32_t timeout_ms)
{
	struct host *h = &world->hosts[gateway];
	bool fresh = h->seat.contact_ms >= h->resumed_ms || world->now >= h->resumed_ms + SEAT_QUIET_MS;

	if (world->exclusive && !is_guest(h) && h->seat.role != SEAT_RELAYING)
		fresh = tenure_from_ms(&h->seat.tenure, &h->seat.epoch, world->now) >= h->resumed_ms;
	if (!fresh)
		world_fail(world, "S6: %s renews across a stall", world_name(gateway));
	if (timeout_ms > h->terms.lease_ms && !is_guest(h))
		world_fail(world, "S6: %s takes more than a lease", world_name(gateway));
}

/* False: the rest of the list is void. */
static bool act(struct world *world, size_t gateway, const struct seat_action *action)
{
	struct host *h = &world->hosts[gateway];
	struct message probe = {.kind = MSG_WITNESS, .from = gateway, .to = gateway};

	switch (action->kind) {
	case SEAT_ACTION_ACQUIRE:
		kernel_permit(world, gateway, action->timeout_ms);
		h->announces = action->announces;
		return true;
	case SEAT_ACTION_RENEW:
		check_renewal(world, gateway, action->timeout_ms);
		if (kernel_permits(world, gateway)) {
			kernel_permit(world, gateway, action->timeout_ms);
			return true;
		}
		gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_PERMIT_LOST});
		return false;
	case SEAT_ACTION_CHANGE:
		if (!kernel_permits(world, gateway)) {
			gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_PERMIT_LOST});
			return false;
		}
		kernel_permit(world, gateway, action->timeout_ms);
		h->announces = action->announces;
		return true;
	case SEAT_ACTION_STEER:
		if (action->steer != SEAT_STEER_AWAY || !h->cannot_steer)
			return true;
		gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_NO_STEERING});
		return false;
	case SEAT_ACTION_WAKE:
		return true;
	case SEAT_ACTION_REST:
		h->pulled_ms = 0;
		return true;
	case SEAT_ACTION_CLEAR:
		h->pulled_ms = 0;
		kernel_clear(world, gateway);
		world_say(world, "%s is %s: %s", world_name(gateway), seat_role_name(h->seat.role),
			seat_why_text(action->why));
		return true;
	case SEAT_ACTION_TAKE:
		world_say(world, "%s takes as %s", world_name(gateway), seat_role_name(h->seat.role));
		if (h->seat.role == SEAT_GUEST)
			h->pulled_ms = world->now + 1 + (int64_t)world_random(world, PULL_MAX_MS);
		return true;
	case SEAT_ACTION_PERSIST:
		if (epoch_compare(&h->seat.disk.highest, &h->disk.highest) < 0)
			world_fail(world, "S3: highest seen falls on %s", world_name(gateway));
		h->disk = h->seat.disk;
		return true;
	case SEAT_ACTION_REPORT:
		burn(world, gateway, &h->seat.disk.released);
		if (h->seat.role == SEAT_FENCED)
			burn(world, gateway, &h->seat.epoch);
		note_served(world, gateway);
		watcher_beat(world, gateway);
		gateway_report(world, gateway);
		return true;
	case SEAT_ACTION_WITNESS:
		network_send(world, &probe);
		return true;
	case SEAT_ACTION_REFUSED:
		world_say(world, "%s refuses: %s", world_name(gateway), seat_why_text(action->why));
		return true;
	case SEAT_ACTION_ALARM:
		if (!world->rival) /* two may have the same term; then both owners must not hold it, see S3 */
			world_fail(
				world, "S3: %s sees an equal epoch with another owner", world_name(gateway));
		return true;
	case SEAT_ACTION_ANNOUNCE:
		if (!kernel_serves(world, gateway))
			world_fail(world, "%s announces without a permit", world_name(gateway));
		return true;
	case SEAT_ACTION_RESIGN:
		return true;
	case SEAT_ACTION_CLAIM:
		claim_send(world, gateway, action->widely);
		return true;
	case SEAT_ACTION_PROMISE:
		claim_promise(world, gateway);
		return true;
	}
	return true;
}

void gateway_step(struct world *world, size_t gateway, struct seat_event event)
{
	struct seat_actions actions = {0};

	seat_step(&world->hosts[gateway].seat, &event, world->now, &actions);
	for (size_t i = 0; i < actions.count; i++)
		if (!act(world, gateway, &actions.items[i]))
			return;
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
	seat_init(&h->seat, &config, world->now);
	if (!terms_has(&h->terms, gateway))
		return; /* it has no seat */
	gateway_step(world, gateway,
		(struct seat_event){
			.kind = SEAT_EVENT_START, .disk = &disk, .permit_left_ms = (uint32_t)left_ms});
	if (h->seat.role != SEAT_SERVING) { /* nothing from before its start */
		burn(world, gateway, &disk.highest);
		burn(world, gateway, &disk.claimed);
	}
	world_say(world, "%s finds %lld ms of a permit, and is %s", world_name(gateway), (long long)left_ms,
		seat_role_name(h->seat.role));
	gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_CARRIER, .up = h->carrier});
	gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_FIT, .up = true});
	successor_start(world, gateway);
}

/* An agent that connects is told what stands. */
static void greet(struct world *world, size_t gateway, size_t controller)
{
	struct message order = {.kind = MSG_ORDER, .from = controller, .to = gateway};

	order.order = world->hosts[controller].ownership.standing;
	if (world->hosts[controller].running && !epoch_is_zero(&order.order.epoch))
		network_send_tls(world, &order);
}

void gateway_start(struct world *world, size_t gateway)
{
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
		terms_hold(world, gateway, &message->terms);
		successor_leader(world, gateway);
		return;
	case MSG_ORDER:
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
	if (host_controls(from) && proven)
		successor_leader(world, gateway);
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
	if (proven)
		successor_heard(world, gateway, message);
}

void gateway_tick(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];

	kernel_tick(world, gateway);
	if (h->pulled_ms != 0 && h->pulled_ms <= world->now) {
		h->pulled_ms = 0;
		gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_PULLED});
	}
	if (seat_deadline(&h->seat) <= world->now)
		gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_TICK});
	successor_tick(world, gateway);
	if (world->now >= h->next_report_ms)
		gateway_report(world, gateway);
}
