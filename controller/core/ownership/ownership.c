/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/ownership/ownership.h"

#include <stdio.h>

#include "common/base/text.h"
#include "common/cluster/lease.h"
#include "controller/core/ownership/internal.h"

enum { CALLED_OFF_MS = 5000, WAIT_FOR_TERM_MS = 20 };

void ownership_init(struct ownership *ownership, const struct ownership_config *config,
	struct epoch_source *source, int64_t now_ms)
{
	*ownership = (struct ownership){
		.config = *config,
		.source = source,
		.phase = OWNERSHIP_RECOVERING,
		.started_ms = now_ms,
		.owner = OWNERSHIP_NOBODY,
		.target = OWNERSHIP_NOBODY,
		.since_ms = now_ms,
		.deadline_ms = now_ms + OWNERSHIP_LISTEN_MS,
		.ordered_ms = INT64_MIN,
		.sign_ms = INT64_MIN,
		.move_after_ms = INT64_MIN,
		.vacant_ms = INT64_MIN,
		.granted_ms = now_ms,
		.settled_ms = INT64_MIN,
	};
	ownership->terms = grant_terms(config);
	for (size_t i = 0; i < config->member_count; i++)
		member_init(&ownership->members[i], config->members[i]);
	text_copy(ownership->why, sizeof(ownership->why), "listening who serves it");
}

static struct ownership_member *owner_of(struct ownership *ownership)
{
	return &ownership->members[ownership->owner];
}

static bool is_served_under(const struct ownership_member *member, const struct epoch *epoch)
{
	return member_serves(member) && epoch_compare(&member->seat.epoch, epoch) == 0;
}

/* A very first owner is the most preferred of those who live, if it becomes fit soon. */
static bool is_worth_waiting(const struct ownership *ownership, int64_t now_ms)
{
	size_t first = ownership_pick(ownership, OWNERSHIP_NOBODY, now_ms);

	if (!epoch_is_zero(&ownership->highest) || now_ms >= ownership->started_ms + OWNERSHIP_FIRST_MS)
		return false;
	for (size_t i = 0; i < ownership->config.member_count && i != first; i++)
		if (!member_is_down(&ownership->members[i]) && !ownership->members[i].drained &&
			!ownership->members[i].leaving)
			return true;
	return false;
}

/* Rule 6: at the end of listening, the highest that is served is adopted. With nobody serving, a first owner is
 * named only when every member has spoken or is known not to serve. */
static void recover(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	if (now_ms < ownership->started_ms + OWNERSHIP_LISTEN_MS)
		return;
	size_t serving = ownership_serving(ownership);
	if (serving != OWNERSHIP_NOBODY) {
		change_adopt(ownership, serving, now_ms, actions);
		return;
	}
	if (now_ms < grant_vacant_ms(ownership)) {
		ownership->deadline_ms = grant_vacant_ms(ownership);
		text_copy(ownership->why, sizeof(ownership->why),
			"listening for a lease: nobody can be serving unheard after that");
		return;
	}
	size_t missing = ownership_unaccounted(ownership, now_ms);
	if (missing != OWNERSHIP_NOBODY) {
		ownership->deadline_ms = now_ms + OWNERSHIP_LISTEN_MS;
		snprintf(ownership->why, sizeof(ownership->why),
			"waiting for a word from %s, or of its death", ownership_name_of(ownership, missing));
		return;
	}
	if (!epoch_source_is_ready(ownership->source) || is_worth_waiting(ownership, now_ms)) {
		ownership->deadline_ms = now_ms + WAIT_FOR_TERM_MS;
		return;
	}
	const char *cause = epoch_is_zero(&ownership->highest) ? "first" : "unserved";
	change_lose(ownership, cause, OWNERSHIP_NOBODY, now_ms, actions);
}

static void lose_owner(struct ownership *ownership, const char *cause, size_t except, int64_t now_ms,
	struct ownership_actions *actions)
{
	const struct ownership_member *owner = owner_of(ownership);

	/* Silence counts from its last sign of life; one that tells of its loss itself, from its last word of serving. */
	ownership->sign_ms = member_is_down(owner) ? owner->last_sign_ms : owner->served_ms;
	change_lose(ownership, cause, except, now_ms, actions);
}

/* Released to nobody: one that stepped down for a higher epoch says who is next by that, and its holder is about to
 * speak, or has_lost_it() will tell. */
static bool has_released(const struct ownership *ownership)
{
	const struct ownership_member *owner = &ownership->members[ownership->owner];

	return owner->spoken && epoch_compare(&owner->seat.released, &ownership->epoch) >= 0 &&
	       epoch_compare(&owner->seat.highest, &ownership->epoch) <= 0 && !member_serves(owner);
}

/* It says "standby" for longer than a message that was overtaken could make it seem. */
static bool has_lost_it(const struct ownership *ownership, int64_t now_ms)
{
	const struct ownership_member *owner = &ownership->members[ownership->owner];

	return owner->standby_since_ms != INT64_MAX && now_ms - owner->standby_since_ms >= OWNERSHIP_LOST_MS;
}

/* Why the owner is no owner any more; NULL: it is, as far as is known. */
static const char *cause_of_loss(const struct ownership *ownership, int64_t now_ms)
{
	const struct ownership_member *owner = &ownership->members[ownership->owner];

	if (owner->verdict == VERDICT_DEAD)
		return "host-dead";
	if (member_is_fenced(owner))
		return "fenced";
	if (has_released(ownership) || has_lost_it(ownership, now_ms))
		return "lost";
	return NULL;
}

/* A preferred member that has been able to for `preempt`; OWNERSHIP_NOBODY. */
static size_t find_preferred(const struct ownership *ownership, int64_t now_ms)
{
	if (ownership->config.preempt_ms < 0)
		return OWNERSHIP_NOBODY;
	for (size_t i = 0; i < ownership->owner; i++) {
		const struct ownership_member *member = &ownership->members[i];
		if (ownership_can_take(ownership, i, now_ms, NULL) &&
			now_ms - member->fit_since_ms >= ownership->config.preempt_ms)
			return i;
	}
	return OWNERSHIP_NOBODY;
}

/* A planned move that nobody has to ask for. None before the owner has reported: a taker would not know its sessions. */
static void improve(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	const struct ownership_member *owner = owner_of(ownership);
	const char *cause = leaving_cause(owner);
	size_t target;

	if (ownership->frozen || now_ms < ownership->move_after_ms || owner->verdict != VERDICT_ALIVE ||
		!owner->fit_known || !is_served_under(owner, &ownership->epoch))
		return;
	target = cause != NULL ? ownership_pick(ownership, ownership->owner, now_ms)
			       : find_preferred(ownership, now_ms);
	if (target != OWNERSHIP_NOBODY)
		change_move(ownership, target, cause != NULL ? cause : "preempt", now_ms, actions);
}

static void watch_owner(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	const char *cause = cause_of_loss(ownership, now_ms);

	if (cause != NULL) {
		lose_owner(ownership, cause, OWNERSHIP_NOBODY, now_ms, actions);
		return;
	}
	if (owner_of(ownership)->verdict == VERDICT_AGENT_DOWN) {
		int64_t expiry_ms = ownership->config.exclusive
					    ? grant_vacant_ms(ownership)
					    : ownership_expiry_ms(ownership, ownership->owner);
		change_phase(ownership, OWNERSHIP_ARMED, expiry_ms, now_ms);
		change_event(actions, OWNERSHIP_WARNING,
			"the agent of %s is down: %s moves in %lld ms unless it returns",
			owner_of(ownership)->name, ownership->config.name,
			(long long)(expiry_ms > now_ms ? expiry_ms - now_ms : 0));
		return;
	}
	improve(ownership, now_ms, actions);
}

static void watch_armed(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	const char *cause = cause_of_loss(ownership, now_ms);

	if (ownership->config.exclusive)
		ownership->deadline_ms = grant_vacant_ms(ownership);
	if (cause != NULL) {
		lose_owner(ownership, cause, OWNERSHIP_NOBODY, now_ms, actions);
	} else if (owner_of(ownership)->verdict != VERDICT_AGENT_DOWN) {
		change_phase(ownership, OWNERSHIP_STABLE, INT64_MAX, now_ms);
		change_event(actions, OWNERSHIP_INFO, "the agent of %s is back: %s stays",
			owner_of(ownership)->name, ownership->config.name);
	} else if (now_ms >= ownership->deadline_ms) {
		lose_owner(ownership, "agent-down", OWNERSHIP_NOBODY, now_ms, actions);
	}
}

static void confirm(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	char text[EPOCH_TEXT_MAX];

	ownership->owner = ownership->target;
	change_phase(ownership, OWNERSHIP_STABLE, INT64_MAX, now_ms);
	change_event(actions, OWNERSHIP_INFO, "%s is served by %s under %s", ownership->config.name,
		owner_of(ownership)->name, epoch_format(&ownership->epoch, text));
}

/* It will not confirm: it is down, has refused, has fenced itself under this very epoch, or knows of a higher one. */
static bool has_failed(const struct ownership *ownership, const struct ownership_member *target)
{
	if (member_is_down(target))
		return true;
	if (!target->spoken)
		return false;
	if (target->seat.role == SEAT_FENCED && epoch_compare(&target->seat.epoch, &ownership->epoch) == 0)
		return true;
	if (epoch_compare(&target->seat.released, &ownership->epoch) >= 0) /* `fence`: refused aloud */
		return true;
	return epoch_compare(&target->seat.highest, &ownership->epoch) > 0;
}

/* `fence`: it asks, and has leave. A promise that it gave, or a restart, may bind it for a lease; and to pass it over
 * takes that long, too. */
static bool is_about_to_take(const struct ownership *ownership, size_t next, int64_t now_ms)
{
	int64_t patience_ms = OWNERSHIP_EXTRA_MS + lease_outlast_ms(ownership->config.lease_ms);

	return grant_is_out(ownership) &&
	       (next == OWNERSHIP_NOBODY || now_ms < ownership->ordered_ms + patience_ms);
}

/* The target's time is over. Nobody is better than one who is late, so it gets more time before it is asked again
 * under a new epoch. */
static void pass_over(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	size_t target = ownership->target;
	size_t next = ownership_pick(ownership, target, now_ms);
	char cause[PROTO_NAME_MAX + 1];

	text_copy(cause, sizeof(cause), ownership->cause);
	if (is_about_to_take(ownership, next, now_ms)) {
		ownership->deadline_ms = now_ms + OWNERSHIP_CONFIRM_MS;
		return;
	}
	if (next != OWNERSHIP_NOBODY) {
		ownership->withheld = true;
		ownership->members[target].passed_until_ms = now_ms + OWNERSHIP_PASSED_MS;
		change_event(actions, OWNERSHIP_WARNING, "%s did not confirm: passed over",
			ownership->members[target].name);
		change_take(ownership, next, cause, now_ms, actions);
	} else if (!ownership->extended && ownership_can_take(ownership, target, now_ms, NULL)) {
		ownership->extended = true;
		ownership->deadline_ms = now_ms + OWNERSHIP_EXTRA_MS;
	} else {
		change_lose(ownership, cause, OWNERSHIP_NOBODY, now_ms, actions);
	}
}

static void watch_taker(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	const struct ownership_member *target = &ownership->members[ownership->target];
	char cause[PROTO_NAME_MAX + 1];

	if (is_served_under(target, &ownership->epoch)) {
		confirm(ownership, now_ms, actions);
	} else if (has_failed(ownership, target)) {
		text_copy(cause, sizeof(cause), ownership->cause);
		change_lose(ownership, cause, OWNERSHIP_NOBODY, now_ms, actions);
	} else if (now_ms >= ownership->deadline_ms) {
		pass_over(ownership, now_ms, actions);
	}
}

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
	const struct ownership_member *owner = owner_of(ownership);
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

static void watch_move(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	const struct ownership_member *owner = owner_of(ownership);
	const struct ownership_member *target = &ownership->members[ownership->target];
	char cause[PROTO_NAME_MAX + 1];

	text_copy(cause, sizeof(cause), ownership->cause);
	if (has_released(ownership)) {
		finish_move(ownership, cause, now_ms, actions);
	} else if (cause_of_loss(ownership, now_ms) != NULL) {
		ownership->sign_ms = member_is_down(owner) ? owner->last_sign_ms : owner->served_ms;
		finish_move(ownership, cause_of_loss(ownership, now_ms), now_ms, actions);
	} else if (owner->verdict == VERDICT_AGENT_DOWN) {
		change_phase(ownership, OWNERSHIP_STABLE, INT64_MAX, now_ms);
		watch_owner(ownership, now_ms, actions);
	} else if (member_is_down(target) || (target->fit_known && !target->fit)) {
		call_off(ownership, "it cannot take it any more", now_ms, actions);
	} else if (ownership->step != OWNERSHIP_STEP_RELEASE) {
		watch_steps(ownership, now_ms, actions);
	} else if (now_ms >= ownership->deadline_ms) {
		call_off(ownership, "the owner did not release it", now_ms, actions);
	}
}

static void seek(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	char cause[PROTO_NAME_MAX + 1];
	size_t serving = ownership_serving(ownership);

	if (serving != OWNERSHIP_NOBODY && !member_is_down(&ownership->members[serving]) &&
		epoch_compare(&ownership->members[serving].seat.epoch, &ownership->epoch) >= 0) {
		change_adopt(ownership, serving, now_ms, actions);
		return;
	}
	text_copy(cause, sizeof(cause), ownership->cause);
	change_lose(ownership, cause, OWNERSHIP_NOBODY, now_ms, actions);
}

/* Somebody serves under a higher epoch than I have given out or heard of: it is right. */
static bool adopt_higher(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	size_t serving = ownership_serving(ownership);

	if (ownership->phase == OWNERSHIP_RECOVERING || serving == OWNERSHIP_NOBODY)
		return false;
	if (epoch_compare(&ownership->members[serving].seat.epoch, &ownership->epoch) <= 0)
		return false;
	change_adopt(ownership, serving, now_ms, actions);
	return true;
}

static void consider(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	if (adopt_higher(ownership, now_ms, actions))
		return;
	switch (ownership->phase) {
	case OWNERSHIP_RECOVERING:
		recover(ownership, now_ms, actions);
		return;
	case OWNERSHIP_STABLE:
		watch_owner(ownership, now_ms, actions);
		return;
	case OWNERSHIP_ARMED:
		watch_armed(ownership, now_ms, actions);
		return;
	case OWNERSHIP_TAKING:
		watch_taker(ownership, now_ms, actions);
		return;
	case OWNERSHIP_MOVING:
		watch_move(ownership, now_ms, actions);
		return;
	case OWNERSHIP_ORPHAN:
	case OWNERSHIP_FROZEN:
		seek(ownership, now_ms, actions);
		return;
	}
}

/* Of two owners the lower is told, and told again while it goes on. Two under one epoch get a new one. */
static void correct(
	struct ownership *ownership, size_t member, int64_t now_ms, struct ownership_actions *actions)
{
	struct ownership_member *m = &ownership->members[member];
	bool settled = ownership->phase == OWNERSHIP_STABLE || ownership->phase == OWNERSHIP_TAKING;
	size_t right = ownership->phase == OWNERSHIP_TAKING ? ownership->target : ownership->owner;

	if (!settled || !member_serves(m) || member == right)
		return;
	if (m->told_ms != INT64_MIN && now_ms - m->told_ms < OWNERSHIP_RESEND_MS)
		return;
	m->told_ms = now_ms;
	if (epoch_compare(&m->seat.epoch, &ownership->epoch) < 0) {
		change_send(ownership, actions);
		return;
	}
	change_event(actions, OWNERSHIP_ALARM,
		"%s and %s both serve %s under one epoch: is there a second controller?",
		ownership_name_of(ownership, right), m->name, ownership->config.name);
	change_take(ownership, right, "equal-epoch", now_ms, actions);
}

static void hear_seat(struct ownership *ownership, const struct ownership_event *event, int64_t now_ms)
{
	const struct epoch *heard[] = {&event->seat->highest, &event->seat->epoch, &event->seat->released};

	member_hear_seat(&ownership->members[event->member], event->seat, now_ms);
	for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++) {
		epoch_source_hear(ownership->source, heard[i]);
		if (epoch_compare(heard[i], &ownership->highest) > 0)
			ownership->highest = *heard[i];
	}
}

/* Of one who cannot be heard itself this is all there is to tell that it serves. */
static void hear_claim(struct ownership *ownership, const struct ownership_event *event, int64_t now_ms,
	struct ownership_actions *actions)
{
	const struct ownership_member *member = &ownership->members[event->member];
	bool taking = ownership->phase == OWNERSHIP_TAKING && event->member == ownership->target;
	struct seat_state seat = member->seat;

	grant_claim(ownership, event->member, event->claim, now_ms, actions);
	if (!event->claim->serves || (!taking && ownership->phase != OWNERSHIP_RECOVERING) ||
		is_served_under(member, &event->claim->epoch))
		return;
	seat.role = SEAT_SERVING;
	seat.epoch = seat.highest = event->claim->epoch;
	hear_seat(ownership, &(struct ownership_event){.member = event->member, .seat = &seat}, now_ms);
}

void ownership_step(struct ownership *ownership, const struct ownership_event *event, int64_t now_ms,
	struct ownership_actions *actions)
{
	if (event->kind != OWNERSHIP_EVENT_TICK && event->member >= ownership->config.member_count)
		return;
	struct ownership_member *member = &ownership->members[event->member];

	switch (event->kind) {
	case OWNERSHIP_EVENT_TICK:
		break;
	case OWNERSHIP_EVENT_SEAT:
		hear_seat(ownership, event, now_ms);
		break;
	case OWNERSHIP_EVENT_VERDICT:
		member_hear_verdict(member, event->verdict, event->last_sign_ms, now_ms);
		break;
	case OWNERSHIP_EVENT_FITNESS:
		member_hear_fitness(member, event->fit, event->why, now_ms);
		break;
	case OWNERSHIP_EVENT_LEAVING:
		leaving_hear(ownership, event->member, event->leaving, now_ms, actions);
		break;
	case OWNERSHIP_EVENT_CLAIM:
		hear_claim(ownership, event, now_ms, actions);
		break;
	case OWNERSHIP_EVENT_HOLDS:
		grant_settle(ownership, event->member, now_ms);
		break;
	}
	consider(ownership, now_ms, actions);
	if (event->kind == OWNERSHIP_EVENT_SEAT)
		correct(ownership, event->member, now_ms, actions);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When something may be due that no event announces, while the owner serves. */
static int64_t stable_deadline(const struct ownership *ownership)
{
	const struct ownership_member *owner = &ownership->members[ownership->owner];
	int64_t deadline_ms = INT64_MAX;

	if (owner->standby_since_ms != INT64_MAX)
		deadline_ms = owner->standby_since_ms + OWNERSHIP_LOST_MS;
	for (size_t i = 0; ownership->config.preempt_ms >= 0 && i < ownership->owner; i++)
		if (ownership->members[i].fit_since_ms != INT64_MAX)
			deadline_ms = sooner(deadline_ms,
				ownership->members[i].fit_since_ms + ownership->config.preempt_ms);
	return deadline_ms;
}

int64_t ownership_deadline(const struct ownership *ownership)
{
	if (ownership->phase == OWNERSHIP_STABLE)
		return stable_deadline(ownership);
	return ownership->deadline_ms;
}

const char *ownership_phase_name(enum ownership_phase phase)
{
	switch (phase) {
	case OWNERSHIP_RECOVERING:
		return "recovering";
	case OWNERSHIP_STABLE:
		return "stable";
	case OWNERSHIP_ARMED:
		return "armed";
	case OWNERSHIP_TAKING:
		return "taking";
	case OWNERSHIP_MOVING:
		return "moving";
	case OWNERSHIP_ORPHAN:
		return "orphan";
	case OWNERSHIP_FROZEN:
		return "frozen";
	}
	return "recovering";
}
