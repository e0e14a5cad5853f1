/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/signature.h"
#include "node-agent/io/agent/agent_int.h"

/*
 * `isolation: fence` on the wire: claims of this gateway's own seats, grants and promises that answer them, and what is
 * passed on for others. A member that hears a controller passes claims on to it, and grants back; one that hears none
 * may promise. What is passed on goes one step: from the gateway that asks, and to it.
 */

struct asked {
	const char *by; /* the member that it came from */
	const struct claim *claim;
};

static void pass(struct agent *agent, const char *to, struct datagram *datagram)
{
	if (agent->liveness)
		liveness_send(agent->liveness, to, datagram);
}

static void send_to_controllers(struct agent *agent, struct datagram *datagram)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; i < desired->partner_count; i++)
		if (desired->partners[i].is_controller)
			pass(agent, desired->partners[i].name, datagram);
}

void claims_ask(struct agent_seat *seat, bool widely)
{
	const struct seat_config *config = &seat->seat.config;
	struct datagram datagram = {.head.kind = DATAGRAM_CLAIM};

	seat_claim_fill(&seat->seat, &datagram.claim);
	datagram.claim.nonce = (struct nonce){.boot = seat->agent->boot, .time_us = (uint64_t)clock_now_us()};
	seat->agent->claims.claimed++;
	send_to_controllers(seat->agent, &datagram);
	for (size_t i = 0; widely && i < config->other_count; i++)
		pass(seat->agent, config->others[i], &datagram);
}

void claims_promise(const struct agent_seat *seat)
{
	struct datagram datagram = {.head.kind = DATAGRAM_PROMISE};

	if (!seat->asked)
		return;
	datagram.claim = *seat->asked->claim;
	seat->agent->claims.promised++;
	pass(seat->agent, seat->asked->by, &datagram);
}

/* By UDP, which is how grants come; a controller that answers over TLS only is no reason to promise, either. */
static bool hears_controller(const struct agent *agent)
{
	return agent->liveness && liveness_has_controller(agent->liveness);
}

static void take_claim(
	struct agent *agent, struct agent_seat *seat, const char *partner, const struct datagram *datagram)
{
	struct asked asked = {.by = partner, .claim = &datagram->claim};
	struct seat_event event = {
		.kind = SEAT_EVENT_CLAIM, .claim = &datagram->claim, .at_ms = agent->leader_ms};
	struct datagram copy = *datagram;

	if (strcmp(datagram->claim.gateway, partner) != 0)
		return; /* it was passed on once already */
	if (hears_controller(agent)) {
		agent->claims.relayed++;
		send_to_controllers(agent, &copy);
		return;
	}
	seat->asked = &asked;
	agent_seat_step(seat, &event);
	seat->asked = NULL;
}

static bool is_signed(const struct agent *agent, const struct grant *grant)
{
	const struct desired *desired = agent->held.desired;
	uint8_t text[GRANT_TEXT_MAX];
	int size = grant_text(desired->store, &grant->claim, text);

	return size > 0 && signature_check(&desired->grant_key, text, (size_t)size, grant->signature);
}

/* Asked in this life, and not so long ago that it could be worth nothing. */
static bool is_fresh(const struct agent_seat *seat, const struct claim *claim)
{
	int64_t now_us = clock_now_us();

	return claim->nonce.boot == seat->agent->boot && claim->nonce.time_us <= (uint64_t)now_us &&
	       (uint64_t)now_us - claim->nonce.time_us < (uint64_t)seat->seat.config.lease_ms * 1000;
}

static void drop(uint64_t *counter, const char *why, const char *partner, const struct claim *claim)
{
	(*counter)++;
	log_limited(LEVEL_WARNING, "seat", "leave-dropped", why, log_text("why", why),
		log_text("from", partner), log_text("endpoint", claim->endpoint));
}

static bool is_good(
	struct agent *agent, const struct agent_seat *seat, const char *partner, const struct claim *claim)
{
	if (claim->terms != seat->seat.terms) {
		drop(&agent->claims.foreign, "other-terms", partner, claim);
		return false;
	}
	if (!is_fresh(seat, claim)) {
		drop(&agent->claims.stale, "stale", partner, claim);
		return false;
	}
	return true;
}

static void answer(
	struct agent_seat *seat, enum seat_event_kind kind, const char *partner, const struct claim *claim)
{
	struct seat_event event = {.kind = kind,
		.from = partner,
		.claim = claim,
		.at_ms = (int64_t)(claim->nonce.time_us / 1000)};

	agent_seat_step(seat, &event);
}

/* One for another member of the pool goes on to it unseen: it is signed, and that one looks. */
static void take_grant(
	struct agent *agent, struct agent_seat *seat, const char *partner, const struct datagram *datagram)
{
	const struct claim *claim = &datagram->grant.claim;
	struct datagram copy = *datagram;

	if (strcmp(claim->gateway, agent->config->gateway) != 0) {
		if (!datagram->head.from_controller || !agent_seat_has_member(seat, claim->gateway))
			return;
		agent->claims.relayed++;
		pass(agent, claim->gateway, &copy);
	} else if (!is_good(agent, seat, partner, claim)) {
		return;
	} else if (!is_signed(agent, &datagram->grant)) {
		drop(&agent->claims.forged, "forged", partner, claim);
	} else {
		agent->claims.granted++;
		answer(seat, SEAT_EVENT_GRANT, partner, claim);
	}
}

static void take_promise(
	struct agent *agent, struct agent_seat *seat, const char *partner, const struct datagram *datagram)
{
	const struct claim *claim = &datagram->claim;

	if (strcmp(claim->gateway, agent->config->gateway) == 0 && is_good(agent, seat, partner, claim))
		answer(seat, SEAT_EVENT_PROMISE, partner, claim);
}

void claims_take(void *context, const char *partner, const struct datagram *datagram,
	const struct liveness_receipt *receipt)
{
	struct agent *agent = context;
	bool grant = datagram->head.kind == DATAGRAM_GRANT;
	const struct claim *claim = grant ? &datagram->grant.claim : &datagram->claim;
	struct agent_seat *seat = agent_seat_find(agent, claim->endpoint);

	if (!seat || !seat->seat.config.exclusive)
		return;
	if (grant)
		take_grant(agent, seat, partner, datagram);
	else if (!agent_seat_has_member(seat, partner))
		return;
	else if (datagram->head.kind == DATAGRAM_PROMISE)
		take_promise(agent, seat, partner, datagram);
	else if (receipt->proven) /* an old one that is sent again must bind nobody */
		take_claim(agent, seat, partner, datagram);
}
