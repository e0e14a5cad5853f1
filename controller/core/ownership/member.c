/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "common/base/text.h"
#include "common/cluster/lease.h"
#include "controller/core/ownership/internal.h"

void member_init(struct ownership_member *member, const char *name)
{
	*member = (struct ownership_member){
		.verdict = VERDICT_UNKNOWN,
		.last_sign_ms = INT64_MIN,
		.down_since_ms = INT64_MAX,
		.seat_ms = INT64_MIN,
		.word_ms = INT64_MIN,
		.served_ms = INT64_MIN,
		.standby_since_ms = INT64_MAX,
		.fenced_since_ms = INT64_MAX,
		.fit_ms = INT64_MIN,
		.fit_since_ms = INT64_MAX,
		.impaired_since_ms = INT64_MAX,
		.below_since_ms = INT64_MAX,
		.passed_until_ms = INT64_MIN,
		.told_ms = INT64_MIN,
	};
	text_copy(member->name, sizeof(member->name), name);
}

static void note_since(int64_t *since_ms, bool holds, int64_t now_ms)
{
	if (!holds)
		*since_ms = INT64_MAX;
	else if (*since_ms == INT64_MAX)
		*since_ms = now_ms;
}

static void note_role(struct ownership_member *member, int64_t now_ms)
{
	member->standby_count = member->seat.role == SEAT_STANDBY ? member->standby_count + 1 : 0;
	note_since(&member->standby_since_ms, member->seat.role == SEAT_STANDBY, now_ms);
	note_since(&member->fenced_since_ms, member->seat.role == SEAT_FENCED, now_ms);
}

void member_hear_seat(struct ownership_member *member, const struct seat_state *seat, int64_t now_ms)
{
	member->spoken = true;
	member->seat = *seat;
	member->seat_ms = now_ms;
	if (seat_role_serves(seat->role))
		member->served_ms = now_ms;
	note_role(member, now_ms);
}

static void raise(struct epoch *epoch, const struct epoch *to)
{
	if (epoch_compare(to, epoch) > 0)
		*epoch = *to;
}

static bool speaks_itself(const struct ownership_member *member, int64_t now_ms)
{
	return member->verdict == VERDICT_ALIVE && member->spoken && member->word_ms != INT64_MIN &&
	       now_ms - member->word_ms <= OWNERSHIP_SPOKEN_MS;
}

/* Of what it does, and has let go of, its own word says more than the others' as long as it is fresh. */
void member_hear_relayed(struct ownership_member *member, const struct seat_state *seat, int64_t now_ms)
{
	struct epoch gone = seat_let_go(seat);

	raise(&member->recalled, &seat->epoch);
	raise(&member->seat.highest, &seat->highest);
	if (speaks_itself(member, now_ms))
		return;
	raise(&member->seat.released, &gone);
	if (!member_serves(member) || epoch_compare(&member->seat.epoch, &gone) > 0 ||
		seat_role_serves(seat->role))
		return;
	member->seat.role = seat->role; /* what it said of itself is older than that */
	note_role(member, now_ms);
}

void member_hear_fitness(
	struct ownership_member *member, bool fit, const char *why, const char *impaired, int64_t now_ms)
{
	member->fit_known = true;
	member->fit = fit;
	member->fit_ms = now_ms;
	note_since(&member->fit_since_ms, fit && impaired == NULL, now_ms);
	note_since(&member->impaired_since_ms, impaired != NULL, now_ms);
	text_copy(member->impaired, sizeof(member->impaired), impaired == NULL ? "" : impaired);
	text_copy(member->why, sizeof(member->why), fit || why == NULL ? "" : why);
}

/* What a host said before it died says nothing of what it does when it is back. */
static void forget(struct ownership_member *member)
{
	member->spoken = false;
	member->seat.role = SEAT_STANDBY;
	member->standby_since_ms = INT64_MAX;
	member->standby_count = 0;
	member->fenced_since_ms = INT64_MAX;
	member->fit_known = false;
	member->fit = false;
	member->fit_since_ms = INT64_MAX;
	member->impaired[0] = '\0';
	member->impaired_since_ms = INT64_MAX;
}

void member_hear_verdict(
	struct ownership_member *member, enum verdict_kind kind, int64_t last_sign_ms, int64_t now_ms)
{
	member->verdict = kind;
	if (last_sign_ms > member->last_sign_ms)
		member->last_sign_ms = last_sign_ms;
	note_since(&member->down_since_ms, kind == VERDICT_AGENT_DOWN, now_ms);
	if (kind == VERDICT_DEAD)
		forget(member);
}

bool member_serves(const struct ownership_member *member)
{
	return member->spoken && seat_role_serves(member->seat.role);
}

bool member_serves_under(const struct ownership_member *member, const struct epoch *epoch)
{
	return member_serves(member) && epoch_compare(&member->seat.epoch, epoch) == 0;
}

bool member_is_fenced(const struct ownership_member *member)
{
	return member->spoken && member->seat.role == SEAT_FENCED;
}

bool member_is_down(const struct ownership_member *member)
{
	return member->verdict == VERDICT_DEAD || member->verdict == VERDICT_AGENT_DOWN;
}

/* A fitness that was reported before, or together with, its fencing itself is not news yet. */
static bool is_unfenced(const struct ownership_member *member)
{
	return member->fenced_since_ms == INT64_MAX ||
	       member->fit_ms >= member->fenced_since_ms + OWNERSHIP_UNFENCE_MS;
}

static int refuse(struct err *err, const struct ownership_member *member, int code, const char *why)
{
	return err_set(err, code, "%s %s", member->name, why);
}

static int check_life(const struct ownership_member *member, int64_t now_ms, struct err *err)
{
	switch (member->verdict) {
	case VERDICT_DEAD:
		return refuse(err, member, -EHOSTDOWN, "is dead");
	case VERDICT_AGENT_DOWN:
		return refuse(err, member, -EHOSTDOWN, "answers pings, but its agent does not answer");
	case VERDICT_UNKNOWN:
		return refuse(err, member, -EHOSTDOWN, "was not heard yet");
	case VERDICT_BLIND:
	case VERDICT_SUSPECT:
		return refuse(err, member, -EHOSTDOWN, "is silent at the moment");
	case VERDICT_ALIVE:
		break;
	}
	if (!member->spoken || now_ms - member->seat_ms > OWNERSHIP_SPOKEN_MS)
		return refuse(err, member, -EHOSTDOWN, "is not reached by this controller");
	return 0;
}

static int check_state(const struct ownership_member *member, int64_t now_ms, struct err *err)
{
	if (member->drained)
		return refuse(err, member, -ENOTSUP, "is drained");
	if (member->leaving)
		return refuse(err, member, -ENOTSUP, "is about to go down");
	if (!member->fit_known)
		return refuse(err, member, -ENOTSUP, "has not reported whether it could serve");
	if (!member->fit)
		return err_set(err, -ENOTSUP, "%s could not serve%s%s", member->name,
			member->why[0] ? ": " : "", member->why);
	if (!is_unfenced(member))
		return refuse(err, member, -ENOTSUP, "has just fenced itself");
	if (now_ms < member->passed_until_ms)
		return refuse(err, member, -ENOTSUP, "did not carry out the last order");
	return 0;
}

int ownership_check(const struct ownership *ownership, size_t member, int64_t now_ms, struct err *err)
{
	if (member >= ownership->config.member_count)
		return err_set(err, -ENOENT, "not a gateway of %s", ownership->config.name);
	const struct ownership_member *m = &ownership->members[member];
	int rc = check_life(m, now_ms, err);

	if (rc >= 0)
		rc = revocation_check(ownership, member, err);
	return rc < 0 ? rc : check_state(m, now_ms, err);
}

bool ownership_can_take(const struct ownership *ownership, size_t member, int64_t now_ms, struct err *err)
{
	return ownership_check(ownership, member, now_ms, err) == 0;
}

bool ownership_is_first_choice(
	const struct ownership *ownership, size_t member, int64_t now_ms, struct err *err)
{
	const struct ownership_member *m = &ownership->members[member];

	if (m->impaired[0])
		return err_set(err, -ENOTSUP, "%s is a second choice: %s", m->name, m->impaired) == 0;
	if (holddown_is_on(&m->holddown, now_ms))
		return err_set(err, -ENOTSUP,
			       "%s is a second choice for %lld s more: it lost %s again and again", m->name,
			       (long long)((m->holddown.until_ms - now_ms + 999) / 1000),
			       ownership->config.name) == 0;
	return true;
}

/* 0 is a first choice. To be held down is less of a fault than one that is there now. */
static unsigned choice_of(const struct ownership_member *member, int64_t now_ms)
{
	return (member->impaired[0] ? 2 : 0) + (holddown_is_on(&member->holddown, now_ms) ? 1 : 0);
}

size_t ownership_pick(const struct ownership *ownership, size_t except, int64_t now_ms)
{
	size_t best = OWNERSHIP_NOBODY;

	for (size_t i = 0; i < ownership->config.member_count; i++) {
		if (i == except || !ownership_can_take(ownership, i, now_ms, NULL))
			continue;
		if (member_serves(&ownership->members[i]))
			return i;
		if (best == OWNERSHIP_NOBODY || choice_of(&ownership->members[i], now_ms) <
							choice_of(&ownership->members[best], now_ms))
			best = i;
	}
	return best;
}

size_t ownership_serving(const struct ownership *ownership)
{
	size_t best = OWNERSHIP_NOBODY;

	for (size_t i = 0; i < ownership->config.member_count; i++) {
		const struct ownership_member *member = &ownership->members[i];
		if (!member_serves(member))
			continue;
		if (best == OWNERSHIP_NOBODY ||
			epoch_compare(&member->seat.epoch, &ownership->members[best].seat.epoch) > 0)
			best = i;
	}
	return best;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t ownership_expiry_ms(const struct ownership *ownership, size_t member)
{
	const struct ownership_member *m = &ownership->members[member];
	int64_t from_ms = later(m->last_sign_ms, m->seat_ms);

	if (member == ownership->owner || member == ownership->target)
		from_ms = later(from_ms, ownership->ordered_ms);
	if (from_ms == INT64_MIN)
		from_ms = ownership->started_ms;
	return from_ms + lease_outlast_ms(ownership->config.lease_ms);
}

/* It has said that it serves under it, in this life of the controller, or was heard to, or was the only one who could. */
static bool is_holder(const struct ownership_member *member, const struct epoch *epoch)
{
	bool said = member->served_ms != INT64_MIN && epoch_compare(&member->seat.epoch, epoch) == 0;

	return said || epoch_compare(&member->recalled, epoch) == 0;
}

/* Of the highest epoch that anybody has told of; OWNERSHIP_NOBODY: it is not known, or this controller gave out a higher one. */
static size_t find_holder(const struct ownership *ownership)
{
	const struct epoch *highest = &ownership->highest;
	size_t holder = OWNERSHIP_NOBODY;

	for (size_t i = 0; i < ownership->config.member_count; i++) {
		if (epoch_compare(&ownership->members[i].recalled, highest) > 0)
			return OWNERSHIP_NOBODY;
		if (epoch_is_zero(highest) || !is_holder(&ownership->members[i], highest))
			continue;
		if (holder != OWNERSHIP_NOBODY)
			return OWNERSHIP_NOBODY; /* two say so */
		holder = i;
	}
	return holder;
}

/* One that is in the pool no more: see ownership.vacant_ms. */
static bool is_held_outside(const struct ownership *ownership)
{
	return !epoch_is_zero(&ownership->highest) &&
	       epoch_compare(&ownership->outside, &ownership->highest) == 0;
}

static bool is_accounted_for(const struct ownership *ownership, size_t member, int64_t now_ms)
{
	const struct ownership_member *m = &ownership->members[member];
	bool released = !epoch_is_zero(&ownership->highest) &&
			epoch_compare(&m->seat.released, &ownership->highest) >= 0;

	return m->spoken || released || m->verdict == VERDICT_DEAD ||
	       (m->verdict == VERDICT_AGENT_DOWN && now_ms >= ownership_expiry_ms(ownership, member));
}

/* Gateways tell each other the highest epoch that they know, and whoever serves under a lower one steps down. So where it is
 * known who holds the highest, and somebody else who knows of none that is higher could take the endpoint, that one alone may be
 * serving unheard. */
size_t ownership_unaccounted(const struct ownership *ownership, int64_t now_ms)
{
	bool wanted = ownership_pick(ownership, OWNERSHIP_NOBODY, now_ms) != OWNERSHIP_NOBODY;
	size_t holder = wanted ? find_holder(ownership) : OWNERSHIP_NOBODY;

	if (wanted && is_held_outside(ownership))
		return OWNERSHIP_NOBODY;
	for (size_t i = 0; i < ownership->config.member_count; i++)
		if ((holder == OWNERSHIP_NOBODY || i == holder) && !is_accounted_for(ownership, i, now_ms))
			return i;
	return OWNERSHIP_NOBODY;
}

const char *ownership_name_of(const struct ownership *ownership, size_t member)
{
	return member < ownership->config.member_count ? ownership->members[member].name : "";
}

size_t ownership_find(const struct ownership *ownership, const char *name)
{
	for (size_t i = 0; i < ownership->config.member_count; i++)
		if (strcmp(ownership->members[i].name, name) == 0)
			return i;
	return OWNERSHIP_NOBODY;
}

bool ownership_is_served(const struct ownership *ownership)
{
	if (ownership->owner >= ownership->config.member_count)
		return false;
	const struct ownership_member *member = &ownership->members[ownership->owner];
	return member_serves(member) && !member_is_down(member) &&
	       epoch_compare(&member->seat.epoch, &ownership->epoch) == 0;
}
