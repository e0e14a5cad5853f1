/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/base/text.h"
#include "controller/core/ownership/internal.h"

/* How often an orphan looks again even if nothing happens: times of grace pass without an event. */
enum { LOOK_AGAIN_MS = 200 };

void change_phase(
	struct ownership *ownership, enum ownership_phase phase, int64_t deadline_ms, int64_t now_ms)
{
	if (ownership->phase != phase)
		ownership->since_ms = now_ms;
	ownership->phase = phase;
	ownership->deadline_ms = deadline_ms;
	if (phase != OWNERSHIP_TAKING && phase != OWNERSHIP_MOVING)
		ownership->target = OWNERSHIP_NOBODY;
	if (phase == OWNERSHIP_STABLE) {
		ownership->why[0] = '\0';
		ownership->withheld = false;
	}
}

static struct ownership_action *append(struct ownership_actions *actions, enum ownership_action_kind kind)
{
	struct ownership_action *action;

	/* Orders are never lost for events' sake: the last place is an order's. */
	size_t room = kind == OWNERSHIP_ACTION_EVENT ? OWNERSHIP_ACTIONS_MAX - 1 : OWNERSHIP_ACTIONS_MAX;
	if (actions->count >= room)
		return NULL;
	action = &actions->items[actions->count++];
	*action = (struct ownership_action){.kind = kind};
	return action;
}

void change_event(
	struct ownership_actions *actions, enum ownership_severity severity, const char *format, ...)
{
	struct ownership_action *action = append(actions, OWNERSHIP_ACTION_EVENT);
	va_list arguments;

	if (action == NULL)
		return;
	action->severity = severity;
	va_start(arguments, format);
	vsnprintf(action->text, sizeof(action->text), format, arguments);
	va_end(arguments);
}

void change_send(struct ownership *ownership, struct ownership_actions *actions)
{
	bool release = ownership->standing.owner[0] == '\0';
	struct ownership_action *action =
		append(actions, release ? OWNERSHIP_ACTION_RELEASE : OWNERSHIP_ACTION_ORDER);

	if (action != NULL)
		action->order = ownership->standing;
}

static void set_standing(struct ownership *ownership, const struct epoch *epoch, size_t owner,
	const char *cause, uint32_t detect_ms)
{
	struct order *order = &ownership->standing;

	*order = (struct order){.epoch = *epoch, .detect_ms = detect_ms};
	text_copy(order->endpoint, sizeof(order->endpoint), ownership->config.name);
	text_copy(order->owner, sizeof(order->owner), ownership_name_of(ownership, owner));
	text_copy(order->from, sizeof(order->from), ownership_name_of(ownership, ownership->owner));
	text_copy(order->cause, sizeof(order->cause), cause);
}

static void note_epoch(struct ownership *ownership, const struct epoch *epoch)
{
	ownership->epoch = *epoch;
	if (epoch_compare(epoch, &ownership->highest) > 0)
		ownership->highest = *epoch;
}

static void orphan(
	struct ownership *ownership, const char *why, int64_t now_ms, struct ownership_actions *actions)
{
	enum ownership_phase phase = ownership->frozen ? OWNERSHIP_FROZEN : OWNERSHIP_ORPHAN;
	bool news = ownership->phase != phase;
	bool first = epoch_is_zero(&ownership->highest);

	text_copy(ownership->why, sizeof(ownership->why), why);
	change_phase(ownership, phase, now_ms + LOOK_AGAIN_MS, now_ms);
	if (news)
		change_event(actions, first ? OWNERSHIP_WARNING : OWNERSHIP_ALARM, "%s has no owner (%s): %s",
			ownership->config.name, ownership->cause, why);
}

static uint32_t detect_ms(const struct ownership *ownership, int64_t now_ms)
{
	if (ownership->sign_ms == INT64_MIN || now_ms - ownership->sign_ms > UINT32_MAX)
		return 0;
	return (uint32_t)(now_ms - ownership->sign_ms);
}

void change_grant(struct ownership_actions *actions)
{
	append(actions, OWNERSHIP_ACTION_GRANT);
}

/* `fence`: whoever has leave may be serving, whatever became of it. */
static void wait_for_vacancy(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	bool news = ownership->phase != OWNERSHIP_ARMED;
	int64_t vacant_ms = grant_vacant_ms(ownership);

	if (ownership->phase == OWNERSHIP_TAKING)
		ownership->owner = ownership->target;
	if (ownership->owner == OWNERSHIP_NOBODY) {
		orphan(ownership, "it may be served by somebody who is not heard", now_ms, actions);
		return;
	}
	change_phase(ownership, OWNERSHIP_ARMED, vacant_ms, now_ms);
	if (news && vacant_ms == INT64_MAX)
		change_event(actions, OWNERSHIP_WARNING,
			"%s may serve %s by the gateways or the lease of before: it moves when another of "
			"them has taken up the change (%s)",
			ownership_name_of(ownership, ownership->owner), ownership->config.name,
			ownership->cause);
	else if (news)
		change_event(actions, OWNERSHIP_WARNING,
			"%s may serve %s until its lease is over: %s moves in %lld ms unless it returns (%s)",
			ownership_name_of(ownership, ownership->owner), ownership->config.name,
			ownership->config.name, (long long)(vacant_ms - now_ms), ownership->cause);
}

/* Who was invited knows its epoch, and may be serving under it: nobody else gets that one, nor anybody a lower one. */
static int take_epoch(struct ownership *ownership, size_t target, struct epoch *ret_epoch)
{
	struct epoch promised = ownership->promised;
	bool invited = ownership->phase == OWNERSHIP_MOVING && target == ownership->target;

	ownership->promised = (struct epoch){0};
	if (invited && !epoch_is_zero(&promised) && epoch_compare(&promised, &ownership->highest) >= 0) {
		*ret_epoch = promised;
		return 0;
	}
	return epoch_source_next(ownership->source, ret_epoch);
}

void change_take(struct ownership *ownership, size_t target, const char *cause, int64_t now_ms,
	struct ownership_actions *actions)
{
	char text[EPOCH_TEXT_MAX];
	struct epoch epoch;

	text_copy(ownership->cause, sizeof(ownership->cause), cause);
	if (!grant_is_vacant_for(ownership, target, now_ms)) {
		wait_for_vacancy(ownership, now_ms, actions);
		return;
	}
	if (take_epoch(ownership, target, &epoch) < 0) {
		orphan(ownership, "a new term has to be on disk first", now_ms, actions);
		return;
	}
	set_standing(ownership, &epoch, target, cause, detect_ms(ownership, now_ms));
	note_epoch(ownership, &epoch);
	grant_begin(ownership, target);
	ownership->ordered_ms = now_ms;
	ownership->extended = false;
	change_phase(ownership, OWNERSHIP_TAKING, now_ms + OWNERSHIP_CONFIRM_MS, now_ms);
	ownership->target = target;
	change_send(ownership, actions);
	change_event(actions, OWNERSHIP_INFO, "%s goes to %s under %s (%s)", ownership->config.name,
		ownership->standing.owner, epoch_format(&epoch, text), cause);
}

void change_move(struct ownership *ownership, size_t target, const char *cause, int64_t now_ms,
	struct ownership_actions *actions)
{
	text_copy(ownership->cause, sizeof(ownership->cause), cause);
	ownership->sign_ms = INT64_MIN;
	set_standing(ownership, &ownership->epoch, ownership->owner, cause, 0);
	text_copy(ownership->standing.guest, sizeof(ownership->standing.guest),
		ownership_name_of(ownership, target));
	ownership->promised = (struct epoch){0};
	if (epoch_source_next(ownership->source, &ownership->promised) >= 0)
		ownership->standing.next = ownership->promised;
	change_phase(ownership, OWNERSHIP_MOVING, now_ms + OWNERSHIP_HOST_MS, now_ms);
	ownership->step = OWNERSHIP_STEP_HOST;
	ownership->target = target;
	change_send(ownership, actions);
	change_event(actions, OWNERSHIP_INFO, "%s moves from %s to %s (%s)", ownership->config.name,
		ownership_name_of(ownership, ownership->owner), ownership_name_of(ownership, target), cause);
}

static void wait_for_leaver(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	char why[PROTO_REASON_MAX + 1];

	snprintf(why, sizeof(why), "%s has left the pool and may serve until its lease is over",
		ownership->leaver);
	orphan(ownership, why, now_ms, actions);
	if (ownership->deadline_ms > ownership->vacant_ms)
		ownership->deadline_ms = ownership->vacant_ms;
}

void change_release(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	set_standing(ownership, &ownership->epoch, OWNERSHIP_NOBODY, ownership->cause, 0);
	change_phase(ownership, OWNERSHIP_MOVING, now_ms + OWNERSHIP_RELEASE_MS, now_ms);
	ownership->step = OWNERSHIP_STEP_RELEASE;
	change_send(ownership, actions);
}

static void describe_nobody(const struct ownership *ownership, int64_t now_ms, char *why, size_t size)
{
	struct text text = {0};
	struct err err;

	for (size_t i = 0; i < ownership->config.member_count; i++) {
		if (ownership_can_take(ownership, i, now_ms, &err))
			continue;
		text_add(&text, "%s%s", text.length ? "; " : "", err.text);
	}
	text_copy(why, size, text.data != NULL ? text.data : "it has no gateway");
	text_clear(&text);
}

void change_lose(struct ownership *ownership, const char *cause, size_t except, int64_t now_ms,
	struct ownership_actions *actions)
{
	char why[PROTO_REASON_MAX + 1];
	size_t next = ownership_pick(ownership, except, now_ms);

	if (ownership->phase == OWNERSHIP_TAKING && grant_is_out(ownership))
		ownership->owner = ownership->target; /* it may serve, for all that is known */
	text_copy(ownership->cause, sizeof(ownership->cause), cause);
	if (ownership->frozen) {
		orphan(ownership, "automatic moves are frozen", now_ms, actions);
		return;
	}
	if (now_ms < ownership->vacant_ms) {
		wait_for_leaver(ownership, now_ms, actions);
		return;
	}
	if (next != OWNERSHIP_NOBODY) {
		change_take(ownership, next, cause, now_ms, actions);
		return;
	}
	describe_nobody(ownership, now_ms, why, sizeof(why));
	orphan(ownership, why, now_ms, actions);
}

void change_adopt(
	struct ownership *ownership, size_t member, int64_t now_ms, struct ownership_actions *actions)
{
	char text[EPOCH_TEXT_MAX];
	const struct epoch *epoch = &ownership->members[member].seat.epoch;
	bool recovering = ownership->phase == OWNERSHIP_RECOVERING;

	ownership->owner = OWNERSHIP_NOBODY;
	note_epoch(ownership, epoch);
	set_standing(ownership, epoch, member, "adopted", 0);
	ownership->owner = member;
	ownership->granted_ms = now_ms; /* by what leave it serves is not known */
	ownership->ordered_ms = INT64_MIN;
	change_phase(ownership, OWNERSHIP_STABLE, INT64_MAX, now_ms);
	change_event(actions, recovering ? OWNERSHIP_INFO : OWNERSHIP_WARNING,
		"%s is served by %s under %s: adopted", ownership->config.name,
		ownership_name_of(ownership, member), epoch_format(epoch, text));
}
