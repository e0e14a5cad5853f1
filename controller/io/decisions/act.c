/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "controller/io/decisions/state.h"

static void send_to_members(
	struct decisions *decisions, const struct decided *decided, const struct order *order)
{
	const struct ownership_config *config = &decided->ownership.config;
	for (size_t i = 0; i < config->member_count; i++)
		decisions->hooks.order(config->members[i], order, decisions->hooks.context);
	/* One who has left the pool may still serve. */
	if (order->from[0] && ownership_find(&decided->ownership, order->from) == OWNERSHIP_NOBODY)
		decisions->hooks.order(order->from, order, decisions->hooks.context);
}

static const char *cause_text(const char *cause)
{
	static const struct {
		const char *cause, *text;
	} texts[] = {
		{"first", "it had no owner"},
		{"host-dead", "the old owner is dead"},
		{"agent-down", "the old owner's agent is down and its lease is over"},
		{"fenced", "the old owner has fenced itself"},
		{"unfit", "the old owner cannot serve"},
		{"impaired", "the old owner serves it worse than it should"},
		{"move", "as asked for"},
		{"drain", "the old owner is being drained"},
		{"leaving", "the old owner's host is about to go down"},
		{"resume", "its preferred gateway is back"},
		{"preempt", "its preferred gateway has been well for long enough"},
		{"lost", "the old owner has lost it"},
		{"unserved", "nobody served it"},
		{"no-controller", "the old owner was dead, and no controller answered"},
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (strcmp(texts[i].cause, cause) == 0)
			return texts[i].text;
	return cause;
}

static void describe_order(const struct order *order, char *text, size_t size)
{
	if (order->from[0] && strcmp(order->from, order->owner) != 0)
		snprintf(text, size, "%s goes from %s to %s: %s (noticed in %u ms)", order->endpoint,
			order->from, order->owner, cause_text(order->cause), order->detect_ms);
	else
		snprintf(text, size, "%s goes to %s: %s", order->endpoint, order->owner,
			cause_text(order->cause));
}

static void tell_order(struct decisions *decisions, struct decided *decided, const struct order *order)
{
	char epoch[EPOCH_TEXT_MAX], text[512];
	if (!order->owner[0] || order->guest[0] || epoch_compare(&order->epoch, &decided->told) <= 0)
		return; /* a release, a move's first step, or the same order once more */
	decided->told = order->epoch;
	decided->awaited = *order;
	decided->awaited_until_ms = clock_now_ms() + DECISIONS_RESULT_MS;
	decisions->order_count++;
	if (decisions->hooks.decided)
		decisions->hooks.decided(order, decisions->hooks.context);
	log_notice("decisions", "takeover", log_text("endpoint", order->endpoint),
		log_text("epoch", epoch_format(&order->epoch, epoch)), log_text("from", order->from),
		log_text("to", order->owner), log_text("cause", order->cause),
		log_u64("detect_ms", order->detect_ms));
	describe_order(order, text, sizeof text);
	journal_add(decisions->journal, &(struct journal_entry){.event = "order",
						.text = text,
						.endpoint = order->endpoint,
						.epoch = &order->epoch,
						.from = order->from,
						.to = order->owner,
						.cause = order->cause,
						.detected = true,
						.detect_ms = order->detect_ms});
}

/* What kind of remark it is: that nobody owns it any more is one of its own. */
static const char *remark_kind(const struct decided *decided, const struct ownership_action *action)
{
	bool orphaned = decided->ownership.phase == OWNERSHIP_ORPHAN && decided->phase != OWNERSHIP_ORPHAN;
	switch (action->severity) {
	case OWNERSHIP_INFO:
		return "notice";
	case OWNERSHIP_WARNING:
		return orphaned ? "orphan" : "warning";
	case OWNERSHIP_ALARM:
		return orphaned ? "orphan" : "alarm";
	}
	return "alarm";
}

static enum log_level remark_level(enum ownership_severity severity)
{
	switch (severity) {
	case OWNERSHIP_INFO:
		return LEVEL_INFO;
	case OWNERSHIP_WARNING:
		return LEVEL_WARNING;
	case OWNERSHIP_ALARM:
		return LEVEL_ERROR;
	}
	return LEVEL_ERROR;
}

static void tell_remark(
	struct decisions *decisions, struct decided *decided, const struct ownership_action *action)
{
	const char *endpoint = decided->setup.config.name, *kind = remark_kind(decided, action);
	text_copy(decided->last_text, sizeof decided->last_text, action->text);
	log_event(remark_level(action->severity), "decisions", "remark", log_text("endpoint", endpoint),
		log_text("text", action->text));
	journal_add(decisions->journal, &(struct journal_entry){.event = kind,
						.text = action->text,
						.endpoint = endpoint,
						.epoch = &decided->ownership.epoch});
}

static bool names_owner(const struct ownership_actions *actions)
{
	for (size_t i = 0; i < actions->count; i++)
		if (actions->items[i].kind == OWNERSHIP_ACTION_ORDER)
			return true;
	return false;
}

/* An order speaks for itself: what the machine remarks beside it says the same. */
static void tell(
	struct decisions *decisions, struct decided *decided, const struct ownership_actions *actions)
{
	bool ordered = names_owner(actions);
	for (size_t i = 0; i < actions->count; i++) {
		const struct ownership_action *action = &actions->items[i];
		if (action->kind == OWNERSHIP_ACTION_ORDER)
			tell_order(decisions, decided, &action->order);
		else if (action->kind == OWNERSHIP_ACTION_EVENT &&
			 (!ordered || action->severity != OWNERSHIP_INFO))
			tell_remark(decisions, decided, action);
	}
}

static void grant(struct decisions *decisions, const struct decided *decided)
{
	if (!decided->claim)
		return;
	decisions->grant_count++;
	decisions->hooks.grant(decided->via, decided->claim, decisions->hooks.context);
}

static void carry_out(
	struct decisions *decisions, const struct decided *decided, const struct ownership_action *action)
{
	switch (action->kind) {
	case OWNERSHIP_ACTION_ORDER:
	case OWNERSHIP_ACTION_RELEASE:
		send_to_members(decisions, decided, &action->order);
		return;
	case OWNERSHIP_ACTION_GRANT:
		grant(decisions, decided);
		return;
	case OWNERSHIP_ACTION_EVENT:
		return;
	}
}

void decided_act(
	struct decisions *decisions, struct decided *decided, const struct ownership_actions *actions)
{
	for (size_t i = 0; i < actions->count; i++)
		carry_out(decisions, decided, &actions->items[i]);
	tell(decisions, decided, actions);
	if (decided->owner != decided->ownership.owner) {
		decided->owner = decided->ownership.owner;
		decided->owned_since_ms = clock_now_ms();
	}
	decided->phase = decided->ownership.phase;
}

void decided_succeeded(struct decided *decided, const char *gateway, const struct takeover *takeover)
{
	struct order *order = &decided->awaited;

	if (epoch_compare(&takeover->epoch, &decided->told) <= 0)
		return;
	decided->told = takeover->epoch;
	*order = (struct order){.epoch = takeover->epoch, .detect_ms = takeover->detect_ms};
	text_copy(order->endpoint, sizeof order->endpoint, takeover->endpoint);
	text_copy(order->owner, sizeof order->owner, gateway);
	text_copy(order->from, sizeof order->from, takeover->from);
	text_copy(order->cause, sizeof order->cause, takeover->cause);
}

static void log_back(const struct order *order, const struct takeover *takeover)
{
	char epoch[EPOCH_TEXT_MAX];
	log_notice("decisions", "back", log_text("endpoint", order->endpoint),
		log_text("epoch", epoch_format(&order->epoch, epoch)), log_text("gateway", order->owner),
		log_u64("sessions", takeover->sessions), log_u64("back", takeover->back),
		log_u64("first_ms", takeover->first_ms), log_u64("took_ms", takeover->took_ms));
}

static void describe_result(
	const struct order *order, const struct takeover *takeover, char *text, size_t size)
{
	if (takeover)
		snprintf(text, size, "%s serves %s: %u of %u sessions back in %u ms", order->owner,
			order->endpoint, takeover->back, takeover->sessions, takeover->took_ms);
	else
		snprintf(text, size, "%s got %s and has not reported how it went", order->owner,
			order->endpoint);
}

void decided_conclude(struct decisions *decisions, struct decided *decided, const struct takeover *takeover)
{
	struct order order = decided->awaited;
	char text[512];
	decided->awaited = (struct order){0};
	if (takeover)
		log_back(&order, takeover);
	describe_result(&order, takeover, text, sizeof text);
	struct journal_entry entry = {.event = "takeover",
		.text = text,
		.endpoint = order.endpoint,
		.epoch = &order.epoch,
		.from = order.from,
		.to = order.owner,
		.cause = order.cause,
		.detected = true,
		.detect_ms = order.detect_ms};
	if (takeover) {
		entry.taken = true;
		entry.sessions = takeover->sessions;
		entry.back = takeover->back;
		entry.took_ms = takeover->took_ms;
		entry.first_ms = takeover->first_ms;
	}
	journal_add(decisions->journal, &entry);
}
