/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/report.h"

#include "common/io/clock.h"
#include "common/timeline/noticed.h"
#include "controller/io/controller.h"
#include "controller/io/watch/watch.h"

void report_verdict(struct controller *controller, const char *gateway, const struct liveness_view *view)
{
	timeline_note_verdict(
		&controller->moments, gateway, view->verdict, view->suspected_ms, clock_now_us());
}

void report_vote(struct controller *controller, const char *observer, const struct datagram_silence *silence)
{
	timeline_note_vote(&controller->moments, observer, silence, clock_now_us());
}

void report_decided(const struct order *order, void *context)
{
	struct controller *controller = context;

	timeline_note_order(&controller->moments, MOMENT_DECIDED, order, clock_now_us());
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
