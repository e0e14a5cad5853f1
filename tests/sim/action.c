/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/world.h"

enum { PULL_MAX_MS = 2500 }; /* longer than a guest may take */

void gateway_burn(struct world *world, size_t gateway, const struct epoch *epoch)
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

static void acquire(struct world *world, size_t gateway, const struct seat_action *action)
{
	if (world->hosts[gateway].forgotten_ms != 0)
		world_fail(world, "%s may speak before its sessions are forgotten", world_name(gateway));
	kernel_permit(world, gateway, action->timeout_ms);
	world->hosts[gateway].announces = action->announces;
}

/* False, as of change() and steer(): the kernel did not, and the seat has been told so. */
static bool renew(struct world *world, size_t gateway, const struct seat_action *action)
{
	check_renewal(world, gateway, action->timeout_ms);
	if (!kernel_permits(world, gateway)) {
		gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_PERMIT_LOST});
		return false;
	}
	kernel_permit(world, gateway, action->timeout_ms);
	return true;
}

static bool change(struct world *world, size_t gateway, const struct seat_action *action)
{
	if (!kernel_permits(world, gateway)) {
		gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_PERMIT_LOST});
		return false;
	}
	acquire(world, gateway, action);
	if (action->announces) /* a guest becomes the owner */
		revoked_takes(world, gateway);
	return true;
}

static bool steer(struct world *world, size_t gateway, const struct seat_action *action)
{
	if (action->steer != SEAT_STEER_AWAY || !world->hosts[gateway].cannot_steer)
		return true;
	gateway_step(world, gateway, (struct seat_event){.kind = SEAT_EVENT_NO_STEERING});
	return false;
}

static void clear(struct world *world, size_t gateway, const struct seat_action *action)
{
	struct host *h = &world->hosts[gateway];

	h->pulled_ms = 0;
	kernel_clear(world, gateway);
	world_say(world, "%s is %s: %s", world_name(gateway), seat_role_name(h->seat.role),
		seat_why_text(action->why));
}

static void take(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];

	world_say(world, "%s takes as %s", world_name(gateway), seat_role_name(h->seat.role));
	revoked_takes(world, gateway);
	if (h->seat.role == SEAT_GUEST)
		h->pulled_ms = world->now + 1 + (int64_t)world_random(world, PULL_MAX_MS);
}

static void persist(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];

	if (epoch_compare(&h->seat.disk.highest, &h->disk.highest) < 0)
		world_fail(world, "S3: highest seen falls on %s", world_name(gateway));
	h->disk = h->seat.disk;
}

static void report(struct world *world, size_t gateway)
{
	const struct host *h = &world->hosts[gateway];

	gateway_burn(world, gateway, &h->seat.disk.released);
	if (h->seat.role == SEAT_FENCED)
		gateway_burn(world, gateway, &h->seat.epoch);
	note_served(world, gateway);
	watcher_beat(world, gateway);
	gateway_report(world, gateway);
}

static void alarm_equal_epoch(struct world *world, size_t gateway)
{
	if (!world->rival) /* two may have the same term; then both owners must not hold it, see S3 */
		world_fail(world, "S3: %s sees an equal epoch with another owner", world_name(gateway));
}

static void announce(struct world *world, size_t gateway)
{
	if (!kernel_serves(world, gateway))
		world_fail(world, "%s announces without a permit", world_name(gateway));
}

static void ask_witness(struct world *world, size_t gateway)
{
	network_send(world, &(struct message){.kind = MSG_WITNESS, .from = gateway, .to = gateway});
}

bool gateway_act(struct world *world, size_t gateway, const struct seat_action *action)
{
	switch (action->kind) {
	case SEAT_ACTION_ACQUIRE:
		acquire(world, gateway, action);
		break;
	case SEAT_ACTION_RENEW:
		return renew(world, gateway, action);
	case SEAT_ACTION_CHANGE:
		return change(world, gateway, action);
	case SEAT_ACTION_STEER:
		return steer(world, gateway, action);
	case SEAT_ACTION_REST:
		world->hosts[gateway].pulled_ms = 0;
		break;
	case SEAT_ACTION_CLEAR:
		clear(world, gateway, action);
		break;
	case SEAT_ACTION_TAKE:
		take(world, gateway);
		break;
	case SEAT_ACTION_PERSIST:
		persist(world, gateway);
		break;
	case SEAT_ACTION_REPORT:
		report(world, gateway);
		break;
	case SEAT_ACTION_WITNESS:
		ask_witness(world, gateway);
		break;
	case SEAT_ACTION_REFUSED:
		world_say(world, "%s refuses: %s", world_name(gateway), seat_why_text(action->why));
		break;
	case SEAT_ACTION_ALARM:
		alarm_equal_epoch(world, gateway);
		break;
	case SEAT_ACTION_ANNOUNCE:
		announce(world, gateway);
		break;
	case SEAT_ACTION_CLAIM:
		claim_send(world, gateway, action->widely);
		break;
	case SEAT_ACTION_PROMISE:
		claim_promise(world, gateway);
		break;
	case SEAT_ACTION_RESIGN:
		world->hosts[gateway].forgotten_ms = world->now + world->forgets_ms;
		break;
	case SEAT_ACTION_WAKE:
		break; /* no peers to wake */
	}
	return true;
}
