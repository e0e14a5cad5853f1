/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/seat/seat.h"

#include "common/base/text.h"
#include "node-agent/core/seat/internal.h"

/* Announcements after TAKE: the first is often lost in a switch that is still learning. */
static const int64_t announce_ms[SEAT_ANNOUNCE_COUNT] = {0, 50, 150, 400, 1000};

void seat_init(struct seat *seat, const struct seat_config *config, int64_t now_ms)
{
	*seat = (struct seat){
		.config = *config,
		.role = SEAT_STANDBY,
		.contact_ms = SEAT_NEVER,
		.contact_heard_ms = SEAT_NEVER,
		.witness_ms = SEAT_NEVER,
		.probed_ms = SEAT_NEVER,
		.unqualified_ms = now_ms,
		.higher_ms = SEAT_NEVER,
		.below_ms = SEAT_NEVER,
		.permit_until_ms = SEAT_NEVER,
		.cleared_until_ms = SEAT_NEVER,
		.open_until_ms = SEAT_NEVER,
		.renewed_ms = SEAT_NEVER,
		.taken_ms = SEAT_NEVER,
		.invited_ms = SEAT_NEVER,
		.step_ms = SEAT_NEVER,
		.host_heard_ms = SEAT_NEVER,
		.released_ms = SEAT_NEVER,
		.successor_ms = SEAT_NEVER,
		.steer_until_ms = SEAT_NEVER,
		.claimed_ms = SEAT_NEVER,
		.bound_until_ms = SEAT_NEVER,
	};
	tenure_init(&seat->tenure, now_ms);
	exclusive_configure(seat, now_ms);
}

void seat_configure(struct seat *seat, const struct seat_config *config, int64_t now_ms)
{
	seat->config = *config;
	exclusive_configure(seat, now_ms);
}

/* What the next renewal would set, or SEAT_NEVER if nothing may be extended now. */
static int64_t extended_until_ms(const struct seat *seat, int64_t now_ms)
{
	int64_t from_ms = seat_role_serves(seat->role) ? role_lease_from_ms(seat, &seat->epoch, now_ms)
						       : evidence_ms(seat, now_ms);

	if (from_ms == SEAT_NEVER || seat->unqualified_ms != SEAT_NEVER)
		return SEAT_NEVER;
	int64_t until_ms =
		move_is_guest(seat) ? seat->host_heard_ms + SEAT_GUEST_MS : from_ms + seat->config.lease_ms;
	return until_ms > seat->permit_until_ms && until_ms > now_ms ? until_ms : SEAT_NEVER;
}

static int64_t renewal_ms(const struct seat *seat)
{
	int64_t whole_ms = move_is_guest(seat) ? SEAT_GUEST_MS : seat->config.lease_ms;

	return seat->renewed_ms + whole_ms / SEAT_RENEWALS;
}

static void renew(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	int64_t until_ms = extended_until_ms(seat, now_ms);

	if (now_ms < renewal_ms(seat) || until_ms == SEAT_NEVER)
		return;
	seat->permit_until_ms = until_ms;
	seat->renewed_ms = now_ms;
	seat_act(actions, SEAT_ACTION_RENEW, (uint32_t)(until_ms - now_ms), SEAT_WHY_NONE);
}

static int64_t next_announcement_ms(const struct seat *seat)
{
	if (seat->announced >= SEAT_ANNOUNCE_COUNT)
		return INT64_MAX;
	return seat->taken_ms + announce_ms[seat->announced];
}

static void announce(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	if (now_ms < next_announcement_ms(seat))
		return;
	while (now_ms >= next_announcement_ms(seat))
		seat->announced++;
	seat_act(actions, SEAT_ACTION_ANNOUNCE, 0, SEAT_WHY_NONE);
}

static int64_t higher_deadline(const struct seat *seat)
{
	return seat->higher_ms == SEAT_NEVER ? INT64_MAX : seat->higher_ms + SEAT_HIGHER_MS;
}

static void serve(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	if (now_ms >= seat->permit_until_ms) {
		role_fence(seat, SEAT_WHY_LEASE, actions);
	} else if (now_ms >= higher_deadline(seat)) {
		role_release(seat, &seat->epoch, SEAT_WHY_LOWER, now_ms, actions);
	} else if (now_ms >= evidence_deadline(seat)) {
		role_fence(seat, SEAT_WHY_WITNESS, actions);
	} else {
		announce(seat, now_ms, actions);
		renew(seat, now_ms, actions);
	}
}

/* Neither a guest nor one that relays is an owner: when its time is over there is nothing to tell. */
static void attend(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	if (now_ms >= seat->permit_until_ms)
		role_leave(seat, SEAT_STANDBY, SEAT_WHY_NONE, actions);
	else
		renew(seat, now_ms, actions);
}

static void probe_witness(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	if (now_ms < evidence_probe_ms(seat))
		return;
	seat->probed_ms = now_ms;
	seat_act(actions, SEAT_ACTION_WITNESS, 0, SEAT_WHY_NONE);
}

/* An owner says that it has fenced itself; anybody else only goes. */
static void give_up(struct seat *seat, enum seat_why why, struct seat_actions *actions)
{
	if (seat_role_serves(seat->role))
		role_fence(seat, why, actions);
	else if (seat_holds(seat))
		role_leave(seat, SEAT_STANDBY, why, actions);
}

static int64_t floor_deadline(const struct seat *seat)
{
	return seat->below_ms == SEAT_NEVER ? INT64_MAX : seat->below_ms + SEAT_FLOOR_MS;
}

bool seat_is_below_floor(const struct seat *seat, int64_t now_ms)
{
	return now_ms >= floor_deadline(seat);
}

/* What could not be taken away has run out by itself: now it may be said. */
static void close_at_last(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	if (seat->open_until_ms == SEAT_NEVER || now_ms < seat->open_until_ms)
		return;
	seat->open_until_ms = SEAT_NEVER;
	seat_act(actions, SEAT_ACTION_REPORT, 0, SEAT_WHY_NONE);
}

static void consider(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	close_at_last(seat, now_ms, actions);
	evidence_qualify(seat, now_ms);
	move_step(seat, now_ms, actions);
	exclusive_step(seat, now_ms, actions);
	if (seat_is_below_floor(seat, now_ms))
		give_up(seat, SEAT_WHY_FLOOR, actions);
	if (seat_role_serves(seat->role))
		serve(seat, now_ms, actions);
	else if (seat_holds(seat))
		attend(seat, now_ms, actions);
	probe_witness(seat, now_ms, actions);
}

static void note_later(int64_t *noted_ms, int64_t at_ms, int64_t now_ms)
{
	if (at_ms > *noted_ms && at_ms <= now_ms)
		*noted_ms = at_ms;
}

static void on_floor(struct seat *seat, const struct seat_event *event, int64_t now_ms)
{
	if (!floor_is_above(event->floor, event->generation))
		seat->below_ms = SEAT_NEVER;
	else if (!seat->floor_told)
		seat->below_ms = now_ms - SEAT_FLOOR_MS;
	else if (seat->below_ms == SEAT_NEVER)
		seat->below_ms = now_ms;
	seat->floor = *event->floor;
	seat->floor_told = true;
}

static void on_carrier(struct seat *seat, bool up, struct seat_actions *actions)
{
	seat->carrier = up;
	if (!up)
		give_up(seat, SEAT_WHY_CARRIER, actions);
}

static void on_event(
	struct seat *seat, const struct seat_event *event, int64_t now_ms, struct seat_actions *actions)
{
	switch (event->kind) {
	case SEAT_EVENT_TICK:
		return;
	case SEAT_EVENT_START:
		role_start(seat, event, now_ms, actions);
		return;
	case SEAT_EVENT_ORDER:
		order_take_in(seat, event->order, now_ms, actions);
		return;
	case SEAT_EVENT_HEARD:
		order_hear(seat, event, now_ms, actions);
		return;
	case SEAT_EVENT_CARRIER:
		on_carrier(seat, event->up, actions);
		return;
	case SEAT_EVENT_CONTACT:
		note_later(&seat->contact_ms, event->at_ms, now_ms);
		note_later(&seat->contact_heard_ms, now_ms, now_ms);
		return;
	case SEAT_EVENT_WITNESS:
		note_later(&seat->witness_ms, event->at_ms, now_ms);
		return;
	case SEAT_EVENT_STALLED:
		seat->unqualified_ms = now_ms;
		tenure_forget(&seat->tenure, now_ms);
		return;
	case SEAT_EVENT_PERMIT_LOST:
		give_up(seat, SEAT_WHY_LEASE, actions);
		return;
	case SEAT_EVENT_FAILED:
		give_up(seat, SEAT_WHY_FAILED, actions);
		return;
	case SEAT_EVENT_FIT:
		seat->fit = event->up;
		return;
	case SEAT_EVENT_PULLED:
		move_pulled(seat, now_ms, actions);
		return;
	case SEAT_EVENT_NO_STEERING:
		if (seat->role == SEAT_HOSTING)
			seat->role = SEAT_SERVING;
		return;
	case SEAT_EVENT_FLOOR:
		on_floor(seat, event, now_ms);
		return;
	case SEAT_EVENT_NOT_CLEARED:
		seat->open_until_ms = event->up ? seat->cleared_until_ms : SEAT_NEVER;
		return;
	case SEAT_EVENT_FORGOTTEN:
		seat->forgets = false;
		move_forgotten(seat, now_ms, actions);
		return;
	case SEAT_EVENT_GRANT:
		tenure_grant(&seat->tenure, &event->claim->epoch, event->at_ms, now_ms);
		return;
	case SEAT_EVENT_PROMISE:
		tenure_promise(&seat->tenure, event->from, &event->claim->epoch, event->at_ms, now_ms);
		return;
	case SEAT_EVENT_CLAIM:
		exclusive_promise(seat, event, now_ms, actions);
		return;
	}
}

void seat_step(
	struct seat *seat, const struct seat_event *event, int64_t now_ms, struct seat_actions *actions)
{
	on_event(seat, event, now_ms, actions);
	if (seat->started)
		consider(seat, now_ms, actions);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t seat_deadline(const struct seat *seat)
{
	int64_t deadline_ms = sooner(evidence_probe_ms(seat), exclusive_deadline(seat));

	if (!seat->started)
		return INT64_MAX;
	if (seat->open_until_ms != SEAT_NEVER)
		deadline_ms = sooner(deadline_ms, seat->open_until_ms);
	if (!seat_holds(seat))
		return deadline_ms;
	deadline_ms = sooner(deadline_ms, seat->permit_until_ms);
	deadline_ms = sooner(deadline_ms, move_deadline(seat));
	deadline_ms = sooner(deadline_ms, floor_deadline(seat));
	if (seat_role_serves(seat->role)) {
		deadline_ms = sooner(deadline_ms, higher_deadline(seat));
		deadline_ms = sooner(deadline_ms, evidence_deadline(seat));
		deadline_ms = sooner(deadline_ms, next_announcement_ms(seat));
	}
	if (seat->unqualified_ms != SEAT_NEVER)
		return sooner(deadline_ms, evidence_qualify_ms(seat));
	return extended_until_ms(seat, renewal_ms(seat)) == SEAT_NEVER
		       ? deadline_ms
		       : sooner(deadline_ms, renewal_ms(seat));
}

uint32_t seat_permit_ms(const struct seat *seat, int64_t now_ms)
{
	return seat->permit_until_ms > now_ms ? (uint32_t)(seat->permit_until_ms - now_ms) : 1;
}

void seat_state_fill(const struct seat *seat, int64_t now_ms, struct seat_state *ret_state)
{
	struct seat_state state = {
		.role = seat->role,
		.epoch = seat->epoch,
		.highest = seat->disk.highest,
		.released = seat->disk.released,
	};

	text_copy(state.endpoint, sizeof(state.endpoint), seat->config.endpoint);
	if (seat_holds(seat) && seat->permit_until_ms > now_ms)
		state.permit_left_ms = (uint32_t)(seat->permit_until_ms - now_ms);
	if (now_ms < seat->open_until_ms) { /* nobody may take it for released */
		state.role = SEAT_SERVING;
		state.released = (struct epoch){0};
		state.permit_left_ms = (uint32_t)(seat->open_until_ms - now_ms);
	}
	*ret_state = state;
}

bool seat_holds(const struct seat *seat)
{
	return seat->role != SEAT_STANDBY && seat->role != SEAT_FENCED;
}

const char *seat_why_text(enum seat_why why)
{
	switch (why) {
	case SEAT_WHY_NONE:
		return "told to release";
	case SEAT_WHY_CARRIER:
		return "no carrier";
	case SEAT_WHY_WITNESS:
		return "nobody answers on the underlay";
	case SEAT_WHY_LEASE:
		return "the lease ran out";
	case SEAT_WHY_FAILED:
		return "permit or addresses could not be set";
	case SEAT_WHY_UNFIT:
		return "not fit to serve";
	case SEAT_WHY_LOWER:
		return "a higher epoch is known";
	case SEAT_WHY_SPENT:
		return "that epoch was released, refused or lost before";
	case SEAT_WHY_EQUAL:
		return "that epoch has another owner already";
	case SEAT_WHY_FLOOR:
		return "what it holds is below the revocation floor";
	case SEAT_WHY_UNCONFIRMED:
		return "nobody has confirmed the revocation floor since it started";
	}
	return "unknown";
}
