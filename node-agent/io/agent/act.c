/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"

/* Not from when it was decided: the permit would outlive the lease by what was done in between. */
static int64_t permit_ms(const struct agent_seat *seat)
{
	return seat_permit_ms(&seat->seat, clock_now_ms());
}

static int acquire(struct agent_seat *seat, bool announces)
{
	struct nft *nft = reconcile_nft(seat->agent->reconcile);
	int r;

	flows_settle(seat);
	seat->permit.announces = announces;
	r = nft_permit_acquire(nft, &seat->permit, permit_ms(seat));
	if (r == -ESTALE) { /* somebody flushed the fence: first that, closed */
		r = agent_restore_fence(seat->agent);
		if (r >= 0)
			r = nft_permit_acquire(nft, &seat->permit, permit_ms(seat));
	}
	if (r == -EEXIST) {
		nft_permit_release(nft, &seat->permit);
		r = nft_permit_acquire(nft, &seat->permit, permit_ms(seat));
	}
	return r;
}

static int renew_once(struct agent_seat *seat)
{
	int r = nft_permit_renew(reconcile_nft(seat->agent->reconcile), &seat->permit, permit_ms(seat));

	if (r == -ESTALE) /* the fence was flushed; what it is made of anew holds our permits */
		r = agent_restore_fence(seat->agent);
	return r;
}

/* The addresses live as long as the lease, rounded up to a second (valid_lft), and are renewed with it. Left to the look
 * that is about to come, should it put one back: then it is a repair and told as one. */
static void renew_addresses(struct agent_seat *seat)
{
	struct agent *agent = seat->agent;
	int64_t now_ms = clock_now_ms();
	struct plan_world served = {0};
	struct err err = {0};

	if (agent->look_is_near && now_ms - seat->addresses_ms < seat->seat.config.lease_ms / 2)
		return;
	seat->addresses_ms = now_ms;
	plan_endpoint_served(&served, agent_seat_endpoint(seat), reconcile_observed(agent->reconcile),
		!agent_seat_serves(seat));
	served.route_count = 0; /* routes go with their addresses, or lead nowhere without */
	if (reconcile_served(agent->reconcile, &served, true, &err) < 0)
		log_limited(LEVEL_WARNING, "seat", "addresses-not-renewed", seat->seat.config.endpoint,
			log_text("endpoint", seat->seat.config.endpoint), log_err(&err));
	plan_world_clear(&served);
}

/* The kernel tells of a lost carrier from a work queue, up to a second late; asked, it knows at once. */
static bool carrier_is_lost(struct agent_seat *seat)
{
	struct seat_event event = {.kind = SEAT_EVENT_CARRIER};

	if (!seat->seat.carrier || agent_has_carrier(seat->agent, agent_seat_endpoint(seat)->dial_interface))
		return false;
	agent_seat_step(seat, &event);
	return true;
}

static int renew(struct agent_seat *seat)
{
	struct seat_event lost = {.kind = SEAT_EVENT_PERMIT_LOST};
	int r;

	if (carrier_is_lost(seat))
		return -ECANCELED;
	r = renew_once(seat);
	if (r < 0 && r != -ENOENT)
		r = renew_once(seat);
	if (r >= 0) {
		renew_addresses(seat);
		return 0;
	}
	log_warning("seat", "permit-lost", log_text("endpoint", seat->seat.config.endpoint), log_errno(r));
	agent_seat_step(seat, &lost);
	return -ECANCELED; /* the rest of the list is void */
}

/* The IPv6 addresses are on the interfaces only of who claims them: see struct plan_facts. */
static void claim_addresses(struct agent_seat *seat, bool claims)
{
	struct agent *agent = seat->agent;
	struct plan_world served = {0};
	struct err err = {0};
	size_t kept = 0;

	plan_endpoint_served(&served, agent_seat_endpoint(seat), reconcile_observed(agent->reconcile), false);
	for (size_t i = 0; i < served.address_count; i++)
		if (served.addresses[i].prefix.addr.family == AF_INET6)
			served.addresses[kept++] = served.addresses[i];
	served.address_count = kept;
	served.route_count = 0;
	if (kept && reconcile_served(agent->reconcile, &served, claims, &err) < 0)
		log_error("seat", "addresses-not-changed", log_text("endpoint", seat->seat.config.endpoint),
			log_err(&err));
	plan_world_clear(&served);
}

/* What it may do changes in one step; what it does goes on. */
static int change(struct agent_seat *seat, bool announces)
{
	struct seat_event lost = {.kind = SEAT_EVENT_PERMIT_LOST};
	struct fw_permit to = seat->permit;
	int r;

	to.announces = announces;
	r = nft_permit_change(reconcile_nft(seat->agent->reconcile), &seat->permit, &to, permit_ms(seat));
	if (r == -ENOENT || r == -ESTALE) { /* it ran out, or was flushed: from nothing, then */
		nft_permit_release(reconcile_nft(seat->agent->reconcile), &seat->permit);
		r = acquire(seat, announces);
	}
	if (r >= 0) {
		seat->permit = to;
		claim_addresses(seat, announces);
		return 0;
	}
	log_warning(
		"seat", "permit-not-changed", log_text("endpoint", seat->seat.config.endpoint), log_errno(r));
	agent_seat_step(seat, &lost);
	return -ECANCELED;
}

static int steer(struct agent_seat *seat, enum seat_steer steering)
{
	struct seat_event cannot = {.kind = SEAT_EVENT_NO_STEERING};

	if (steering_set(seat, steering) < 0 && steering == SEAT_STEER_AWAY) {
		agent_seat_step(seat, &cannot);
		return -ECANCELED;
	}
	if (steering == SEAT_STEER_AWAY)
		flows_loosen(seat);
	return 0;
}

/* Should it fail, the lease runs out all the same: nobody renews it any more. But until then nobody may be told that it is
 * released. */
static void clear(struct agent_seat *seat)
{
	struct seat_event open = {.kind = SEAT_EVENT_NOT_CLEARED, .up = seat->permit.announces};
	struct nft *nft = reconcile_nft(seat->agent->reconcile);
	int r = nft_permit_release(nft, &seat->permit);

	if (r < 0)
		r = nft_permit_release(nft, &seat->permit);
	if (r >= 0)
		return;
	log_error(
		"seat", "permit-not-cleared", log_text("endpoint", seat->seat.config.endpoint), log_errno(r));
	agent_seat_step(seat, &open);
}

static int take(struct agent_seat *seat)
{
	struct agent *agent = seat->agent;
	struct plan_world served = {0};
	struct err err = {0};
	int r;

	plan_endpoint_served(&served, agent_seat_endpoint(seat), reconcile_observed(agent->reconcile),
		!agent_seat_serves(seat));
	r = reconcile_served(agent->reconcile, &served, true, &err);
	plan_world_clear(&served);
	if (r < 0)
		log_error("seat", "take-failed", log_text("endpoint", seat->seat.config.endpoint),
			log_err(&err));
	else
		seat->wake_wanted = true;
	return r;
}

static void resign(struct agent_seat *seat)
{
	struct agent *agent = seat->agent;
	struct plan_world served = {0};
	struct err err = {0};

	takeover_end(seat);
	seat->wake_wanted = seat->rest_wanted = seat->pulled = false;
	plan_endpoint_served(&served, agent_seat_endpoint(seat), reconcile_observed(agent->reconcile), false);
	if (reconcile_served(agent->reconcile, &served, false, &err) < 0)
		log_error("seat", "resign-failed", log_text("endpoint", seat->seat.config.endpoint),
			log_err(&err));
	plan_world_clear(&served);
	seat->forgotten_wanted = forgetting_begin(seat);
	agent->sessions_told = agent->sessions_sent = false;
	agent_look_soon(agent); /* routes and IPv6 addresses of the tunnels went with the links */
}

void agent_seat_vacate(struct agent_seat *seat)
{
	clear(seat);
	if (seat->steering != SEAT_STEER_OFF)
		steering_set(seat, SEAT_STEER_OFF);
	if (seat_holds(&seat->seat))
		resign(seat);
	forgetting_finish(seat);
}

static void announce_one(struct agent *agent, const char *interface, const struct addr *address)
{
	int r = announce_send(agent->announce, interface, address, true);
	char text[ADDR_TEXT_MAX];

	if (r < 0)
		log_limited(LEVEL_WARNING, "seat", "announce-failed", interface,
			log_text("interface", interface),
			log_text("address", addr_format(address, text, sizeof(text))), log_errno(r));
}

static void announce_all(struct agent_seat *seat)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(seat);

	if (clock_now_ms() >= seat->seat.permit_until_ms)
		return; /* packet sockets pass the fence by: never without a lease */
	for (size_t i = 0; i < endpoint->dial_count; i++)
		announce_one(seat->agent, endpoint->dial_interface, &endpoint->dial[i]);
	for (size_t i = 0; i < endpoint->inside_count; i++)
		announce_one(seat->agent, endpoint->inside[i].interface, &endpoint->inside[i].address.addr);
	if (epoch_compare(&seat->announced, &seat->seat.epoch)) {
		seat->announced = seat->seat.epoch;
		moments_done(seat, MOMENT_ANNOUNCED);
	}
	witness_ask_next_hops(seat);
}

static void report(struct agent_seat *seat)
{
	struct agent *agent = seat->agent;
	char epoch[EPOCH_TEXT_MAX];

	moments_note(seat, MOMENT_ROLE, "", "%s%s%s", seat_role_name(seat->seat.role),
		seat->seat.role == SEAT_FENCED ? ": " : "",
		seat->seat.role == SEAT_FENCED ? seat_why_text(seat->seat.why) : "");
	journal_add(&agent->journal, "seat", seat->seat.config.endpoint, "%s, epoch %s%s%s",
		seat_role_name(seat->seat.role), epoch_format(&seat->seat.epoch, epoch),
		seat->seat.role == SEAT_FENCED ? ": " : "",
		seat->seat.role == SEAT_FENCED ? seat_why_text(seat->seat.why) : "");
	if (agent->liveness)
		liveness_beat_now(agent->liveness);
	holding_seat_changed(agent);
	standing_begin(agent);
	control_report_now(agent->control);
}

static void refused(struct agent_seat *seat, const struct seat_action *action)
{
	journal_add(&seat->agent->journal, action->kind == SEAT_ACTION_ALARM ? "two-owners" : "order-refused",
		seat->seat.config.endpoint, "%s", seat_why_text(action->why));
}

static int note(struct agent_seat *seat, enum moment_kind kind, int r)
{
	if (r >= 0)
		moments_done(seat, kind);
	return r;
}

static int act(struct agent_seat *seat, const struct seat_action *action)
{
	switch (action->kind) {
	case SEAT_ACTION_ACQUIRE:
		return note(seat, MOMENT_PERMIT, acquire(seat, action->announces));
	case SEAT_ACTION_RENEW:
		return renew(seat);
	case SEAT_ACTION_CLEAR:
		clear(seat);
		return 0;
	case SEAT_ACTION_TAKE:
		return note(seat, MOMENT_ADDRESS, take(seat));
	case SEAT_ACTION_ANNOUNCE:
		announce_all(seat);
		return 0;
	case SEAT_ACTION_RESIGN:
		resign(seat);
		return 0;
	case SEAT_ACTION_PERSIST:
		agent_save_seats(seat->agent);
		return 0;
	case SEAT_ACTION_REPORT:
		report(seat);
		return 0;
	case SEAT_ACTION_WITNESS:
		witness_ask(seat);
		return 0;
	case SEAT_ACTION_CHANGE:
		return change(seat, action->announces);
	case SEAT_ACTION_STEER:
		return steer(seat, action->steer);
	case SEAT_ACTION_WAKE:
		seat->rest_wanted = true;
		return 0;
	case SEAT_ACTION_REST:
		takeover_end(seat);
		agent_look_soon(seat->agent);
		return 0;
	case SEAT_ACTION_REFUSED:
	case SEAT_ACTION_ALARM:
		refused(seat, action);
		return 0;
	case SEAT_ACTION_CLAIM:
		claims_ask(seat, action->widely);
		return 0;
	case SEAT_ACTION_PROMISE:
		claims_promise(seat);
		return 0;
	}
	return 0;
}

void agent_seat_act(struct agent_seat *seat, const struct seat_actions *actions)
{
	struct seat_event failed = {.kind = SEAT_EVENT_FAILED};
	struct seat_event forgotten = {.kind = SEAT_EVENT_FORGOTTEN};
	int r = 0;

	for (size_t i = 0; i < actions->count && r >= 0; i++)
		r = act(seat, &actions->items[i]);
	if (r < 0 && r != -ECANCELED) {
		log_error("seat", "action-failed", log_text("endpoint", seat->seat.config.endpoint),
			log_errno(r));
		agent_seat_step(seat, &failed);
		return;
	}
	if (seat->forgotten_wanted) {
		seat->forgotten_wanted = false;
		agent_seat_step(seat, &forgotten);
	}
	if (seat->wake_wanted) {
		seat->wake_wanted = false;
		takeover_start(seat);
	}
	if (seat->rest_wanted) {
		seat->rest_wanted = false;
		takeover_go_on(seat);
	}
}
