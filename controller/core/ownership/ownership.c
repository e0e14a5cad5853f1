/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/ownership/ownership.h"

#include "common/base/text.h"
#include "controller/core/ownership/internal.h"

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
		recovery_watch(ownership, now_ms, actions);
		return;
	case OWNERSHIP_STABLE:
		owner_watch(ownership, now_ms, actions);
		return;
	case OWNERSHIP_ARMED:
		owner_watch_armed(ownership, now_ms, actions);
		return;
	case OWNERSHIP_TAKING:
		taking_watch(ownership, now_ms, actions);
		return;
	case OWNERSHIP_MOVING:
		moving_watch(ownership, now_ms, actions);
		return;
	case OWNERSHIP_ORPHAN:
	case OWNERSHIP_FROZEN:
		seek(ownership, now_ms, actions);
		return;
	}
}

/* A target that has fallen below the revocation floor since it was ordered is passed over unless it catches up in time. An
 * owner that has it back serves all the while. */
bool ownership_repeats_to(const struct ownership *ownership, size_t member)
{
	bool takes = ownership->phase == OWNERSHIP_TAKING && member == ownership->target;

	return !epoch_is_zero(&ownership->standing.epoch) && member < ownership->config.member_count &&
	       (!takes || member == ownership->owner || revocation_check(ownership, member, NULL) >= 0);
}

/* Of two owners the lower is told, and told again while it goes on. Two under one epoch get a new one. */
static void correct(
	struct ownership *ownership, size_t member, int64_t now_ms, struct ownership_actions *actions)
{
	struct ownership_member *m = &ownership->members[member];
	bool settled = ownership->phase == OWNERSHIP_STABLE || ownership->phase == OWNERSHIP_TAKING;
	size_t right = ownership->phase == OWNERSHIP_TAKING ? ownership->target : ownership->owner;

	if (!settled || !member_serves(m) || member == right || !ownership_repeats_to(ownership, right))
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

static void hear_epochs(struct ownership *ownership, const struct seat_state *seat)
{
	const struct epoch *heard[] = {&seat->highest, &seat->epoch, &seat->released};

	for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++) {
		epoch_source_hear(ownership->source, heard[i]);
		if (epoch_compare(heard[i], &ownership->highest) > 0)
			ownership->highest = *heard[i];
	}
}

static void hear_seat(struct ownership *ownership, const struct ownership_event *event, int64_t now_ms)
{
	member_hear_seat(&ownership->members[event->member], event->seat, now_ms);
	if (seat_role_serves(event->seat->role))
		relay_note_holder(ownership, &event->seat->epoch);
	hear_epochs(ownership, event->seat);
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
		member_serves_under(member, &event->claim->epoch) ||
		epoch_compare(&event->claim->epoch, &member->seat.released) <= 0)
		return;
	seat.role = SEAT_SERVING;
	seat.epoch = seat.highest = event->claim->epoch;
	hear_seat(ownership, &(struct ownership_event){.member = event->member, .seat = &seat}, now_ms);
}

static bool is_of_member(enum ownership_event_kind kind)
{
	return kind != OWNERSHIP_EVENT_TICK && kind != OWNERSHIP_EVENT_FLOOR;
}

void ownership_step(struct ownership *ownership, const struct ownership_event *event, int64_t now_ms,
	struct ownership_actions *actions)
{
	if (is_of_member(event->kind) && event->member >= ownership->config.member_count)
		return;
	struct ownership_member *member = &ownership->members[event->member];

	switch (event->kind) {
	case OWNERSHIP_EVENT_TICK:
		break;
	case OWNERSHIP_EVENT_SEAT:
		member->word_ms = now_ms;
		hear_seat(ownership, event, now_ms);
		break;
	case OWNERSHIP_EVENT_VERDICT:
		member_hear_verdict(member, event->verdict, event->last_sign_ms, now_ms);
		break;
	case OWNERSHIP_EVENT_FITNESS:
		member_hear_fitness(member, event->fit, event->why, event->impaired, now_ms);
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
	case OWNERSHIP_EVENT_GENERATION:
		revocation_hold(ownership, event->member, event->generation, now_ms);
		break;
	case OWNERSHIP_EVENT_RELAYED:
		hear_epochs(ownership, event->seat);
		relay_hear(ownership, event->about, event->seat, now_ms);
		break;
	case OWNERSHIP_EVENT_FLOOR:
		revocation_raise(ownership, event->floor, now_ms);
		break;
	}
	ownership->seen_ms = now_ms;
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
	int64_t deadline_ms =
		sooner(owner_doubt_ms(ownership), revocation_deadline(ownership, ownership->seen_ms));

	if (owner->standby_since_ms != INT64_MAX)
		deadline_ms = owner->standby_since_ms + OWNERSHIP_LOST_MS;
	for (size_t i = 0; ownership->config.preempt_ms >= 0 && i < ownership->owner; i++)
		deadline_ms = sooner(deadline_ms, owner_preempt_ms(ownership, i));
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
