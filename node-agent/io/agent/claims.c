/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/io/clock.h"
#include "common/io/log.h"
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

static void drop(struct agent *agent, enum answer_fault fault, const char *partner, const struct claim *claim)
{
	const char *why = answer_fault_name(fault);

	agent->claims.dropped[fault]++;
	log_limited(LEVEL_WARNING, "seat", "leave-dropped", why, log_text("why", why),
		log_text("from", partner), log_text("endpoint", claim->endpoint));
}

static struct asker asker_of(const struct agent_seat *seat)
{
	const struct desired *desired = seat->agent->held.desired;

	return (struct asker){.boot = seat->agent->boot,
		.terms = seat->seat.terms,
		.lease_ms = seat->seat.config.lease_ms,
		.store = desired->store,
		.grant_key = desired->grant_key};
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

static void take_grant(
	struct agent *agent, struct agent_seat *seat, const char *partner, const struct grant *grant)
{
	struct asker asker = asker_of(seat);
	enum answer_fault fault = answer_check_grant(&asker, grant, clock_now_us());

	if (fault != ANSWER_GOOD) {
		drop(agent, fault, partner, &grant->claim);
		return;
	}
	agent->claims.granted++;
	answer(seat, SEAT_EVENT_GRANT, partner, &grant->claim);
}

/* For another member of the pool. It goes on unseen: it is signed, and that one looks. */
static void pass_grant_on(struct agent *agent, const struct agent_seat *seat, const struct datagram *datagram)
{
	const char *to = datagram->grant.claim.gateway;
	struct datagram copy = *datagram;

	if (!datagram->head.from_controller || !agent_seat_has_member(seat, to))
		return;
	agent->claims.relayed++;
	pass(agent, to, &copy);
}

static void take_promise(
	struct agent *agent, struct agent_seat *seat, const char *partner, const struct claim *claim)
{
	struct asker asker = asker_of(seat);
	enum answer_fault fault = answer_check_promise(&asker, claim, clock_now_us());

	if (fault != ANSWER_GOOD)
		drop(agent, fault, partner, claim);
	else
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
	bool own = !strcmp(claim->gateway, agent->config->gateway);
	if (grant && own)
		take_grant(agent, seat, partner, &datagram->grant);
	else if (grant)
		pass_grant_on(agent, seat, datagram);
	else if (!agent_seat_has_member(seat, partner))
		return;
	else if (datagram->head.kind == DATAGRAM_PROMISE && own)
		take_promise(agent, seat, partner, claim);
	else if (datagram->head.kind == DATAGRAM_PROMISE)
		return;
	else if (receipt->proven) /* an old one that is sent again must bind nobody */
		take_claim(agent, seat, partner, datagram);
}
