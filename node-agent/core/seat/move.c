/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/text.h"
#include "node-agent/core/seat/internal.h"

void seat_permit(
	struct seat_actions *actions, enum seat_action_kind kind, uint32_t timeout_ms, bool announces)
{
	seat_act(actions, kind, timeout_ms, SEAT_WHY_NONE);
	actions->items[actions->count - 1].announces = announces;
}

void seat_steer(struct seat_actions *actions, enum seat_steer steer)
{
	seat_act(actions, SEAT_ACTION_STEER, 0, SEAT_WHY_NONE);
	actions->items[actions->count - 1].steer = steer;
}

bool move_is_guest(const struct seat *seat)
{
	return seat->role == SEAT_GUEST || seat->role == SEAT_PULLED;
}

static void become(struct seat *seat, enum seat_role role, int64_t now_ms, struct seat_actions *actions)
{
	seat->role = role;
	seat->step_ms = now_ms;
	seat_act(actions, SEAT_ACTION_REPORT, 0, SEAT_WHY_NONE);
}

/* Steering first: what the guest's peers answer must find its way from the first packet on. */
static void host(struct seat *seat, const struct order *order, int64_t now_ms, struct seat_actions *actions)
{
	text_copy(seat->partner, sizeof(seat->partner), order->guest);
	seat->steer_until_ms = SEAT_NEVER;
	seat_steer(actions, SEAT_STEER_AWAY);
	become(seat, SEAT_HOSTING, now_ms, actions);
}

void move_invite(struct seat *seat, const struct order *order, int64_t now_ms, struct seat_actions *actions)
{
	bool owner = strcmp(order->owner, seat->config.gateway) == 0;
	bool guest = strcmp(order->guest, seat->config.gateway) == 0;

	if (owner && !guest && seat->role == SEAT_SERVING &&
		epoch_compare(&seat->epoch, &order->epoch) == 0 && seat->unqualified_ms == SEAT_NEVER)
		host(seat, order, now_ms, actions);
	if (!guest || owner ||
		(seat->role != SEAT_STANDBY && seat->role != SEAT_FENCED && seat->role != SEAT_RELAYING))
		return;
	text_copy(seat->partner, sizeof(seat->partner), order->owner);
	seat->hosted = order->epoch;
	seat->invited_ms = now_ms;
	seat->host_heard_ms = SEAT_NEVER; /* an earlier host's */
	seat->will = (struct order){.epoch = order->next};
	text_copy(seat->will.endpoint, sizeof(seat->will.endpoint), order->endpoint);
	text_copy(seat->will.owner, sizeof(seat->will.owner), order->guest);
	text_copy(seat->will.from, sizeof(seat->will.from), order->owner);
	text_copy(seat->will.cause, sizeof(seat->will.cause), order->cause);
}

/* Its sessions go; an invitation stays. */
static void end_relay(struct seat *seat, struct seat_actions *actions)
{
	int64_t invited_ms = seat->invited_ms;

	role_leave(seat, SEAT_STANDBY, SEAT_WHY_NONE, actions);
	seat->invited_ms = invited_ms;
}

/* Invited back so soon: what was sent to it before its clients heard of their new sessions may still be on its way. */
static bool lingers(const struct seat *seat, int64_t now_ms)
{
	return seat->role == SEAT_RELAYING && now_ms - seat->step_ms < SEAT_LINGER_MS;
}

/* By the owner's leave: its peers are woken, its addresses not claimed. */
static void be_guest(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	seat->invited_ms = SEAT_NEVER;
	seat->host_heard_ms = now_ms;
	seat->released_ms = SEAT_NEVER;
	seat->permit_until_ms = now_ms + SEAT_GUEST_MS;
	seat->renewed_ms = now_ms;
	seat->taken_ms = now_ms;
	seat->higher_ms = SEAT_NEVER;
	seat->announced = SEAT_ANNOUNCE_COUNT;
	seat_permit(actions, SEAT_ACTION_ACQUIRE, SEAT_GUEST_MS, false);
	seat_act(actions, SEAT_ACTION_TAKE, 0, SEAT_WHY_NONE);
	become(seat, SEAT_GUEST, now_ms, actions);
}

static bool is_invited(const struct seat *seat, int64_t now_ms)
{
	return seat->invited_ms != SEAT_NEVER && now_ms - seat->invited_ms < SEAT_INVITED_MS &&
	       seat->carrier && seat->fit && seat->below_ms == SEAT_NEVER && seat->floor.confirmed &&
	       seat->unqualified_ms == SEAT_NEVER && epoch_compare(&seat->hosted, &seat->disk.highest) >= 0;
}

static void be_asked_in(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	seat->host_heard_ms = now_ms;
	if (seat->role == SEAT_RELAYING)
		end_relay(seat, actions);
	if (!seat->forgets)
		be_guest(seat, now_ms, actions);
}

void move_forgotten(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	if (!seat_holds(seat) && is_invited(seat, now_ms) && seat->host_heard_ms != SEAT_NEVER &&
		now_ms - seat->host_heard_ms <= (int64_t)seat->config.timing.contact_ms)
		be_guest(seat, now_ms, actions);
}

static void hear_host(
	struct seat *seat, const struct seat_state *heard, int64_t now_ms, struct seat_actions *actions)
{
	bool hosts = heard->role == SEAT_HOSTING || heard->role == SEAT_RELAYING;

	if (hosts && epoch_compare(&heard->epoch, &seat->hosted) == 0) {
		if (move_is_guest(seat)) {
			seat->host_heard_ms = now_ms;
			if (heard->role == SEAT_RELAYING && seat->released_ms == SEAT_NEVER)
				seat->released_ms = now_ms;
		} else if (heard->role == SEAT_HOSTING && is_invited(seat, now_ms) &&
			   !lingers(seat, now_ms)) {
			be_asked_in(seat, now_ms, actions);
		}
	} else if (heard->role == SEAT_SERVING && move_is_guest(seat)) {
		seat_act(actions, SEAT_ACTION_REST, 0, SEAT_WHY_NONE); /* it takes them back */
	}
}

void move_hear(
	struct seat *seat, const struct seat_event *event, int64_t now_ms, struct seat_actions *actions)
{
	if (seat->role == SEAT_RELAYING && event->heard->role == SEAT_SERVING &&
		epoch_compare(&event->heard->epoch, &seat->epoch) > 0 && seat->successor_ms == SEAT_NEVER)
		seat->successor_ms = now_ms;
	if (event->proven && event->from != NULL && strcmp(event->from, seat->partner) == 0)
		hear_host(seat, event->heard, now_ms, actions);
}

/* It answers for the address no more, and goes on with all else until what is on its way has arrived. */
void move_relay(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	uint32_t timeout_ms = seat->permit_until_ms > now_ms ? (uint32_t)(seat->permit_until_ms - now_ms) : 1;

	seat->disk.served = (struct epoch){0};
	seat->announced = SEAT_ANNOUNCE_COUNT;
	seat->successor_ms = SEAT_NEVER;
	seat->higher_ms = SEAT_NEVER;
	seat_permit(actions, SEAT_ACTION_CHANGE, timeout_ms, false);
	become(seat, SEAT_RELAYING, now_ms, actions);
	seat_act(actions, SEAT_ACTION_PERSIST, 0, SEAT_WHY_NONE);
}

void move_unhost(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	seat->steer_until_ms = now_ms + SEAT_RETURN_MS;
	seat_steer(actions, SEAT_STEER_BACK);
	become(seat, SEAT_SERVING, now_ms, actions);
	seat_act(actions, SEAT_ACTION_WAKE, 0, SEAT_WHY_NONE);
}

void move_pulled(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	if (seat->role != SEAT_GUEST)
		return;
	become(seat, SEAT_PULLED, now_ms, actions);
}

static int64_t settled_ms(const struct seat *seat)
{
	int64_t latest_ms = seat->step_ms + SEAT_RELAY_MS;

	if (seat->successor_ms == SEAT_NEVER || seat->successor_ms + SEAT_SETTLE_MS > latest_ms)
		return latest_ms;
	return seat->successor_ms + SEAT_SETTLE_MS;
}

/* Nobody is known of who came in between: a move that was called off, a successor. In `fence` nobody would promise it leave, see
 * rule 7: it waits for a controller. */
static bool is_heir(const struct seat *seat)
{
	return !seat->config.exclusive && move_is_guest(seat) && seat->released_ms != SEAT_NEVER &&
	       !epoch_is_zero(&seat->will.epoch) &&
	       (epoch_compare(&seat->disk.highest, &seat->hosted) <= 0 ||
		       epoch_compare(&seat->disk.highest, &seat->will.epoch) == 0);
}

static int64_t heir_ms(const struct seat *seat)
{
	return is_heir(seat) ? seat->released_ms + SEAT_HEIR_MS : INT64_MAX;
}

/* The controller was to order it a moment after its host had released, and has died, it seems. Once: what is refused now is not
 * tried again. */
static void inherit(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	struct order order = seat->will;

	if (now_ms < heir_ms(seat))
		return;
	seat->will.epoch = (struct epoch){0};
	order_take_own(seat, &order, now_ms, actions);
}

static int64_t step_deadline(const struct seat *seat)
{
	switch (seat->role) {
	case SEAT_SERVING:
		return seat->steer_until_ms == SEAT_NEVER ? INT64_MAX : seat->steer_until_ms;
	case SEAT_HOSTING:
		return seat->step_ms + SEAT_HOST_MS;
	case SEAT_RELAYING:
		return settled_ms(seat);
	case SEAT_GUEST:
		return seat->step_ms + SEAT_PULL_MS;
	case SEAT_PULLED:
	case SEAT_STANDBY:
	case SEAT_FENCED:
		return INT64_MAX;
	}
	return INT64_MAX;
}

int64_t move_deadline(const struct seat *seat)
{
	int64_t step_ms = step_deadline(seat), by_will_ms = heir_ms(seat);

	return step_ms < by_will_ms ? step_ms : by_will_ms;
}

void move_step(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	inherit(seat, now_ms, actions);
	if (now_ms < step_deadline(seat))
		return;
	if (seat->role == SEAT_SERVING) {
		seat->steer_until_ms = SEAT_NEVER;
		seat_steer(actions, SEAT_STEER_OFF);
	} else if (seat->role == SEAT_HOSTING) {
		move_unhost(seat, now_ms, actions);
	} else if (seat->role == SEAT_RELAYING) {
		end_relay(seat, actions);
	} else {
		move_pulled(seat, now_ms, actions); /* whoever is not back is woken on */
	}
}
