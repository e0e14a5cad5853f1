/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/clock.h"
#include "common/liveness/internal.h"

/* A death that was found so lately still counts among those who fell silent together. */
enum { TOGETHER_JUDGED_MS = 1000 };

static bool is_judged(const struct verdict *verdict, int64_t now_ms)
{
	bool down = verdict->kind == VERDICT_DEAD || verdict->kind == VERDICT_AGENT_DOWN;

	return down && now_ms - verdict->since_ms >= TOGETHER_JUDGED_MS;
}

static bool is_silent(const struct liveness *liveness, const struct partner *partner, int64_t now_us)
{
	if (partner->contact.heard_us == CONTACT_NEVER || is_judged(&partner->verdict, now_us / 1000))
		return false;
	return now_us - partner->contact.heard_us >= (int64_t)liveness->config.timing.together_ms * 1000;
}

/* Of one probe of it: a datagram to each of its addresses, and an echo request. */
static uint32_t cost(const struct partner *partner)
{
	return partner->target_count > 0 ? 2 * (uint32_t)partner->target_count : 1;
}

static void look(struct liveness *liveness, const struct partner *partner, struct verdict_view *ret_view)
{
	int64_t now_us = clock_now_us(), heard_us = CONTACT_NEVER;
	struct verdict_view view = {.blind = liveness->blind, .wait_ms = contact_wait_ms(&partner->contact)};

	for (size_t i = 0; i < liveness->partner_count; i++) {
		const struct partner *other = liveness->partners[i];
		view.watched += other->config.watch;
		view.silent += other->config.watch && is_silent(liveness, other, now_us);
		if (other == partner)
			continue;
		view.observers += partner_is_in_contact(other, now_us);
		heard_us = other->contact.heard_us > heard_us ? other->contact.heard_us : heard_us;
	}
	view.probes = budget_left(&liveness->budget, now_us / 1000) / cost(partner);
	view.other_heard_ms = heard_us == CONTACT_NEVER ? VERDICT_NEVER : heard_us / 1000;
	if (liveness->witnessed_ms > view.other_heard_ms)
		view.other_heard_ms = liveness->witnessed_ms;
	*ret_view = view;
}

static void probe_kernel(struct liveness *liveness, struct partner *partner, uint32_t count)
{
	for (size_t i = 0; i < partner->target_count && liveness->ops.kernel_probe != NULL; i++)
		liveness->ops.kernel_probe(
			liveness->context, partner->config.name, &partner->targets[i].endpoint.addr, count);
}

static void tell_changed(struct liveness *liveness, struct partner *partner)
{
	struct liveness_view view;

	if (liveness->ops.verdict == NULL)
		return;
	partner_view(partner, clock_now_us(), &view);
	liveness->ops.verdict(liveness->context, partner->config.name, &view);
}

static void act(struct liveness *liveness, struct partner *partner, const struct verdict_action *action)
{
	switch (action->kind) {
	case VERDICT_ACTION_CALL:
		liveness->counters.bursts++;
		send_silence(liveness, partner, false);
		return;
	case VERDICT_ACTION_PROBE:
		budget_spend(&liveness->budget, action->count * cost(partner));
		send_probes(liveness, partner, action->count);
		return;
	case VERDICT_ACTION_KERNEL_PROBE:
		probe_kernel(liveness, partner, action->count);
		return;
	case VERDICT_ACTION_RESULT:
		send_silence(liveness, partner, true);
		return;
	case VERDICT_ACTION_CHANGED:
		tell_changed(liveness, partner);
		return;
	}
}

static void step(struct liveness *liveness, struct partner *partner, struct verdict_event *event)
{
	struct verdict_actions actions = {0};

	if (!partner->config.watch)
		return;
	look(liveness, partner, &event->view);
	verdict_step(&partner->verdict, event, clock_now_ms(), &actions);
	for (size_t i = 0; i < actions.count; i++)
		act(liveness, partner, &actions.items[i]);
}

void watch_event(struct liveness *liveness, struct partner *partner, enum verdict_event_kind kind)
{
	step(liveness, partner, &(struct verdict_event){.kind = kind});
}

void watch_heard(struct liveness *liveness, struct partner *partner, int64_t received_us)
{
	step(liveness, partner,
		&(struct verdict_event){.kind = VERDICT_EVENT_HEARD, .at_ms = received_us / 1000});
}

void watch_report(struct liveness *liveness, struct partner *partner, size_t observer,
	const struct datagram_silence *silence)
{
	struct verdict_event event = {.kind = VERDICT_EVENT_REPORT};

	event.report.observer = observer;
	event.report.silent_ms = silence->silent_ms;
	event.report.burst_done = silence->burst_done;
	event.report.agent_answered = silence->agent_answered;
	event.report.kernel_answered = silence->kernel_answered;
	event.report.blind = silence->blind;
	step(liveness, partner, &event);
}

void watch_tick(struct liveness *liveness)
{
	for (size_t i = 0; i < liveness->partner_count; i++) {
		struct partner *partner = liveness->partners[i];
		if (liveness->lagged)
			watch_event(liveness, partner, VERDICT_EVENT_LAGGED);
		if (partner->config.watch && verdict_deadline(&partner->verdict) <= clock_now_ms())
			watch_event(liveness, partner, VERDICT_EVENT_TICK);
	}
	liveness->lagged = false;
}
