/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/seat/internal.h"

void seat_act(
	struct seat_actions *actions, enum seat_action_kind kind, uint32_t timeout_ms, enum seat_why why)
{
	if (actions->count < SEAT_ACTIONS_MAX)
		actions->items[actions->count++] =
			(struct seat_action){.kind = kind, .timeout_ms = timeout_ms, .why = why};
}

void role_spend(struct seat *seat, const struct epoch *epoch)
{
	if (epoch_compare(epoch, &seat->spent) > 0)
		seat->spent = *epoch;
}

/* Fence first, tell at once, then the slow part: the kernel is shut as soon as the permit is gone. */
void role_leave(struct seat *seat, enum seat_role role, enum seat_why why, struct seat_actions *actions)
{
	bool steers = seat->role == SEAT_HOSTING || seat->role == SEAT_RELAYING ||
		      seat->steer_until_ms != SEAT_NEVER;

	seat->steer_until_ms = SEAT_NEVER;
	seat->invited_ms = SEAT_NEVER;
	seat->role = role;
	seat->why = role == SEAT_FENCED ? why : SEAT_WHY_NONE;
	seat->disk.served = (struct epoch){0};
	seat->cleared_until_ms = seat->permit_until_ms;
	seat->open_until_ms = SEAT_NEVER;
	seat->permit_until_ms = SEAT_NEVER;
	seat->taken_ms = SEAT_NEVER;
	seat->higher_ms = SEAT_NEVER;
	seat->alarmed = false;
	seat_act(actions, SEAT_ACTION_CLEAR, 0, why);
	seat_act(actions, SEAT_ACTION_REPORT, 0, SEAT_WHY_NONE);
	if (steers)
		seat_steer(actions, SEAT_STEER_OFF);
	seat->forgets = true;
	seat_act(actions, SEAT_ACTION_RESIGN, 0, why);
	seat_act(actions, SEAT_ACTION_PERSIST, 0, SEAT_WHY_NONE);
}

/* In `fence` only an explicit word releases it, so that whoever lost it gives that word. */
void role_spend_aloud(struct seat *seat, const struct epoch *epoch)
{
	role_spend(seat, epoch);
	if (seat->config.exclusive && epoch_compare(epoch, &seat->disk.released) > 0)
		seat->disk.released = *epoch;
}

void role_fence(struct seat *seat, enum seat_why why, struct seat_actions *actions)
{
	role_spend_aloud(seat, &seat->epoch);
	role_leave(seat, SEAT_FENCED, why, actions);
}

void role_release(struct seat *seat, const struct epoch *epoch, enum seat_why why, int64_t now_ms,
	struct seat_actions *actions)
{
	bool news = epoch_compare(epoch, &seat->disk.released) > 0;

	role_spend(seat, epoch);
	if (news)
		seat->disk.released = *epoch;
	if (seat->role == SEAT_HOSTING && why == SEAT_WHY_NONE) {
		move_relay(seat, now_ms, actions);
		return;
	}
	if (seat_role_serves(seat->role)) {
		role_leave(seat, SEAT_STANDBY, why, actions);
		return;
	}
	if (!news && seat->role != SEAT_FENCED)
		return;
	if (seat_holds(seat)) { /* a guest, or one that relays: it serves nothing that it could release */
		seat_act(actions, SEAT_ACTION_PERSIST, 0, SEAT_WHY_NONE);
		return;
	}
	seat->role = SEAT_STANDBY;
	seat->why = SEAT_WHY_NONE;
	seat_act(actions, SEAT_ACTION_REPORT, 0, SEAT_WHY_NONE);
	seat_act(actions, SEAT_ACTION_PERSIST, 0, SEAT_WHY_NONE);
}

int64_t role_lease_from_ms(const struct seat *seat, const struct epoch *epoch, int64_t now_ms)
{
	return seat->config.exclusive ? exclusive_from_ms(seat, epoch, now_ms) : evidence_ms(seat, now_ms);
}

uint32_t role_permit_ms(const struct seat *seat, const struct epoch *epoch, int64_t now_ms)
{
	return (uint32_t)(role_lease_from_ms(seat, epoch, now_ms) + seat->config.lease_ms - now_ms);
}

void role_raise(struct seat *seat, const struct order *order, struct seat_actions *actions)
{
	seat->order = *order;
	seat->epoch = order->epoch;
	seat->disk.highest = order->epoch;
	seat->disk.served = order->epoch;
	seat->highest_is_other = false;
	seat->higher_ms = SEAT_NEVER;
	seat->alarmed = false;
	seat_act(actions, SEAT_ACTION_REPORT, 0, SEAT_WHY_NONE);
	seat_act(actions, SEAT_ACTION_PERSIST, 0, SEAT_WHY_NONE);
}

/* Nothing of it is here yet. */
static void take_all(uint32_t timeout_ms, struct seat_actions *actions)
{
	seat_permit(actions, SEAT_ACTION_ACQUIRE, timeout_ms, true);
	seat_act(actions, SEAT_ACTION_TAKE, 0, SEAT_WHY_NONE);
	seat_act(actions, SEAT_ACTION_ANNOUNCE, 0, SEAT_WHY_NONE);
}

/* A guest: all is in place but the right to claim it. What clients sent before they heard of their new session is on its
 * way for as long as a round trip, and comes here once the address has moved: its host, which relays, can read it. */
static void take_rest(uint32_t timeout_ms, struct seat_actions *actions)
{
	seat_steer(actions, SEAT_STEER_BACK);
	seat_permit(actions, SEAT_ACTION_CHANGE, timeout_ms, true);
	seat_act(actions, SEAT_ACTION_ANNOUNCE, 0, SEAT_WHY_NONE);
	seat_act(actions, SEAT_ACTION_WAKE, 0, SEAT_WHY_NONE);
}

/* The disk is written last and not waited for: should this host die before, then so has the permit; should the
 * agent die before, it finds a permit of an unknown epoch, and clears it. */
void role_take(struct seat *seat, const struct order *order, int64_t now_ms, struct seat_actions *actions)
{
	uint32_t timeout_ms = role_permit_ms(seat, &order->epoch, now_ms);

	bool was_guest = move_is_guest(seat);
	if (was_guest)
		take_rest(timeout_ms, actions);
	else
		take_all(timeout_ms, actions);
	seat->role = SEAT_SERVING;
	seat->why = SEAT_WHY_NONE;
	seat->open_until_ms = SEAT_NEVER;
	seat->steer_until_ms = was_guest ? now_ms + SEAT_RETURN_MS : SEAT_NEVER;
	seat->invited_ms = SEAT_NEVER;
	seat->permit_until_ms = now_ms + timeout_ms;
	seat->renewed_ms = now_ms;
	seat->taken_ms = now_ms;
	seat->announced = 1;
	role_raise(seat, order, actions);
}

static void adopt(struct seat *seat, uint32_t permit_left_ms, int64_t now_ms, struct seat_actions *actions)
{
	seat->role = SEAT_SERVING;
	seat->epoch = seat->disk.served;
	seat->permit_until_ms = now_ms + permit_left_ms;
	seat->renewed_ms = now_ms;
	seat->taken_ms = now_ms;
	seat->announced = SEAT_ANNOUNCE_COUNT;
	seat_act(actions, SEAT_ACTION_REPORT, 0, SEAT_WHY_NONE);
}

/* An agent that restarts adopts what the kernel holds, if it knows under which epoch, and extends it only once
 * it is qualified. Otherwise no epoch from before is ever served again. */
void role_start(
	struct seat *seat, const struct seat_event *event, int64_t now_ms, struct seat_actions *actions)
{
	if (event->disk != NULL)
		seat->disk = *event->disk;
	seat->started = true;
	seat->unqualified_ms = now_ms;
	seat->spent = seat->disk.released;
	exclusive_start(seat, now_ms);
	bool served = !epoch_is_zero(&seat->disk.served);
	bool highest = epoch_compare(&seat->disk.served, &seat->disk.highest) >= 0;

	if (event->permit_left_ms > 0 && served && highest &&
		epoch_compare(&seat->disk.served, &seat->spent) > 0) {
		adopt(seat, event->permit_left_ms, now_ms, actions);
		return;
	}
	role_spend_aloud(seat, &seat->disk.highest);
	seat->epoch = seat->disk.served;
	if (served || event->permit_left_ms > 0)
		role_leave(seat, served && highest ? SEAT_FENCED : SEAT_STANDBY, SEAT_WHY_LEASE, actions);
	else
		seat_act(actions, SEAT_ACTION_REPORT, 0, SEAT_WHY_NONE);
}
