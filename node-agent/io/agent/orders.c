/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/core/plan/target.h"
#include "node-agent/io/agent/agent_int.h"

static void take_order(struct agent *agent, const struct order *order)
{
	struct agent_seat *seat = agent_seat_find(agent, order->endpoint);
	struct seat_event event = {.kind = SEAT_EVENT_ORDER, .order = order};
	char epoch[EPOCH_TEXT_MAX];

	log_info("seat", "order", log_text("endpoint", order->endpoint),
		log_text("epoch", epoch_format(&order->epoch, epoch)),
		log_text("owner", order->owner[0] ? order->owner : "(release)"),
		log_text("cause", order->cause));
	if (!seat)
		return;
	moments_ordered(agent, order);
	seat->ordered_ms = clock_now_ms();
	agent_seat_step(seat, &event);
}

/* A gateway belongs to one store: its epochs, its floor and who its peers are mean nothing in another. A stage is not for
 * here, it is answered with the same. */
static bool is_refused(struct agent *agent, const struct instruction *instruction)
{
	if (instruction->kind == INSTRUCTION_STAGE || !agent_contact_is_foreign(agent))
		return false;
	agent->foreign_refused++;
	return true;
}

static void on_instruction(void *context, struct instruction *instruction)
{
	struct agent *agent = context;

	if (is_refused(agent, instruction))
		return;
	switch (instruction->kind) {
	case INSTRUCTION_NOVELTY:
		log_limited(LEVEL_INFO, "agent", "instruction-unknown", "",
			log_text("hint", "the controller is of a newer version"));
		return;
	case INSTRUCTION_STAGE:
		agent_stage(agent, instruction->stage);
		return;
	case INSTRUCTION_COMMIT:
		agent_commit(agent, instruction->commit);
		return;
	case INSTRUCTION_ORDER:
		take_order(agent, &instruction->order);
		return;
	case INSTRUCTION_DRILL:
		drill_take(agent, &instruction->drill);
		return;
	case INSTRUCTION_SESSIONS:
		standby_learn(agent, instruction->sessions.items, instruction->sessions.count);
		return;
	case INSTRUCTION_UNANSWERED:
		holding_hear(agent, instruction->unanswered);
		return;
	}
}

/* ---- the report ---- */

struct filling {
	struct agent *agent;
	struct report *report;
	size_t capacity;
	int64_t now_ms;
};

static void fill_session(void *context, const struct sessions_entry *entry)
{
	struct filling *filling = context;
	struct report *report = filling->report;
	struct session *session;
	int64_t age_ms = filling->now_ms - entry->handshake_ms;

	if (!agent_tells_of(filling->agent, entry->tunnel))
		return;
	report->sessions =
		mem_grow(report->sessions, &filling->capacity, report->session_count + 1, sizeof(*session));
	session = &report->sessions[report->session_count++];
	text_copy(session->tunnel, sizeof(session->tunnel), entry->tunnel);
	session->public_key = entry->public_key;
	session->endpoint = entry->endpoint;
	session->age_ms = age_ms < 0 ? 0 : (uint32_t)age_ms;
	session->rx_bytes = entry->rx_bytes;
	session->tx_bytes = entry->tx_bytes;
}

static bool tells_of_any(struct agent *agent)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; desired && i < desired->tunnel_count; i++)
		if (agent_tells_of(agent, desired->tunnels[i].name))
			return true;
	return false;
}

/* Only an owner knows where clients are, and of a tunnel in no endpoint each gateway; all of them once, then what has
 * changed. */
static void fill_sessions(struct agent *agent, struct report *report)
{
	struct filling filling = {.agent = agent, .report = report, .now_ms = clock_now_ms()};

	if (!tells_of_any(agent))
		return;
	report->sessions_whole = !agent->sessions_told;
	sessions_each_since(agent->sessions, agent->sessions_told ? agent->session_change_told : 0,
		fill_session, &filling);
	agent->session_change_sent = sessions_changed(agent->sessions);
	agent->sessions_sent = true;
}

static void fill_takeover(struct agent *agent, struct report *report)
{
	for (size_t i = 0; i < agent->seat_count; i++) {
		struct agent_seat *seat = agent->seats[i];

		if (!seat->result.endpoint[0] || seat->result_told)
			continue;
		if (!seat->result.back && !seat->result.over)
			continue; /* nothing to tell yet */
		report->takeover = seat->result;
		return;
	}
}

/* What the controller can't know by itself. */
static bool is_for_controller(const struct journal_entry *entry)
{
	static const char *const names[] = {"repaired", "endpoint", "underlay", "fence-restored",
		"succession", "check", "forwarding", "notify", "holder"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (!strcmp(entry->event, names[i]))
			return true;
	return false;
}

static void fill_events(struct agent *agent, struct report *report)
{
	uint64_t seq = agent->events_told;

	while (seq < agent->journal.seq && report->event_count < REPORT_EVENTS_MAX) {
		const struct journal_entry *entry = journal_at(&agent->journal, ++seq);
		struct report_event *event = &report->events[report->event_count];

		if (!entry || !is_for_controller(entry))
			continue;
		text_copy(event->event, sizeof(event->event), entry->event);
		text_copy(event->text, sizeof(event->text), entry->text);
		report->event_count++;
	}
	agent->events_sent = seq;
}

static void on_report(void *context, struct report *report)
{
	struct agent *agent = context;

	text_copy(report->gateway, sizeof(report->gateway), agent->config->gateway);
	report->boot = agent->boot;
	report->leaving = leave_is_leaving(&agent->leave);
	report->wall_ms = clock_wall_ms();
	report->reason_count =
		agent_reasons(agent, report->reasons, ARRAY_COUNT(report->reasons), &report->fit);
	agent->sessions_sent = false;
	fill_events(agent, report);
	moments_fill(agent, report);
	drill_fill(agent, report);
	if (!agent->held.desired)
		return;
	report->generation = agent->held.desired->generation;
	text_copy(report->hash, sizeof(report->hash), agent->held.hash);
	for (size_t i = 0; i < agent->seat_count; i++)
		seat_state_fill(&agent->seats[i]->seat, clock_now_ms(), &report->seats[report->seat_count++]);
	agent_hearsay_fill(agent, report);
	standing_fill(agent, report);
	checking_fill(agent, report);
	fill_sessions(agent, report);
	holding_fill(agent, report);
	fill_takeover(agent, report);
	agent->takeover_sent = report->takeover;
}

static bool same_result(const struct takeover *a, const struct takeover *b)
{
	return !strcmp(a->endpoint, b->endpoint) && !epoch_compare(&a->epoch, &b->epoch) &&
	       a->over == b->over && (a->back > 0) == (b->back > 0);
}

static void on_reported(void *context, bool arrived)
{
	struct agent *agent = context;

	moments_told(agent, arrived);
	if (!arrived) {
		agent->sessions_told = false; /* another controller, perhaps: all of it again */
		return;
	}
	agent->events_told = agent->events_sent;
	if (agent->sessions_sent) {
		agent->sessions_told = true;
		agent->session_change_told = agent->session_change_sent;
	}
	for (size_t i = 0; i < agent->seat_count; i++)
		if (same_result(&agent->seats[i]->result, &agent->takeover_sent))
			agent->seats[i]->result_told = true;
}

static void release(struct agent_seat *seat)
{
	struct order order = {.epoch = seat->seat.epoch};
	struct seat_event event = {.kind = SEAT_EVENT_ORDER, .order = &order};

	text_copy(order.endpoint, sizeof(order.endpoint), seat->seat.config.endpoint);
	text_copy(order.cause, sizeof(order.cause), "left-pool");
	agent_seat_step(seat, &event);
}

/* Removed while it could not be reached: nobody told it, and its pool talks to it no more. Only the store whose
 * generation it holds can say so: another's controller, met by mistake, takes nothing away. */
static void on_stranger(void *context, const struct stranger *stranger)
{
	struct agent *agent = context;

	if (!agent->held.desired || agent->held.desired->store != stranger->store ||
		strcmp(stranger->gateway, agent->config->gateway))
		return;
	if (!agent->stranger) {
		agent->stranger = true;
		agent_save_seats(agent);
	}
	for (size_t i = 0; i < agent->seat_count; i++) {
		struct agent_seat *seat = agent->seats[i];

		if (!agent_seat_serves(seat))
			continue;
		journal_add(&agent->journal, "left-fleet", seat->seat.config.endpoint,
			"this gateway was removed from the fleet: it serves no more");
		release(seat);
	}
}

static void note_foreign(struct agent *agent)
{
	if (agent->foreign == agent->contact_store)
		return;
	agent->foreign = agent->contact_store;
	journal_add(&agent->journal, "foreign-store", NULL,
		"%s has the store %016" PRIx64 ", not ours: its orders are refused",
		control_url(agent->control), agent->contact_store);
}

static void meet(struct agent *agent, uint64_t store)
{
	agent->contact_store = store;
	if (agent_contact_is_foreign(agent))
		note_foreign(agent);
}

static void on_floor(void *context, uint64_t store, uint64_t floor)
{
	meet(context, store);
	agent_floor_word(context, store, floor);
}

/* Another fleet's controller is no leader of ours. Until the first generation is held, none is another's. */
static bool on_answered(void *context, uint64_t store)
{
	struct agent *agent = context;

	meet(agent, store);
	if (agent_contact_is_foreign(agent))
		return false;
	if (store || !agent->held.desired)
		agent_leader_heard(agent, clock_now_ms());
	return true;
}

static void on_connected(void *context, bool connected)
{
	struct agent *agent = context;

	if (connected)
		journal_add(&agent->journal, "connected", NULL, "%s", control_url(agent->control));
	else
		journal_add(&agent->journal, "disconnected", NULL, "%s", control_failure(agent->control));
	if (!connected) /* the next may be another's */
		agent->word.store = agent->contact_store = 0;
	agent->sessions_told = false;
	moments_told(agent, false);
	agent_beats_update(agent);
	leaving_look(agent);
}

int agent_control_open(struct agent *agent, struct err *err)
{
	static const struct control_ops ops = {.floor = on_floor,
		.instruction = on_instruction,
		.report = on_report,
		.reported = on_reported,
		.stranger = on_stranger,
		.answered = on_answered,
		.connected = on_connected};
	const struct config *config = agent->config;
	struct control_options options = {.urls = (const char *const *)config->controllers,
		.url_count = config->controller_count,
		.tls = {.ca = config->ca, .certificate = config->certificate, .key = config->key},
		.boot = agent->boot};

	return control_new(agent->base, &options, &ops, agent, &agent->control, err);
}
