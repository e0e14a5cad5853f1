/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/signature.h"
#include "controller/core/ownership/clock.h"
#include "controller/io/apply/apply.h"
#include "controller/io/apply/holding.h"
#include "controller/io/controller.h"
#include "controller/io/drill/drill.h"
#include "controller/io/floor.h"
#include "controller/io/report.h"
#include "controller/io/unanswered.h"
#include "controller/io/watch/watch.h"

enum { COMMIT_GRACE_MS = 2000, BLOCKED_TOLD_MS = 2000 };

/* Between an agent's word and the decisions. */

const char *controller_obstacle(const struct controller *controller, const struct agent *agent)
{
	const struct holding *holding = agent->holding;
	if (!agent->connected)
		return "not connected";
	if (holding_is_current(controller, agent) || floor_is_ahead(controller, agent->report.generation))
		return NULL;
	if (holding->state == HOLDING_COMMITTING && clock_now_ms() - holding->since_ms < COMMIT_GRACE_MS)
		return NULL;
	if (holding->state == HOLDING_REFUSED)
		return holding->error;
	return "does not hold the newest generation";
}

/* "": its clock is in order, as far as the reports tell; one of a gateway that has gone counts, too. */
static void describe_clock(
	const struct controller *controller, const struct agent *agent, char *why, size_t size)
{
	size_t count = agents_count(controller->agents), reported = 0, own = SIZE_MAX, last;
	int64_t *skews_ms = mem_new(count + 1, sizeof *skews_ms);
	const struct agent **whose = mem_new(count + 1, sizeof *whose);
	for (size_t i = 0; i < count; i++) {
		const struct agent *other = agents_at(controller->agents, i);
		if (!other->reported)
			continue;
		if (other == agent)
			own = reported;
		whose[reported] = other;
		skews_ms[reported++] = other->skew_ms;
	}
	last = own < reported ? clock_ahead_of(skews_ms, reported, own) : CLOCK_NOBODY; /* else it leaves */
	why[0] = '\0';
	if (last != CLOCK_NOBODY)
		snprintf(why, size, "its clock is %lld s ahead of %s's",
			(long long)(skews_ms[own] - skews_ms[last]) / 1000, whose[last]->name);
	free(skews_ms);
	free(whose);
}

static void tell_fitness(struct controller *controller, const struct agent *agent)
{
	const char *obstacle = controller_obstacle(controller, agent);
	char clock[PROTO_NAME_MAX + 64];
	if (!agent->reported)
		return;
	if (holding_is_current(controller, agent))
		decisions_holds(controller->decisions, agent->name);
	decisions_leaving(controller->decisions, agent->name, agent->report.leaving);
	describe_clock(controller, agent, clock, sizeof clock);
	decisions_fitness(
		controller->decisions, agent->name, &agent->report, !obstacle && clock[0] ? clock : obstacle);
}

static void tell_seats(struct controller *controller, const struct agent *agent)
{
	for (size_t i = 0; i < agent->report.seat_count; i++)
		decisions_seat(controller->decisions, agent->name, &agent->report.seats[i]);
}

/* Of others: that is in no beat. */
static void tell_heard(struct controller *controller, const struct agent *agent)
{
	for (size_t i = 0; i < agent->report.heard_count; i++)
		decisions_relayed(controller->decisions, agent->name, &agent->report.heard[i]);
}

/* What a gateway put right, and what it noticed. */
static void tell_events(struct controller *controller, const struct agent *agent, const struct report *report)
{
	for (size_t i = 0; i < report->event_count; i++) {
		const struct report_event *event = &report->events[i];
		char text[PROTO_NAME_MAX + PROTO_REASON_MAX + 4];

		snprintf(text, sizeof text, "%s: %s", agent->name, event->text);
		journal_add(controller->journal,
			&(struct journal_entry){.event = event->event, .text = text, .gateway = agent->name});
	}
}

void controller_post_order(const char *gateway, const struct order *order, void *context)
{
	struct controller *controller = context;
	struct agent *agent = agents_find(controller->agents, gateway);
	if (agent && agent->connected)
		agent_post(agent, &(struct instruction){.kind = INSTRUCTION_ORDER, .order = *order});
}

/* Sessions: from the owner's reports to the other members of its pool. */

struct reader {
	const struct controller *controller;
	const struct agent *agent;
};

static bool is_wanted(const char *tunnel, void *context)
{
	const struct reader *reader = context;
	const struct decisions *decisions = reader->controller->decisions;
	const struct ownership *ownership = decisions_of_tunnel(decisions, tunnel);
	return ownership && ownership_find(ownership, reader->agent->name) != OWNERSHIP_NOBODY &&
	       !decisions_owns(decisions, ownership, reader->agent->name);
}

static void post_sessions(struct controller *controller, struct agent *agent)
{
	struct instruction instruction = {.kind = INSTRUCTION_SESSIONS};
	struct reader reader = {controller, agent};
	if (!agent->connected || agent->holding->state != HOLDING_CURRENT)
		return;
	instruction.sessions.count = directory_since(controller->directory, agent->directory_acked,
		clock_now_ms(), is_wanted, &reader, &instruction.sessions.items);
	if (!instruction.sessions.count)
		return;
	agent->directory_sent = directory_version(controller->directory);
	agent->directory_seq = agent_post(agent, &instruction);
}

static bool has_tunnel(const struct controller *controller, const struct agent *agent, const char *tunnel)
{
	const struct generation_gateway *gateway = generation_find(controller->current, agent->name);
	for (size_t i = 0; gateway && i < gateway->desired->tunnel_count; i++)
		if (strcmp(gateway->desired->tunnels[i].name, tunnel) == 0)
			return true;
	return false;
}

/* Returns true if there is something to tell others. Of a tunnel in no endpoint there is not: each gateway has its own
 * sessions in it, of the same peers perhaps. Of one that the fleet in force does not give it nothing is kept: nobody would
 * end it. */
static bool take_session(struct controller *controller, const struct agent *agent,
	const struct report *report, const struct session *session)
{
	const struct ownership *ownership = decisions_of_tunnel(controller->decisions, session->tunnel);
	if (!ownership) {
		if (has_tunnel(controller, agent, session->tunnel))
			directory_put(agent->alone, report->gateway, session, clock_now_ms());
		return false;
	}
	return report_serves(report, ownership->config.name) &&
	       directory_put(controller->directory, report->gateway, session, clock_now_ms());
}

static void end_whole_alone(struct controller *controller, const struct agent *agent)
{
	const struct generation_gateway *gateway = generation_find(controller->current, agent->name);
	for (size_t i = 0; gateway && i < gateway->desired->tunnel_count; i++)
		directory_end_whole(agent->alone, gateway->desired->tunnels[i].name);
}

static void end_whole(struct controller *controller, const struct agent *agent, const struct report *report)
{
	end_whole_alone(controller, agent);
	for (size_t i = 0; i < decisions_count(controller->decisions); i++) {
		const struct decisions_endpoint *setup = decisions_endpoint(controller->decisions, i);
		for (size_t j = 0; report_serves(report, setup->config.name) && j < setup->tunnel_count; j++)
			directory_end_whole(controller->directory, setup->tunnels[j]);
	}
}

static void take_sessions(
	struct controller *controller, const struct agent *agent, const struct report *report)
{
	bool changed = false;
	if (report->sessions_whole) {
		directory_begin_whole(controller->directory);
		directory_begin_whole(agent->alone);
	}
	for (size_t i = 0; i < report->session_count; i++)
		changed |= take_session(controller, agent, report, &report->sessions[i]);
	if (report->sessions_whole)
		end_whole(controller, agent, report);
	for (size_t i = 0; changed && i < agents_count(controller->agents); i++)
		post_sessions(controller, agents_at(controller->agents, i));
}

/* What agents do. */

static void on_added(struct agent *agent, void *context)
{
	(void)context;
	agent->holding = mem_new(1, sizeof *agent->holding);
	agent->alone = directory_new();
}

static void on_removed(struct agent *agent, void *context)
{
	(void)context;
	free(agent->holding);
	agent->holding = NULL;
	directory_free(agent->alone);
	agent->alone = NULL;
	unanswered_forget(agent);
}

static void tell_connection(struct controller *controller, const struct agent *agent, const char *event)
{
	char text[PROTO_NAME_MAX + 32];
	snprintf(text, sizeof text, "%s %s", agent->name, event);
	log_notice("agents", event, log_text("gateway", agent->name));
	journal_add(controller->journal,
		&(struct journal_entry){.event = event, .text = text, .gateway = agent->name});
}

static void on_connected(struct agent *agent, void *context)
{
	struct controller *controller = context;
	holding_set(agent, HOLDING_UNKNOWN, 0);
	watch_hear_tls(controller->watch, agent->name);
	decisions_repeat_orders(controller->decisions, agent->name);
	tell_fitness(controller, agent);
	holding_sync(controller, agent);
	post_sessions(controller, agent); /* what changed while it was away, if it has kept its generation */
	unanswered_tell(controller, agent);
	tell_connection(controller, agent, "connected");
	apply_take_return(controller, agent);
}

static void on_disconnected(struct agent *agent, void *context)
{
	struct controller *controller = context;
	tell_fitness(controller, agent);
	tell_connection(controller, agent, "disconnected");
	apply_take_loss(controller, agent);
}

static void on_acknowledged(struct agent *agent, uint64_t seq, void *context)
{
	struct controller *controller = context;
	watch_hear_tls(controller->watch, agent->name);
	if (agent->directory_seq && seq >= agent->directory_seq) {
		agent->directory_acked = agent->directory_sent;
		agent->directory_seq = 0;
	}
}

/* Beats carry the seats too, and sooner: a report may have waited behind others on its connection. */
static bool has_beats(const struct controller *controller, const struct agent *agent)
{
	struct liveness_view view;
	return watch_view(controller->watch, agent->name, &view) >= 0 && view.contact_made;
}

static void tell_blocked(struct controller *controller, const char *gateway)
{
	char text[PROTO_NAME_MAX + 128];
	snprintf(
		text, sizeof text, "%s is heard over TLS only: is its liveness port (UDP) blocked?", gateway);
	log_error("watch", "liveness-port-blocked", log_text("gateway", gateway));
	journal_add(controller->journal,
		&(struct journal_entry){.event = "alarm", .text = text, .gateway = gateway});
}

/* A gateway that has just connected is heard over TLS first; only one that stays so has its port blocked. */
static void watch_blocked(struct controller *controller, struct agent *agent)
{
	struct liveness_view view;
	int64_t now_ms = clock_now_ms();
	if (watch_view(controller->watch, agent->name, &view) < 0 || !view.blocked) {
		agent->tls_only_ms = 0;
		agent->tls_only_told = false;
	} else if (!agent->tls_only_ms) {
		agent->tls_only_ms = now_ms;
	} else if (!agent->tls_only_told && now_ms - agent->tls_only_ms >= BLOCKED_TOLD_MS) {
		agent->tls_only_told = true;
		tell_blocked(controller, agent->name);
	}
}

static void on_reported(struct agent *agent, const struct report *report, void *context)
{
	struct controller *controller = context;
	enum holding_state before = agent->holding->state;
	watch_hear_tls(controller->watch, agent->name);
	watch_blocked(controller, agent);
	floor_hear_held(controller, report->generation);
	if (!has_beats(controller, agent)) {
		decisions_generation(controller->decisions, agent->name, report->generation);
		tell_seats(controller, agent);
	}
	tell_heard(controller, agent);
	decisions_takeover(controller->decisions, agent->name, &report->takeover);
	tell_events(controller, agent, report);
	report_take(controller, agent, report);
	drill_take_report(controller, agent->name, report);
	holding_sync(controller, agent);
	take_sessions(controller, agent, report);
	if (before != HOLDING_CURRENT && agent->holding->state == HOLDING_CURRENT) {
		agent->directory_acked = 0;
		post_sessions(controller, agent);
		unanswered_tell(controller, agent);
	}
	unanswered_pass_on(controller, agent);
	tell_fitness(controller, agent); /* by which it may move: whoever takes it has the sessions by then */
	apply_take_report(controller, agent);
}

static void on_staged(struct agent *agent, const struct staged *staged, void *context)
{
	struct controller *controller = context;
	if (!apply_take_answer(controller, agent, staged))
		holding_take_answer(controller, agent, staged);
}

const struct agents_hooks *controller_agents_hooks(void)
{
	static const struct agents_hooks hooks = {.added = on_added,
		.removed = on_removed,
		.connected = on_connected,
		.disconnected = on_disconnected,
		.acknowledged = on_acknowledged,
		.reported = on_reported,
		.staged = on_staged};
	return &hooks;
}

/* What liveness finds. */

static void tell_verdict(struct controller *controller, const char *gateway, const struct liveness_view *view,
	enum verdict_kind before)
{
	const char *from = verdict_kind_name(before), *to = verdict_kind_name(view->verdict);
	int64_t silent_ms = view->last_sign_ms == VERDICT_NEVER ? -1 : clock_now_ms() - view->last_sign_ms;
	char text[PROTO_NAME_MAX + 64];
	enum log_level level =
		view->verdict == VERDICT_SUSPECT || before == VERDICT_SUSPECT ? LEVEL_INFO : LEVEL_NOTICE;
	log_event(level, "watch", "verdict", log_text("gateway", gateway), log_text("from", from),
		log_text("to", to), log_i64("silent_ms", silent_ms));
	if (view->verdict == VERDICT_SUSPECT || (before == VERDICT_SUSPECT && view->verdict == VERDICT_ALIVE))
		return;
	snprintf(text, sizeof text, "%s is %s", gateway, to);
	journal_add(controller->journal,
		&(struct journal_entry){
			.event = "verdict", .text = text, .gateway = gateway, .from = from, .to = to});
}

void controller_verdict(
	const char *gateway, const struct liveness_view *view, enum verdict_kind before, void *context)
{
	struct controller *controller = context;
	if (view->verdict != before)
		report_verdict(controller, gateway, view);
	decisions_verdict(controller->decisions, gateway, view->verdict, view->last_sign_ms);
	if (view->verdict != before)
		tell_verdict(controller, gateway, view, before);
}

void controller_silence(const char *observer, const struct datagram_silence *silence, void *context)
{
	report_vote(context, observer, silence);
}

void controller_beat(const char *gateway, const struct datagram_beat *beat, void *context)
{
	struct controller *controller = context;
	floor_hear(controller, gateway, beat->floor);
	floor_hear_held(controller, beat->generation);
	decisions_generation(controller->decisions, gateway, beat->generation);
	for (size_t i = 0; i < beat->seat_count; i++)
		decisions_seat(controller->decisions, gateway, &beat->seats[i]);
}

void controller_claim(const char *gateway, const struct claim *claim, void *context)
{
	struct controller *controller = context;
	decisions_claim(controller->decisions, gateway, claim);
}

void controller_grant(const char *via, const struct claim *claim, void *context)
{
	struct controller *controller = context;
	struct grant grant = {.claim = *claim};
	uint8_t text[GRANT_TEXT_MAX];
	int size = grant_text(controller->store_id, claim, text);
	if (size < 0)
		return; /* not of a claim that came in */
	signature_make(&controller->grant_seed, text, (size_t)size, grant.signature);
	watch_send_grant(controller->watch, via, &grant);
}

/* A new generation. */

static void tell_again(struct controller *controller, const struct agent *agent)
{
	struct liveness_view view;
	if (watch_view(controller->watch, agent->name, &view) >= 0)
		decisions_verdict(controller->decisions, agent->name, view.verdict, view.last_sign_ms);
	if (agent->reported) {
		decisions_generation(controller->decisions, agent->name, agent->report.generation);
		tell_seats(controller, agent);
		tell_heard(controller, agent);
	}
	tell_fitness(controller, agent);
}

void controller_install(struct controller *controller, struct generation *generation)
{
	struct generation *old = controller->current;
	const char **names = mem_new(generation->gateway_count + 1, sizeof *names);
	for (size_t i = 0; i < generation->gateway_count; i++)
		names[i] = generation->gateways[i].name;
	controller->current = generation;
	if (generation->number > controller->last_number)
		controller->last_number = generation->number;
	floor_rise(controller, generation->floor);
	decisions_set_endpoints(controller->decisions, generation->endpoints, generation->endpoint_count);
	watch_set_generation(controller->watch, generation);
	agents_set(controller->agents, names, generation->gateway_count);
	for (size_t i = 0; i < agents_count(controller->agents); i++)
		tell_again(controller, agents_at(controller->agents, i));
	for (size_t i = 0; i < agents_count(controller->agents); i++)
		holding_sync(controller, agents_at(controller->agents, i));
	free(names);
	generation_free(old);
}

/* Terms: synchronously at the start, later by the writer. */

struct claiming {
	struct controller *controller;
	uint32_t term;
};

static int write_term(struct store *store, void *context, struct err *err)
{
	const struct claiming *claiming = context;
	return store_write_term(store, claiming->term, err);
}

static void on_term_written(void *context, int r, const struct err *err)
{
	struct claiming *claiming = context;
	if (r < 0)
		log_error("decisions", "term-not-stored", log_err(err));
	decisions_claimed(claiming->controller->decisions, claiming->term, r >= 0);
	free(claiming);
}

void controller_claim_term(uint32_t term, void *context)
{
	struct controller *controller = context;
	struct claiming *claiming = mem_new(1, sizeof *claiming);
	*claiming = (struct claiming){controller, term};
	if (controller->writer) {
		writer_add(controller->writer,
			&(struct writer_job){
				.write = write_term, .done = on_term_written, .context = claiming});
		return;
	}
	struct err err = {0};
	int r = write_term(controller->store, claiming, &err);
	on_term_written(claiming, r, &err);
}
