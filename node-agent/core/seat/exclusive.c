/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/text.h"
#include "common/cluster/lease.h"
#include "common/cluster/terms.h"
#include "node-agent/core/seat/internal.h"

/* `isolation: fence`: an order alone lets nobody serve. Whoever has got one asks for leave, and takes the endpoint with
 * the first that comes; an owner asks for as long as it serves. In `hold`, too, an order waits here for sessions to be forgotten. */

static bool awaits(const struct seat *seat)
{
	return !epoch_is_zero(&seat->awaited.epoch);
}

static bool claims(const struct seat *seat)
{
	return seat->config.exclusive && (awaits(seat) || seat_role_serves(seat->role));
}

/* Leave that it could not use yet would only keep others waiting for it to run out. */
static bool asks(const struct seat *seat)
{
	return claims(seat) && !(awaits(seat) && seat->forgets);
}

static uint64_t terms_of(const struct seat_config *config)
{
	uint64_t terms = terms_add_member(terms_of_lease(config->lease_ms), config->gateway);

	for (size_t i = 0; i < config->other_count; i++)
		terms = terms_add_member(terms, config->others[i]);
	return terms;
}

void exclusive_configure(struct seat *seat, int64_t now_ms)
{
	uint64_t terms = terms_of(&seat->config);

	tenure_set_pool(&seat->tenure, seat->config.others, seat->config.other_count);
	if (terms == seat->terms)
		return;
	seat->terms = terms;
	tenure_forget(&seat->tenure, now_ms);
	seat->claimed_ms = SEAT_NEVER; /* asked anew at once */
}

void seat_claim_fill(const struct seat *seat, struct claim *ret_claim)
{
	*ret_claim = (struct claim){
		.epoch = awaits(seat) ? seat->awaited.epoch : seat->epoch,
		.serves = !awaits(seat),
		.terms = seat->terms,
	};
	text_copy(ret_claim->endpoint, sizeof(ret_claim->endpoint), seat->config.endpoint);
	text_copy(ret_claim->gateway, sizeof(ret_claim->gateway), seat->config.gateway);
}

void exclusive_start(struct seat *seat, int64_t now_ms)
{
	/* What it promised before is forgotten, and binds it all the same. */
	if (seat->config.other_count > 0)
		seat->bound_until_ms = now_ms + lease_outlast_ms(seat->config.lease_ms);
	tenure_forget(&seat->tenure, now_ms);
}

void exclusive_await(struct seat *seat, const struct order *order)
{
	seat->awaited = *order;
	seat->awaited_in_fence = seat->config.exclusive;
	seat->claimed_ms = SEAT_NEVER;
}

void exclusive_forgo(struct seat *seat)
{
	seat->awaited.epoch = (struct epoch){0};
}

bool exclusive_awaits(const struct seat *seat, const struct epoch *epoch)
{
	return awaits(seat) && epoch_compare(&seat->awaited.epoch, epoch) == 0;
}

int64_t exclusive_from_ms(const struct seat *seat, const struct epoch *epoch, int64_t now_ms)
{
	return seat->carrier ? tenure_from_ms(&seat->tenure, epoch, now_ms) : SEAT_NEVER;
}

static bool is_superseded(const struct seat *seat)
{
	return seat->highest_is_other || epoch_compare(&seat->disk.highest, &seat->awaited.epoch) > 0 ||
	       epoch_compare(&seat->spent, &seat->awaited.epoch) >= 0;
}

/* What it may have promised before it started counts in `fence` only. */
static bool is_bound(const struct seat *seat, int64_t now_ms)
{
	return (seat->config.exclusive || seat->awaited_in_fence) && now_ms < seat->bound_until_ms;
}

/* As for an order's evidence in `hold`: what is left of the lease must be worth taking. An endpoint that has become one of
 * `hold` since is taken with the order. */
static bool has_leave(const struct seat *seat, int64_t now_ms)
{
	if (!seat->config.exclusive)
		return true;
	int64_t from_ms = exclusive_from_ms(seat, &seat->awaited.epoch, now_ms);

	return from_ms != SEAT_NEVER && now_ms - from_ms < (int64_t)seat->config.lease_ms * 3 / 4;
}

/* One that relays has sessions that the clients have left. */
static bool has_forgotten(struct seat *seat, struct seat_actions *actions)
{
	if (seat->role == SEAT_RELAYING)
		role_leave(seat, SEAT_STANDBY, SEAT_WHY_NONE, actions);
	return !seat->forgets;
}

static void take_when_granted(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	struct order order = seat->awaited;
	enum seat_why why = order_check_state(seat, now_ms);

	if (is_superseded(seat)) {
		exclusive_forgo(seat);
	} else if (why != SEAT_WHY_NONE) {
		exclusive_forgo(seat);
		order_burn(seat, &order.epoch, why, actions);
	} else if (!is_bound(seat, now_ms) && has_leave(seat, now_ms) && has_forgotten(seat, actions)) {
		exclusive_forgo(seat);
		role_take(seat, &order, now_ms, actions);
	}
}

static int64_t next_claim_ms(const struct seat *seat)
{
	int64_t gap_ms = awaits(seat) ? SEAT_CLAIM_URGENT_MS : (int64_t)seat->config.timing.interval_ms;

	return seat->claimed_ms == SEAT_NEVER ? SEAT_NEVER : seat->claimed_ms + gap_ms;
}

/* The pool is asked, too, when the controller has not answered for as long as contact lasts. */
static void claim_when_due(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	int64_t contact_ms = seat->config.timing.contact_ms;
	int64_t granted_ms = seat->tenure.granted_ms;

	if (!asks(seat) || now_ms < next_claim_ms(seat))
		return;
	seat->claimed_ms = now_ms;
	seat_act(actions, SEAT_ACTION_CLAIM, 0, SEAT_WHY_NONE);
	actions->items[actions->count - 1].widely =
		awaits(seat) || granted_ms == TENURE_NEVER || now_ms - granted_ms > contact_ms;
}

void exclusive_step(struct seat *seat, int64_t now_ms, struct seat_actions *actions)
{
	if (awaits(seat))
		take_when_granted(seat, now_ms, actions);
	claim_when_due(seat, now_ms, actions);
}

int64_t exclusive_deadline(const struct seat *seat)
{
	if (awaits(seat) && !seat->config.exclusive)
		return seat->forgets ? INT64_MAX
				     : seat->bound_until_ms; /* as soon as what it promised is over */
	return asks(seat) ? next_claim_ms(seat) : INT64_MAX;
}

/* A promise binds for a lease: not for a few datagrams that were lost. */
static bool has_controller(const struct seat *seat, int64_t contact_ms, int64_t now_ms)
{
	return contact_ms != SEAT_NEVER && now_ms - contact_ms <= 2 * (int64_t)seat->config.timing.contact_ms;
}

/* Rule 7. Nobody is promised anything who is not serving already: a failover waits for a controller. */
void exclusive_promise(
	struct seat *seat, const struct seat_event *event, int64_t now_ms, struct seat_actions *actions)
{
	const struct claim *claim = event->claim;

	if (!seat->config.exclusive || !seat->started || !claim->serves || claims(seat) ||
		claim->terms != seat->terms || has_controller(seat, event->at_ms, now_ms) ||
		epoch_compare(&claim->epoch, &seat->disk.highest) < 0)
		return;
	seat->bound_until_ms = now_ms + lease_outlast_ms(seat->config.lease_ms);
	seat_act(actions, SEAT_ACTION_PROMISE, 0, SEAT_WHY_NONE);
}
