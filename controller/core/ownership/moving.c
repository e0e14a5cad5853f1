/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/text.h"
#include "controller/core/ownership/internal.h"

enum { CALLED_OFF_MS = 5000 };

static void call_off(
	struct ownership *ownership, const char *why, int64_t now_ms, struct ownership_actions *actions)
{
	ownership->move_after_ms = now_ms + CALLED_OFF_MS;
	change_event(actions, OWNERSHIP_WARNING, "the move of %s to %s is called off: %s",
		ownership->config.name, ownership_name_of(ownership, ownership->target), why);
	/* under a new epoch, since the owner may have released the present one meanwhile */
	change_take(ownership, ownership->owner, "called-off", now_ms, actions);
}

static void finish_move(
	struct ownership *ownership, const char *cause, int64_t now_ms, struct ownership_actions *actions)
{
	size_t target = ownership->target;

	if (ownership_can_take(ownership, target, now_ms, NULL))
		change_take(ownership, target, cause, now_ms, actions);
	else
		change_lose(ownership, cause, OWNERSHIP_NOBODY, now_ms, actions);
}

static bool says(const struct ownership_member *member, enum seat_role role)
{
	return member->spoken && member->seat.role == role;
}

/* The steps before the commit point. Whatever goes wrong in them costs packets, never the move. */
static void watch_steps(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	const struct ownership_member *owner = ownership_owner(ownership);
	const struct ownership_member *target = &ownership->members[ownership->target];
	bool late = now_ms >= ownership->deadline_ms;

	if (ownership->step == OWNERSHIP_STEP_HOST && says(owner, SEAT_HOSTING)) {
		ownership->step = OWNERSHIP_STEP_PULL;
		ownership->deadline_ms = now_ms + OWNERSHIP_PULL_MS;
		late = false;
	}
	if (ownership->step == OWNERSHIP_STEP_PULL && (says(target, SEAT_PULLED) || late)) {
		change_release(ownership, now_ms, actions);
		if (late)
			change_event(actions, OWNERSHIP_WARNING,
				"%s has not woken all peers of %s: it moves all the same", target->name,
				ownership->config.name);
	} else if (ownership->step == OWNERSHIP_STEP_HOST && late) {
		change_release(ownership, now_ms, actions);
		change_event(actions, OWNERSHIP_WARNING,
			"%s cannot steer packets to %s: %s moves without, some may be lost", owner->name,
			target->name, ownership->config.name);
	}
}

void moving_watch(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	const struct ownership_member *owner = ownership_owner(ownership);
	const struct ownership_member *target = &ownership->members[ownership->target];
	char cause[PROTO_NAME_MAX + 1];

	text_copy(cause, sizeof(cause), ownership->cause);
	if (owner_has_released(ownership)) {
		finish_move(ownership, cause, now_ms, actions);
	} else if (owner_cause_of_loss(ownership, now_ms) != NULL) {
		ownership->sign_ms = member_is_down(owner) ? owner->last_sign_ms : owner->served_ms;
		finish_move(ownership, owner_cause_of_loss(ownership, now_ms), now_ms, actions);
	} else if (owner->verdict == VERDICT_AGENT_DOWN) {
		change_phase(ownership, OWNERSHIP_STABLE, INT64_MAX, now_ms);
		owner_watch(ownership, now_ms, actions);
	} else if (member_is_down(target) || (target->fit_known && !target->fit)) {
		call_off(ownership, "it cannot take it any more", now_ms, actions);
	} else if (ownership->step != OWNERSHIP_STEP_RELEASE) {
		watch_steps(ownership, now_ms, actions);
	} else if (now_ms >= ownership->deadline_ms) {
		call_off(ownership, "the owner did not release it", now_ms, actions);
	}
}
