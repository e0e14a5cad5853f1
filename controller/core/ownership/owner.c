/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "controller/core/ownership/internal.h"

struct ownership_member *ownership_owner(struct ownership *ownership)
{
	return &ownership->members[ownership->owner];
}

/* Released to nobody: one that stepped down for a higher epoch says who is next by that, and its holder is about to
 * speak, or has_lost_it() will tell. */
bool owner_has_released(const struct ownership *ownership)
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

const char *owner_cause_of_loss(const struct ownership *ownership, int64_t now_ms)
{
	const struct ownership_member *owner = &ownership->members[ownership->owner];

	if (owner->verdict == VERDICT_DEAD)
		return "host-dead";
	if (member_is_fenced(owner))
		return "fenced";
	if (owner_has_released(ownership) || has_lost_it(ownership, now_ms))
		return "lost";
	if (revocation_bars_owner(ownership, now_ms))
		return "below-floor";
	return NULL;
}

/* If it loses it through faults again and again, it is held down. */
static void note_fault(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	struct ownership_member *owner = ownership_owner(ownership);
	int64_t length_ms = holddown_lose(&owner->holddown, now_ms);

	if (length_ms)
		change_event(actions, OWNERSHIP_WARNING,
			"%s loses %s again and again: for %lld s it gets it only if nobody else can",
			owner->name, ownership->config.name, (long long)length_ms / 1000);
}

/* A drain ends with a resume, which forgives. */
void ownership_recall(
	struct ownership *ownership, const char *from, const char *to, const char *cause, int64_t at_ms)
{
	size_t loser = ownership_find(ownership, from), taker = ownership_find(ownership, to);

	if (loser != OWNERSHIP_NOBODY && holddown_is_fault(cause))
		(void)holddown_lose(&ownership->members[loser].holddown, at_ms);
	if (loser != OWNERSHIP_NOBODY && !strcmp(cause, "drain"))
		holddown_forgive(&ownership->members[loser].holddown);
	if (taker != OWNERSHIP_NOBODY && !strcmp(cause, "move"))
		holddown_forgive(&ownership->members[taker].holddown);
}

void ownership_recall_epoch(struct ownership *ownership, const char *owner, const struct epoch *epoch)
{
	size_t member = ownership_find(ownership, owner);

	if (member != OWNERSHIP_NOBODY && epoch_compare(epoch, &ownership->members[member].recalled) > 0)
		ownership->members[member].recalled = *epoch;
}

static void lose_owner(struct ownership *ownership, const char *cause, size_t except, int64_t now_ms,
	struct ownership_actions *actions)
{
	const struct ownership_member *owner = ownership_owner(ownership);

	/* Silence counts from its last sign of life; one that tells of its loss itself, from its last word of serving. */
	ownership->sign_ms = member_is_down(owner) ? owner->last_sign_ms : owner->served_ms;
	if (epoch_compare(&ownership->lost, &ownership->epoch) !=
		0) /* in `fence` it is lost until its lease is over */
		note_fault(ownership, now_ms, actions);
	ownership->lost = ownership->epoch;
	change_lose(ownership, cause, except, now_ms, actions);
}

int64_t owner_doubt_ms(const struct ownership *ownership)
{
	int64_t since_ms = ownership->members[ownership->owner].impaired_since_ms;

	return since_ms == INT64_MAX ? INT64_MAX : since_ms + ownership->config.doubt_ms;
}

int64_t owner_preempt_ms(const struct ownership *ownership, size_t member)
{
	const struct ownership_member *m = &ownership->members[member];
	int64_t due_ms;

	if (m->fit_since_ms == INT64_MAX)
		return INT64_MAX;
	due_ms = m->fit_since_ms + ownership->config.preempt_ms;
	return due_ms > m->holddown.until_ms ? due_ms : m->holddown.until_ms;
}

/* A preferred member that has been able to for `preempt`; OWNERSHIP_NOBODY. */
static size_t find_preferred(const struct ownership *ownership, int64_t now_ms)
{
	if (ownership->config.preempt_ms < 0)
		return OWNERSHIP_NOBODY;
	for (size_t i = 0; i < ownership->owner; i++)
		if (now_ms >= owner_preempt_ms(ownership, i) &&
			ownership_can_take(ownership, i, now_ms, NULL))
			return i;
	return OWNERSHIP_NOBODY;
}

/* Who shall have it instead of the owner; OWNERSHIP_NOBODY. One that is impaired itself is no better. */
static size_t find_better(const struct ownership *ownership, const char *cause, int64_t now_ms)
{
	size_t next = ownership_pick(ownership, ownership->owner, now_ms);

	if (next == OWNERSHIP_NOBODY || strcmp(cause, "impaired") != 0)
		return next;
	if (now_ms < owner_doubt_ms(ownership) || !ownership_is_first_choice(ownership, next, now_ms, NULL))
		return OWNERSHIP_NOBODY;
	return next;
}

/* What the owner lacks, so that it loses it. */
static void tell_lack(const struct ownership *ownership, const char *cause, struct ownership_actions *actions)
{
	const struct ownership_member *owner = &ownership->members[ownership->owner];

	if (strcmp(cause, "unfit") == 0)
		change_event(actions, OWNERSHIP_WARNING, "%s cannot serve %s: %s", owner->name,
			ownership->config.name, owner->why);
	else if (strcmp(cause, "below-floor") == 0)
		change_event(actions, OWNERSHIP_WARNING,
			"%s serves %s below the revocation floor: it holds generation %llu, not %llu",
			owner->name, ownership->config.name, (unsigned long long)owner->generation,
			(unsigned long long)ownership->floor);
	else if (strcmp(cause, "impaired") == 0)
		change_event(actions, OWNERSHIP_WARNING, "%s serves %s worse than it should: %s", owner->name,
			ownership->config.name, owner->impaired);
}

/* A planned move that nobody has to ask for. None before the owner has reported: a taker would not know its sessions. */
static void improve(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	const struct ownership_member *owner = ownership_owner(ownership);
	const char *cause = revocation_moves_owner(ownership, now_ms) ? "below-floor" : leaving_cause(owner);
	size_t target;

	if (ownership->frozen || now_ms < ownership->move_after_ms || owner->verdict != VERDICT_ALIVE ||
		!owner->fit_known || !member_serves_under(owner, &ownership->epoch))
		return;
	target = cause != NULL ? find_better(ownership, cause, now_ms) : find_preferred(ownership, now_ms);
	if (target == OWNERSHIP_NOBODY)
		return;
	if (cause != NULL) {
		tell_lack(ownership, cause, actions);
		if (!owner->drained && !owner->leaving)
			note_fault(ownership, now_ms, actions);
	}
	change_move(ownership, target, cause != NULL ? cause : "preempt", now_ms, actions);
}

void owner_watch(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	const char *cause = owner_cause_of_loss(ownership, now_ms);

	if (cause != NULL) {
		lose_owner(ownership, cause, OWNERSHIP_NOBODY, now_ms, actions);
		return;
	}
	if (ownership_owner(ownership)->verdict == VERDICT_AGENT_DOWN) {
		int64_t expiry_ms = ownership->config.exclusive
					    ? grant_vacant_ms(ownership)
					    : ownership_expiry_ms(ownership, ownership->owner);
		change_phase(ownership, OWNERSHIP_ARMED, expiry_ms, now_ms);
		change_event(actions, OWNERSHIP_WARNING,
			"the agent of %s is down: %s moves in %lld ms unless it returns",
			ownership_owner(ownership)->name, ownership->config.name,
			(long long)(expiry_ms > now_ms ? expiry_ms - now_ms : 0));
		return;
	}
	improve(ownership, now_ms, actions);
}

void owner_watch_armed(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	const char *cause = owner_cause_of_loss(ownership, now_ms);

	if (ownership->config.exclusive)
		ownership->deadline_ms = grant_vacant_ms(ownership);
	if (cause != NULL) {
		lose_owner(ownership, cause, OWNERSHIP_NOBODY, now_ms, actions);
	} else if (ownership_owner(ownership)->verdict != VERDICT_AGENT_DOWN) {
		change_phase(ownership, OWNERSHIP_STABLE, INT64_MAX, now_ms);
		change_event(actions, OWNERSHIP_INFO, "the agent of %s is back: %s stays",
			ownership_owner(ownership)->name, ownership->config.name);
	} else if (now_ms >= ownership->deadline_ms) {
		lose_owner(ownership, "agent-down", OWNERSHIP_NOBODY, now_ms, actions);
	}
}
