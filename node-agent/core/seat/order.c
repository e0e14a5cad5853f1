/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "node-agent/core/seat/internal.h"

static void refuse(struct seat *seat, enum seat_why why, struct seat_actions *actions)
{
	seat_act(actions, SEAT_ACTION_REFUSED, 0, why);
	if (why != SEAT_WHY_EQUAL || seat->alarmed)
		return;
	seat->alarmed = true;
	seat_act(actions, SEAT_ACTION_ALARM, 0, why);
}

/* Remember an epoch that is not mine to serve: known_owner tells whether it is known to be somebody else's. True if
 * it is the highest seen. */
static bool note_highest(
	struct seat *seat, const struct epoch *epoch, bool known_owner, struct seat_actions *actions)
{
	int order = epoch_compare(epoch, &seat->disk.highest);

	if (order < 0)
		return false;
	if (order > 0) {
		seat->disk.highest = *epoch;
		seat->highest_is_other = false;
		seat_act(actions, SEAT_ACTION_PERSIST, 0, SEAT_WHY_NONE);
	}
	if (known_owner)
		seat->highest_is_other = true;
	return true;
}

/* A higher epoch than mine has another owner. */
static void step_down(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	bool guest = move_is_guest(seat);

	if (guest && epoch_compare(&seat->disk.highest, &seat->hosted) > 0)
		seat_act(actions, SEAT_ACTION_REST, 0, SEAT_WHY_NONE); /* its permit ends soon, by itself */
	else if (!guest && seat->role != SEAT_STANDBY && seat->role != SEAT_RELAYING)
		role_release(seat, &seat->epoch, SEAT_WHY_LOWER, now_ms, actions);
}

static bool serves_under(const struct seat *seat, const struct epoch *epoch)
{
	return seat_role_serves(seat->role) && epoch_compare(&seat->epoch, epoch) == 0;
}

static void take_in_foreign(
	struct seat *seat, const struct order *order, int64_t now_ms, struct seat_actions *actions)
{
	if (serves_under(seat, &order->epoch)) {
		refuse(seat, SEAT_WHY_EQUAL, actions);
		return;
	}
	if (note_highest(seat, &order->epoch, true, actions) &&
		epoch_compare(&order->epoch, &seat->epoch) > 0)
		step_down(seat, now_ms, actions);
}

static void take_in_release(
	struct seat *seat, const struct order *order, int64_t now_ms, struct seat_actions *actions)
{
	if (seat->role != SEAT_STANDBY && epoch_compare(&order->epoch, &seat->epoch) < 0)
		return;
	note_highest(seat, &order->epoch, false, actions);
	role_release(seat, &order->epoch, SEAT_WHY_NONE, now_ms, actions);
}

/* By its number alone, may this epoch be served? */
static enum seat_why check_epoch(const struct seat *seat, const struct epoch *epoch)
{
	int order = epoch_compare(epoch, &seat->disk.highest);

	if (epoch_compare(epoch, &seat->spent) <= 0)
		return SEAT_WHY_SPENT;
	if (order < 0)
		return SEAT_WHY_LOWER;
	if (order == 0 && seat->highest_is_other)
		return SEAT_WHY_EQUAL;
	return SEAT_WHY_NONE;
}

enum seat_why order_check_state(const struct seat *seat, int64_t now_ms)
{
	if (!seat->carrier)
		return SEAT_WHY_CARRIER;
	if (!seat->fit)
		return SEAT_WHY_UNFIT;
	if (seat->below_ms != SEAT_NEVER)
		return SEAT_WHY_FLOOR;
	if (!seat->floor.confirmed)
		return SEAT_WHY_UNCONFIRMED;
	int64_t from_ms = evidence_ms(seat, now_ms);
	if (from_ms == SEAT_NEVER || !seat_underlay_is_ok(seat, now_ms) ||
		now_ms - from_ms >= (int64_t)seat->config.lease_ms * 3 / 4)
		return SEAT_WHY_WITNESS;
	return SEAT_WHY_NONE;
}

bool seat_is_ready(const struct seat *seat, int64_t now_ms)
{
	bool stands_by = seat->role == SEAT_STANDBY || move_is_guest(seat);

	return seat->started && stands_by && !seat->forgets && !seat->config.exclusive &&
	       order_check_state(seat, now_ms) == SEAT_WHY_NONE;
}

/* A refused epoch is burnt: it must not be served later, when the controller has already gone on. */
void order_burn(struct seat *seat, const struct epoch *epoch, enum seat_why why, struct seat_actions *actions)
{
	refuse(seat, why, actions);
	note_highest(seat, epoch, false, actions);
	role_spend_aloud(seat, epoch);
	seat_act(actions, SEAT_ACTION_REPORT, 0, SEAT_WHY_NONE);
}

void order_take_own(
	struct seat *seat, const struct order *order, int64_t now_ms, struct seat_actions *actions)
{
	if (serves_under(seat, &order->epoch) || exclusive_awaits(seat, &order->epoch))
		return; /* told twice */
	enum seat_why why = check_epoch(seat, &order->epoch);
	if (why != SEAT_WHY_NONE) {
		refuse(seat, why, actions);
		return;
	}
	if (seat->role == SEAT_HOSTING) /* the move is called off */
		move_unhost(seat, now_ms, actions);
	if (seat->role == SEAT_SERVING) {
		role_raise(seat, order, actions);
		return;
	}
	why = order_check_state(seat, now_ms);
	if (why != SEAT_WHY_NONE) {
		order_burn(seat, &order->epoch, why, actions);
	} else if (seat->config.exclusive || seat->forgets || seat->role == SEAT_RELAYING) {
		note_highest(seat, &order->epoch, false, actions);
		exclusive_await(seat, order);
	} else {
		role_take(seat, order, now_ms, actions);
	}
}

void order_take_in(struct seat *seat, const struct order *order, int64_t now_ms, struct seat_actions *actions)
{
	if (order->guest[0] != '\0')
		move_invite(seat, order, now_ms, actions);
	if (order->owner[0] == '\0')
		take_in_release(seat, order, now_ms, actions);
	else if (strcmp(order->owner, seat->config.gateway) == 0)
		order_take_own(seat, order, now_ms, actions);
	else
		take_in_foreign(seat, order, now_ms, actions);
}

/* Two owners under one epoch: without a controller nobody gives out another, so that the names decide. In
 * `fence` a release lets others go on, which is for the controller to weigh. */
static void hear_rival(struct seat *seat, const char *rival, int64_t now_ms, struct seat_actions *actions)
{
	if (!seat->alarmed)
		seat_act(actions, SEAT_ACTION_ALARM, 0, SEAT_WHY_EQUAL);
	seat->alarmed = true;
	if (seat->config.exclusive || strcmp(seat->config.gateway, rival) < 0)
		return;
	seat->highest_is_other = true;
	role_release(seat, &seat->epoch, SEAT_WHY_EQUAL, now_ms, actions);
}

static void hear_serving(struct seat *seat, const char *from, const struct epoch *epoch, int64_t now_ms,
	struct seat_actions *actions)
{
	if (serves_under(seat, epoch)) {
		hear_rival(seat, from, now_ms, actions);
		return;
	}
	if (note_highest(seat, epoch, true, actions) && epoch_compare(epoch, &seat->epoch) > 0)
		step_down(seat, now_ms, actions);
}

/* A member knows of a higher epoch that it does not serve itself. It may be mine, with the order still on its way to
 * me; if it is not, its owner cannot be heard from here, and I have to go. */
static void hear_highest(
	struct seat *seat, const struct epoch *epoch, int64_t now_ms, struct seat_actions *actions)
{
	note_highest(seat, epoch, false, actions);
	if (seat_role_serves(seat->role) && epoch_compare(epoch, &seat->epoch) > 0 &&
		seat->higher_ms == SEAT_NEVER)
		seat->higher_ms = now_ms;
}

void order_hear(
	struct seat *seat, const struct seat_event *event, int64_t now_ms, struct seat_actions *actions)
{
	const struct seat_state *heard = event->heard;

	if (seat_role_serves(heard->role) && !epoch_is_zero(&heard->epoch))
		hear_serving(seat, event->from, &heard->epoch, now_ms, actions);
	hear_highest(seat, &heard->highest, now_ms, actions);
	move_hear(seat, event, now_ms, actions);
}
