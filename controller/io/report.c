/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/report.h"

#include <stdio.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "controller/io/controller.h"
#include "controller/io/watch/watch.h"

/* A suspicion is worth a word only if something came of it: with loss there are many. */
void report_verdict(struct controller *controller, const char *gateway, const struct liveness_view *view)
{
	struct moment moment = {.kind = MOMENT_SUSPECTED};
	if (view->verdict != VERDICT_DEAD && view->verdict != VERDICT_AGENT_DOWN)
		return;
	text_copy(moment.subject, sizeof moment.subject, gateway);
	if (view->suspected_ms != VERDICT_NEVER) {
		moment.at_us = view->suspected_ms * 1000;
		timeline_add(&controller->moments, &moment);
	}
	moment.kind = MOMENT_VERDICT;
	moment.at_us = clock_now_us();
	text_copy(moment.detail, sizeof moment.detail, verdict_kind_name(view->verdict));
	timeline_add(&controller->moments, &moment);
}

void report_vote(struct controller *controller, const char *observer, const struct datagram_silence *silence)
{
	struct moment moment = {.at_us = clock_now_us(), .kind = MOMENT_VOTE};
	if (!silence->burst_done || silence->agent_answered)
		return;
	text_copy(moment.subject, sizeof moment.subject, silence->suspect);
	snprintf(moment.detail, sizeof moment.detail, "%s: %s", observer, datagram_silence_text(silence));
	if (!timeline_repeats(&controller->moments, &moment, TIMELINE_REPEATS_US))
		timeline_add(&controller->moments, &moment);
}

void report_decided(const struct order *order, void *context)
{
	struct controller *controller = context;
	struct moment moment = {.at_us = clock_now_us(), .kind = MOMENT_DECIDED, .epoch = order->epoch};
	text_copy(moment.endpoint, sizeof moment.endpoint, order->endpoint);
	text_copy(moment.subject, sizeof moment.subject, order->owner);
	text_copy(moment.detail, sizeof moment.detail, order->cause);
	timeline_add(&controller->moments, &moment);
}

void report_settle(struct controller *controller, struct agent *agent)
{
	struct liveness_view view;
	if (watch_view(controller->watch, agent->name, &view) >= 0 && view.clock_known &&
		view.boot == agent->boot)
		timeline_settle(&agent->moments, view.ahead_us, view.clock_error_us);
}

void report_take(struct controller *controller, struct agent *agent, const struct report *report)
{
	if (agent->moments_boot != report->boot) {
		timeline_begin_life(&agent->moments);
		agent->moments_boot = report->boot;
	}
	for (size_t i = 0; i < report->moment_count; i++)
		timeline_take(&agent->moments, &report->moments[i]);
	report_settle(controller, agent);
}
