/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/cluster/watchers.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/rtnl/route.h"

/* ---- what liveness tells the seats ---- */

static void fill(void *context, struct datagram_beat *beat)
{
	struct agent *agent = context;
	int64_t now_ms = clock_now_ms();

	beat->generation = agent->held.desired ? agent->held.desired->generation : 0;
	beat->leader_contact = agent_has_leader(agent);
	beat->lag_ms = liveness_counters(agent->liveness).lag_ms;
	beat->floor = agent->floor.known;
	beat->floor_confirmed = agent->floor.confirmed;
	beat->underlay_ok = true;
	for (size_t i = 0; i < agent->seat_count; i++) {
		seat_state_fill(&agent->seats[i]->seat, now_ms, &beat->seats[beat->seat_count++]);
		beat->underlay_ok &= seat_underlay_is_ok(&agent->seats[i]->seat, now_ms);
	}
}

static void on_beat(void *context, const char *partner, const struct datagram *datagram,
	const struct liveness_receipt *receipt)
{
	struct agent *agent = context;
	bool vouches = datagram->head.from_controller || datagram->beat.floor_confirmed;

	agent_floor_hear(agent, datagram->beat.floor, receipt->proven && vouches);
	if (receipt->proven && datagram->head.from_controller)
		agent_frozen_heard(agent, datagram->beat.frozen);
	for (size_t i = 0; i < datagram->beat.seat_count; i++) {
		struct agent_seat *seat = agent_seat_find(agent, datagram->beat.seats[i].endpoint);
		struct seat_event event = {.kind = SEAT_EVENT_HEARD,
			.from = partner,
			.heard = &datagram->beat.seats[i],
			.proven = receipt->proven};

		if (!seat || !agent_seat_has_member(seat, partner))
			continue;
		agent_seat_step(seat, &event);
		flows_heard(seat, partner, event.heard);
		if (!receipt->proven)
			continue;
		agent_hearsay_hear(seat, partner, event.heard);
		agent_succession_heard(seat, partner, &datagram->beat, &datagram->beat.seats[i]);
	}
}

static void on_heard(void *context, const char *partner, const struct liveness_receipt *receipt)
{
	struct agent *agent = context;
	struct seat_event event = {.kind = SEAT_EVENT_CONTACT, .at_ms = receipt->evidence_ms};

	if (receipt->proven &&
		!receipt->underlay) /* a controller: all others are reached over the underlay */
		agent_leader_heard(agent, receipt->received_ms);
	if (!receipt->proven || !receipt->underlay)
		return;
	for (size_t i = 0; i < agent->seat_count; i++) {
		if (!agent_seat_has_member(agent->seats[i], partner))
			continue;
		agent_seat_step(agent->seats[i], &event);
		agent_succession_step(
			agent->seats[i], (struct succession_event){.kind = SUCCESSION_EVENT_EVIDENCE,
						 .at_ms = receipt->evidence_ms});
	}
}

static void on_contact(void *context, const char *partner, const struct liveness_view *view)
{
	(void)context;
	log_info("liveness", "contact", log_text("partner", partner), log_bool("contact", view->contact_made),
		log_u64("rtt_us", view->rtt_us));
}

static void on_verdict(void *context, const char *partner, const struct liveness_view *view)
{
	struct agent *agent = context;

	for (size_t i = 0; i < agent->seat_count; i++)
		agent_succession_step(
			agent->seats[i], (struct succession_event){.kind = SUCCESSION_EVENT_VERDICT,
						 .from = partner,
						 .verdict = view->verdict,
						 .last_sign_ms = view->last_sign_ms});
	moments_verdict(agent, partner, view);
	journal_add(&agent->journal, "verdict", NULL, "%s is %s%s", partner, verdict_kind_name(view->verdict),
		view->blocked ? " (its liveness port is blocked)" : "");
}

static void on_silence(void *context, const char *partner, const struct datagram_silence *silence)
{
	moments_vote(context, partner, silence);
}

static void on_stalled(void *context, int64_t gap_ms)
{
	struct agent *agent = context;
	struct seat_event event = {.kind = SEAT_EVENT_STALLED};

	agent->stalls++;
	log_warning("agent", "stalled", log_i64("gap_ms", gap_ms));
	agent_seats_step(agent, &event);
	agent_successions_stalled(agent);
}

static void on_kernel_probe(void *context, const char *partner, const struct addr *address, uint32_t count)
{
	(void)partner;
	witness_ask_partner(context, address, count);
}

static const struct liveness_ops ops = {.fill = fill,
	.beat = on_beat,
	.unproven_beat = on_beat, /* an epoch, and a floor, is true whoever repeats it */
	.leave = claims_take,
	.heard = on_heard,
	.contact = on_contact,
	.verdict = on_verdict,
	.silence = on_silence,
	.stalled = on_stalled,
	.kernel_probe = on_kernel_probe};

/* ---- who the partners are ---- */

/* HOST of https://HOST:PORT, if it is numeric. */
static bool numeric_address(const char *url, struct addr *ret_addr)
{
	const char *host = url + strlen("https://"), *end;
	char text[ADDR_TEXT_MAX];

	if (*host == '[') {
		host++;
		end = strchr(host, ']');
	} else {
		end = strchr(host, ':');
	}
	if (!end)
		end = host + strlen(host);
	if ((size_t)(end - host) >= sizeof(text))
		return false;
	memcpy(text, host, (size_t)(end - host));
	text[end - host] = '\0';
	return addr_parse(text, ret_addr, NULL) >= 0;
}

/* A name's is the one that has answered over TLS: nobody waits for a resolver here. */
static bool controller_address(const struct agent *agent, struct addr *ret_addr)
{
	return numeric_address(control_url(agent->control), ret_addr) ||
	       control_address(agent->control, ret_addr);
}

/* From which own address packets to it leave. */
static bool local_towards(struct agent *agent, const struct addr *to, struct addr *ret_local)
{
	struct rtnl_route_query query = {.to = *to};
	struct rtnl_route route;

	if (rtnl_route_lookup(reconcile_rtnl(agent->reconcile), &query, &route, NULL) < 0 ||
		!addr_is_set(&route.src))
		return false;
	*ret_local = route.src;
	return true;
}

static void add_local(struct liveness_config *config, const struct addr *address, uint16_t port)
{
	struct liveness_local *local = &config->locals[config->local_count++];

	local->address = *address;
	local->port = port;
}

/* Own underlay addresses, the first of each family; and behind them the one that reaches the controller. */
static void add_underlay(struct liveness_config *config, const struct desired *desired)
{
	bool has[2] = {false, false};

	for (size_t i = 0; i < desired->address_count; i++) {
		bool *mine = &has[desired->addresses[i].family == AF_INET6];

		if (!*mine)
			add_local(config, &desired->addresses[i], LIVENESS_PORT);
		*mine = true;
	}
}

static void make_config(struct agent *agent, struct liveness_config *config)
{
	const struct desired *desired = agent->held.desired;
	struct addr controller, local;

	*config = (struct liveness_config){.boot = agent->boot,
		.store = desired->store,
		.timing = timing_from_interval(desired->liveness_ms)};
	text_copy(config->name, sizeof(config->name), agent->config->gateway);
	add_underlay(config, desired);
	agent->has_way_to_controller =
		controller_address(agent, &controller) && local_towards(agent, &controller, &local);
	if (agent->has_way_to_controller)
		add_local(config, &local, 0);
}

static void make_controller(struct agent *agent, struct liveness_partner *partner)
{
	size_t last = agent->liveness_config.local_count - 1;

	if (!agent->has_way_to_controller || !controller_address(agent, &partner->addresses[0]))
		return;
	partner->address_count = 1;
	config_controller_port(
		control_url(agent->control), &partner->port); /* which was read without a mistake */
	/* The local made for it is the last one, whatever its family. */
	partner->locals[0] = partner->locals[1] = last;
}

static bool watches(const struct agent *agent, const char *partner)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; i < desired->endpoint_count; i++)
		if (watchers_include(desired->endpoints[i].pool, desired->endpoints[i].pool_count, partner,
			    agent->config->gateway))
			return true;
	return false;
}

static void make_partner(
	struct agent *agent, const struct desired_partner *from, struct liveness_partner *partner)
{
	*partner = (struct liveness_partner){.is_controller = from->is_controller,
		.watch = !from->is_controller && watches(agent, from->name),
		.underlay = !from->is_controller,
		.pair_key = from->pair_key,
		.locals = {SIZE_MAX, SIZE_MAX}};
	text_copy(partner->name, sizeof(partner->name), from->name);
	if (from->is_controller) {
		make_controller(agent, partner);
		return;
	}
	partner->address_count = from->address_count;
	memcpy(partner->addresses, from->addresses, sizeof(partner->addresses));
}

static void set_partners(struct agent *agent)
{
	const struct desired *desired = agent->held.desired;
	size_t size = (desired->partner_count + 1) * sizeof(struct liveness_partner);
	struct liveness_partner *partners = mem_new(desired->partner_count + 1, sizeof(*partners));

	for (size_t i = 0; i < desired->partner_count; i++)
		make_partner(agent, &desired->partners[i], &partners[i]);
	if (liveness_set_partners(agent->liveness, partners, desired->partner_count) < 0)
		log_error("agent", "too-many-partners", log_u64("count", desired->partner_count));
	mem_wipe(partners, size);
	free(partners);
}

static bool same_sockets(const struct liveness_config *a, const struct liveness_config *b)
{
	if (a->local_count != b->local_count)
		return false;
	for (size_t i = 0; i < a->local_count; i++)
		if (!addr_equal(&a->locals[i].address, &b->locals[i].address) ||
			a->locals[i].port != b->locals[i].port)
			return false;
	return true;
}

static void reopen(struct agent *agent, const struct liveness_config *config)
{
	struct err err = {0};

	liveness_free(agent->liveness);
	agent->liveness = NULL;
	agent->liveness_config = *config;
	if (liveness_new(agent->base, config, &ops, agent, &agent->liveness, &err) >= 0)
		return;
	text_copy(agent->liveness_failure, sizeof(agent->liveness_failure), err.text);
	log_limited(LEVEL_WARNING, "agent", "liveness-not-open", "", log_err(&err));
}

void agent_beats_update(struct agent *agent)
{
	struct liveness_config config;

	if (!agent->held.desired)
		return;
	make_config(agent, &config);
	if (!agent->liveness || !same_sockets(&config, &agent->liveness_config))
		reopen(agent, &config);
	if (!agent->liveness)
		return;
	liveness_set_store(agent->liveness, config.store);
	liveness_set_timing(agent->liveness, &config.timing);
	set_partners(agent);
}
