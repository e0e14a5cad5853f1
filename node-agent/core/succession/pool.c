/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/text.h"
#include "node-agent/core/succession/internal.h"

static size_t find(const struct succession *succession, const char *name)
{
	for (size_t i = 0; i < succession->member_count; i++)
		if (strcmp(succession->members[i].name, name) == 0)
			return i;
	return SIZE_MAX;
}

static struct succession_member member_of(const struct succession *before, const char *name)
{
	struct succession_member member = {
		.verdict = VERDICT_UNKNOWN, .last_sign_ms = SUCCESSION_NEVER, .heard_ms = SUCCESSION_NEVER};
	size_t known = find(before, name);

	if (known != SIZE_MAX)
		return before->members[known];
	text_copy(member.name, sizeof(member.name), name);
	return member;
}

void pool_configure(struct succession *succession, const struct succession_config *config)
{
	const struct succession before = *succession;
	const char *owner = before.owner < before.member_count ? before.members[before.owner].name : "";

	succession->config = *config;
	succession->member_count = succession->before = 0;
	succession->rank = SIZE_MAX;
	for (size_t i = 0; i < config->member_count; i++) {
		if (strcmp(config->members[i], config->gateway) == 0) {
			succession->rank = i;
			succession->before = succession->member_count;
		} else {
			succession->members[succession->member_count++] =
				member_of(&before, config->members[i]);
		}
	}
	succession->owner = find(succession, owner);
	if (succession->rank != before.rank)
		claim_forgo(&succession->claim);
}

/* Known since when? A verdict counts from the moment at which it began to be in doubt. */
static void note_doubt(struct succession *succession, bool was_in_doubt, int64_t now_ms)
{
	if (was_in_doubt && pool_is_in_doubt(succession))
		return;
	succession->doubt_ms = now_ms;
	address_reset(&succession->address, now_ms);
}

static void note_owner(struct succession *succession, size_t member, const struct succession_event *event)
{
	const struct seat_state *heard = event->heard;

	if (seat_role_serves(heard->role)) {
		if (epoch_compare(&heard->epoch, &succession->epoch) < 0)
			return; /* it has a successor, and will hear of it */
		succession->owner = member;
		succession->epoch = heard->epoch;
		succession->let_go = false;
	} else if (succession->owner == member) {
		succession->let_go = event->generation < event->view.floor;
		if (!succession->let_go)
			succession->owner =
				SIZE_MAX; /* by its own word: nothing that could be succeeded to */
	}
}

void pool_hear(struct succession *succession, const struct succession_event *event, int64_t now_ms)
{
	size_t index = find(succession, event->from);
	bool was_in_doubt = pool_is_in_doubt(succession);

	if (index == SIZE_MAX)
		return;
	struct succession_member *member = &succession->members[index];
	member->heard_ms = now_ms;
	member->leader_contact = event->leader_contact;
	member->generation = event->generation;
	note_owner(succession, index, event);
	note_doubt(succession, was_in_doubt, now_ms);
}

void pool_judge(struct succession *succession, const struct succession_event *event, int64_t now_ms)
{
	size_t index = find(succession, event->from);
	bool was_in_doubt = pool_is_in_doubt(succession);

	if (index == SIZE_MAX)
		return;
	succession->members[index].verdict = event->verdict;
	succession->members[index].last_sign_ms = event->last_sign_ms;
	note_doubt(succession, was_in_doubt, now_ms);
}

static bool has_let_go(const struct succession *succession)
{
	return succession->owner < succession->member_count && succession->let_go;
}

static enum verdict_kind verdict_on_owner(const struct succession *succession)
{
	return succession->owner < succession->member_count ? succession->members[succession->owner].verdict
							    : VERDICT_UNKNOWN;
}

bool pool_is_in_doubt(const struct succession *succession)
{
	if (has_let_go(succession))
		return true;
	switch (verdict_on_owner(succession)) {
	case VERDICT_SUSPECT:
	case VERDICT_DEAD:
	case VERDICT_BLIND:
		return true;
	case VERDICT_UNKNOWN:
	case VERDICT_ALIVE:
	case VERDICT_AGENT_DOWN:
		break;
	}
	return false;
}

bool pool_owner_is_gone(const struct succession *succession)
{
	return has_let_go(succession) || verdict_on_owner(succession) == VERDICT_DEAD;
}

static int64_t contact_until_ms(const struct succession *succession, const struct succession_member *member)
{
	if (member->heard_ms == SUCCESSION_NEVER)
		return SUCCESSION_NEVER;
	return member->heard_ms + succession->config.timing.contact_ms + 1;
}

/* A word of it that was heard lasts as long as one of a controller would: the next may be lost. */
int64_t pool_open_ms(const struct succession *succession)
{
	int64_t open_ms = SUCCESSION_NEVER;

	for (size_t i = 0; i < succession->member_count; i++) {
		const struct succession_member *member = &succession->members[i];

		if (member->leader_contact && member->heard_ms + SUCCESSION_LEADER_MS > open_ms)
			open_ms = member->heard_ms + SUCCESSION_LEADER_MS;
	}
	return open_ms;
}

/* Of two generations the newer is served first, of one the preferred. */
static bool comes_first(const struct succession *succession, size_t index, uint64_t generation)
{
	uint64_t its = succession->members[index].generation;

	return its > generation || (its == generation && index < succession->before);
}

int64_t pool_turn_ms(const struct succession *succession, uint64_t generation, int64_t now_ms)
{
	int64_t turn_ms = 0;

	for (size_t i = 0; i < succession->member_count; i++)
		if (i != succession->owner &&
			now_ms < contact_until_ms(succession, &succession->members[i]) &&
			comes_first(succession, i, generation))
			turn_ms += SUCCESSION_TURN_MS;
	return turn_ms;
}
