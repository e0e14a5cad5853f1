/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/moments.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/json/write.h"
#include "common/timeline/account.h"
#include "common/timeline/noticed.h"
#include "node-agent/io/agent/agent_int.h"

static bool is_guest(const struct agent_seat *seat)
{
	return seat->seat.role == SEAT_GUEST || seat->seat.role == SEAT_PULLED;
}

/* A guest's is the one that its host serves under. */
static const struct epoch *epoch_of(const struct agent_seat *seat)
{
	return is_guest(seat) ? &seat->seat.disk.highest : &seat->seat.epoch;
}

void moments_note(
	const struct agent_seat *seat, enum moment_kind kind, const char *subject, const char *format, ...)
{
	struct moment moment = {.at_us = clock_now_us(), .kind = kind, .epoch = *epoch_of(seat)};
	va_list list;

	text_copy(moment.endpoint, sizeof(moment.endpoint), seat->seat.config.endpoint);
	text_copy(moment.subject, sizeof(moment.subject), subject);
	va_start(list, format);
	vsnprintf(moment.detail, sizeof(moment.detail), format, list);
	va_end(list);
	timeline_add(&seat->agent->moments, &moment);
}

/* A release and a guest's order are parts of the move to the next epoch, and told as roles. */
void moments_ordered(struct agent *agent, const struct order *order)
{
	if (order->owner[0] && !order->guest[0])
		timeline_note_order(&agent->moments, MOMENT_ORDERED, order, clock_now_us());
}

void moments_decided(struct agent *agent, const struct order *order)
{
	timeline_note_order(&agent->moments, MOMENT_DECIDED, order, clock_now_us());
}

void moments_verdict(struct agent *agent, const char *partner, const struct liveness_view *view)
{
	timeline_note_verdict(&agent->moments, partner, view->verdict, view->suspected_ms, clock_now_us());
}

void moments_vote(struct agent *agent, const char *observer, const struct datagram_silence *silence)
{
	timeline_note_vote(&agent->moments, observer, silence, clock_now_us());
}

void moments_done(const struct agent_seat *seat, enum moment_kind kind)
{
	moments_note(seat, kind, "", "%s", is_guest(seat) ? MOMENT_AS_GUEST : "");
}

void moments_back(struct agent_seat *seat, const char *tunnel, const struct key *public_key, uint32_t number)
{
	const struct desired_peer *peer;

	if (number > TIMELINE_BACK_MAX)
		return;
	peer = agent_find_peer(seat->agent->held.desired, tunnel, public_key);
	if (peer)
		moments_note(seat, MOMENT_BACK, peer->name, "%s", is_guest(seat) ? MOMENT_AS_GUEST : "");
}

void moments_fill(struct agent *agent, struct report *report)
{
	const struct moment *moments[MOMENTS_REPORT_MAX];

	report->moment_count =
		timeline_since(&agent->moments, agent->moments_told, moments, MOMENTS_REPORT_MAX);
	for (size_t i = 0; i < report->moment_count; i++)
		report->moments[i] = *moments[i];
	agent->moments_sent =
		report->moment_count ? moments[report->moment_count - 1]->seq : agent->moments_told;
}

/* Another controller, perhaps: all of it again. It knows what it has. */
void moments_told(struct agent *agent, bool arrived)
{
	agent->moments_told = arrived ? agent->moments_sent : 0;
	if (arrived && agent->moments_told < agent->moments.newest)
		control_report_now(agent->control);
}

void moments_answer(struct http_request *request, void *context)
{
	struct agent *agent = context;
	const char *event = http_request_query(request, "event");
	struct account_source source = {.who = agent->config->gateway, .timeline = &agent->moments};
	char endpoint[PROTO_NAME_MAX + 1];
	struct account account;
	struct epoch epoch;
	struct err err = {0};
	json_t *root;

	if (account_parse(event ? event : "", endpoint, &epoch, &err) < 0)
		return http_reply_problem(request, 400, "%s", err.text);
	if (account_make(&source, 1, endpoint, &epoch, &account, &err) < 0)
		return http_reply_problem(request, 404, "%s", err.text);
	root = json_object();
	account_put(root, &account, clock_wall_ms() * 1000 - clock_now_us());
	account_clear(&account);
	http_reply_json(request, 200, json_compact(root, NULL));
	json_decref(root);
}
