/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "common/base/text.h"
#include "controller/core/ownership/internal.h"

static void tick(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	ownership_step(ownership, &(struct ownership_event){.kind = OWNERSHIP_EVENT_TICK}, now_ms, actions);
}

/* After a start nobody need be known who was granted leave before. */
static const char *name_or(const char *name)
{
	return name[0] != '\0' ? name : "a gateway that nobody knows any more";
}

static int check_phase(const struct ownership *ownership, int64_t now_ms, struct err *err)
{
	if (now_ms < ownership->vacant_ms)
		return err_set(err, -EBUSY, "%s: %s has left the pool and may serve until its lease is over",
			ownership->config.name, name_or(ownership->leaver));
	switch (ownership->phase) {
	case OWNERSHIP_RECOVERING:
		return err_set(err, -EBUSY, "%s: this controller has just started: %s",
			ownership->config.name, ownership->why);
	case OWNERSHIP_TAKING:
	case OWNERSHIP_MOVING:
		return err_set(err, -EBUSY, "%s is moving to %s already", ownership->config.name,
			name_or(ownership_name_of(ownership, ownership->target)));
	case OWNERSHIP_ORPHAN:
	case OWNERSHIP_FROZEN:
		if (now_ms < grant_vacant_ms(ownership))
			return err_set(err, -EBUSY, "%s: %s may serve it until its lease is over",
				ownership->config.name,
				name_or(ownership_name_of(ownership, ownership->owner)));
		break;
	case OWNERSHIP_STABLE:
	case OWNERSHIP_ARMED:
		break;
	}
	return 0;
}

int ownership_move(struct ownership *ownership, size_t member, int64_t now_ms,
	struct ownership_actions *actions, struct err *err)
{
	if (member >= ownership->config.member_count)
		return err_set(err, -ENOENT, "not a gateway of %s", ownership->config.name);
	int rc = check_phase(ownership, now_ms, err);
	if (rc < 0)
		return rc;
	bool served = ownership_is_served(ownership);
	if (served && ownership->owner == member)
		return err_set(err, -EALREADY, "%s is on %s already", ownership->config.name,
			ownership->members[member].name);
	rc = ownership_check(ownership, member, now_ms, err);
	if (rc < 0)
		return rc;
	if (ownership->phase == OWNERSHIP_ARMED || (ownership->phase == OWNERSHIP_STABLE && !served))
		return err_set(err, -EHOSTDOWN,
			"%s: its owner %s cannot be told to release it; it moves by itself",
			ownership->config.name, ownership_name_of(ownership, ownership->owner));
	if (served && !ownership->members[ownership->owner].fit_known)
		return err_set(err, -EBUSY,
			"%s: %s, which serves it, has not reported yet, so who takes it would not know its "
			"sessions",
			ownership->config.name, ownership_name_of(ownership, ownership->owner));
	holddown_forgive(&ownership->members[member].holddown);
	if (served && ownership->phase == OWNERSHIP_STABLE)
		change_move(ownership, member, "move", now_ms, actions);
	else
		change_take(ownership, member, "move", now_ms, actions);
	return 0;
}

void ownership_drain(
	struct ownership *ownership, size_t member, int64_t now_ms, struct ownership_actions *actions)
{
	if (member >= ownership->config.member_count || ownership->members[member].drained)
		return;
	ownership->members[member].drained = true;
	ownership->move_after_ms = INT64_MIN;
	change_event(actions, OWNERSHIP_INFO, "%s is drained: it gets nothing of %s until it is resumed",
		ownership->members[member].name, ownership->config.name);
	if (ownership->owner == member && ownership->phase == OWNERSHIP_STABLE &&
		ownership_pick(ownership, member, now_ms) == OWNERSHIP_NOBODY)
		change_event(actions, OWNERSHIP_WARNING, "%s stays on %s until somebody else can take it",
			ownership->config.name, ownership->members[member].name);
	tick(ownership, now_ms, actions);
}

void ownership_resume(
	struct ownership *ownership, size_t member, int64_t now_ms, struct ownership_actions *actions)
{
	if (member >= ownership->config.member_count || !ownership->members[member].drained)
		return;
	ownership->members[member].drained = false;
	holddown_forgive(&ownership->members[member].holddown);
	change_event(actions, OWNERSHIP_INFO, "%s may have %s again", ownership->members[member].name,
		ownership->config.name);
	tick(ownership, now_ms, actions);
}

void ownership_freeze(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	if (ownership->frozen)
		return;
	ownership->frozen = true;
	change_event(actions, OWNERSHIP_WARNING, "%s is frozen: it does not move by itself",
		ownership->config.name);
	if (ownership->phase == OWNERSHIP_ORPHAN)
		ownership->phase = OWNERSHIP_FROZEN;
	tick(ownership, now_ms, actions);
}

void ownership_thaw(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	if (!ownership->frozen)
		return;
	ownership->frozen = false;
	change_event(actions, OWNERSHIP_INFO, "%s moves by itself again", ownership->config.name);
	if (ownership->phase == OWNERSHIP_FROZEN)
		ownership->phase = OWNERSHIP_ORPHAN;
	tick(ownership, now_ms, actions);
}

static size_t renumber(const struct ownership *ownership, const struct ownership *old, size_t member)
{
	const char *name = ownership_name_of(old, member);

	return name[0] == '\0' ? OWNERSHIP_NOBODY : ownership_find(ownership, name);
}

static void carry_over(struct ownership *ownership, const struct ownership *old)
{
	for (size_t i = 0; i < ownership->config.member_count; i++) {
		size_t was = ownership_find(old, ownership->config.members[i]);
		if (was != OWNERSHIP_NOBODY)
			ownership->members[i] = old->members[was];
		else
			member_init(&ownership->members[i], ownership->config.members[i]);
	}
}

/* May it serve, or take what it was ordered to, without anybody being able to tell it otherwise? */
static bool is_out_of_reach(const struct ownership_member *member, int64_t now_ms)
{
	if (member->verdict == VERDICT_DEAD)
		return false;
	return member->verdict != VERDICT_ALIVE || !member->spoken ||
	       now_ms - member->seat_ms > OWNERSHIP_SPOKEN_MS;
}

static void wait_for(struct ownership *ownership, const struct ownership *old, size_t member, int64_t now_ms)
{
	int64_t expiry_ms = ownership_expiry_ms(old, member);

	if (!is_out_of_reach(&old->members[member], now_ms) || expiry_ms <= ownership->vacant_ms)
		return;
	ownership->vacant_ms = expiry_ms;
	text_copy(ownership->leaver, sizeof(ownership->leaver), old->members[member].name);
}

/* While it is not known who serves, any of them might. */
static void wait_for_leavers(struct ownership *ownership, const struct ownership *old, int64_t now_ms)
{
	for (size_t i = 0; i < old->config.member_count; i++) {
		bool suspect = i == old->owner || old->phase == OWNERSHIP_RECOVERING ||
			       (i == old->target && old->phase == OWNERSHIP_TAKING) ||
			       member_serves(&old->members[i]);

		if (suspect && ownership_find(ownership, old->members[i].name) == OWNERSHIP_NOBODY)
			wait_for(ownership, old, i, now_ms);
	}
}

/* `fence`: leave that was granted to one who has left is good until it has run out. */
static void hold_for_leave(struct ownership *ownership, const struct ownership *old)
{
	int64_t vacant_ms = grant_vacant_ms(old);
	size_t holder = old->phase == OWNERSHIP_TAKING ? old->target : old->owner;

	if (ownership_find(ownership, ownership_name_of(old, holder)) != OWNERSHIP_NOBODY)
		return;
	ownership->granted_ms = INT64_MIN;
	if (vacant_ms <= ownership->vacant_ms)
		return;
	ownership->vacant_ms = vacant_ms;
	text_copy(ownership->leaver, sizeof(ownership->leaver), ownership_name_of(old, holder));
}

/* Tell the one that has left the pool, by the order's `from`, and look for another. */
static void leave(struct ownership *ownership, const struct ownership *old, int64_t now_ms,
	struct ownership_actions *actions)
{
	ownership->standing = (struct order){.epoch = ownership->epoch};
	text_copy(ownership->standing.endpoint, sizeof(ownership->standing.endpoint), ownership->config.name);
	text_copy(ownership->standing.from, sizeof(ownership->standing.from),
		ownership_name_of(old, old->owner));
	text_copy(ownership->standing.cause, sizeof(ownership->standing.cause), "left-pool");
	change_send(ownership, actions);
	change_lose(ownership, "left-pool", OWNERSHIP_NOBODY, now_ms, actions);
}

static bool stays_any(const struct ownership *ownership, const struct ownership_config *config)
{
	for (size_t i = 0; i < config->member_count; i++)
		if (ownership_find(ownership, config->members[i]) != OWNERSHIP_NOBODY)
			return true;
	return false;
}

int ownership_check_change(const struct ownership *ownership, const struct ownership_config *config,
	int64_t now_ms, struct err *err)
{
	const char *name = ownership->config.name;

	if (!ownership->config.exclusive || !config->exclusive)
		return 0;
	if (now_ms < ownership->settled_ms)
		return err_set(err, -EBUSY,
			ownership->settled_ms == INT64_MAX ? "%s (isolation: fence): none of its gateways "
							     "has taken up the last change of them or of "
							     "the lease: bring one of them back first"
							   : "%s (isolation: fence): the last change of its "
							     "gateways or lease settles when a lease "
							     "is over: try again in a moment",
			name);
	if (!stays_any(ownership, config))
		return err_set(err, -ENOTSUP,
			"%s (isolation: fence): one of its present gateways has to stay: add the new ones, "
			"apply, and "
			"then take the old ones out",
			name);
	return 0;
}

void ownership_configure(struct ownership *ownership, const struct ownership_config *config, int64_t now_ms,
	struct ownership_actions *actions)
{
	struct ownership old = *ownership;

	ownership->config = *config;
	ownership->terms = grant_terms(config);
	for (size_t i = 0; i < config->member_count; i++)
		text_copy(ownership->members[i].name, sizeof(ownership->members[i].name), config->members[i]);
	ownership->owner = renumber(ownership, &old, old.owner);
	ownership->target = renumber(ownership, &old, old.target);
	carry_over(ownership, &old);
	relay_admit(ownership);
	wait_for_leavers(ownership, &old, now_ms);
	grant_change(ownership, &old, now_ms);
	bool owner_left = old.owner != OWNERSHIP_NOBODY && ownership->owner == OWNERSHIP_NOBODY;
	bool target_left = old.target != OWNERSHIP_NOBODY && ownership->target == OWNERSHIP_NOBODY;

	if (ownership->phase == OWNERSHIP_RECOVERING)
		return;
	if (owner_left || target_left)
		hold_for_leave(ownership, &old);
	if (target_left && !owner_left && ownership->phase == OWNERSHIP_MOVING)
		change_take(ownership, ownership->owner, "called-off", now_ms, actions);
	else if (owner_left && ownership->phase != OWNERSHIP_TAKING)
		leave(ownership, &old, now_ms, actions);
	else if (target_left)
		change_lose(ownership, old.cause, OWNERSHIP_NOBODY, now_ms, actions);
	tick(ownership, now_ms, actions);
}
