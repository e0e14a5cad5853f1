/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cluster/lease.h"
#include "common/cluster/terms.h"
#include "controller/core/ownership/internal.h"

/* `isolation: fence`: to whom leave is granted, and until when somebody may be serving by it. Of two gateways the second
 * gets its epoch when the first has said that it released its own, or when the last leave it got has run out. */

uint64_t grant_terms(const struct ownership_config *config)
{
	uint64_t terms = terms_of_lease(config->lease_ms);

	for (size_t i = 0; i < config->member_count; i++)
		terms = terms_add_member(terms, config->members[i]);
	return terms;
}

static size_t holder(const struct ownership *ownership)
{
	return ownership->phase == OWNERSHIP_TAKING ? ownership->target : ownership->owner;
}

static bool has_released(const struct ownership *ownership, size_t member)
{
	return member != OWNERSHIP_NOBODY && !epoch_is_zero(&ownership->epoch) &&
	       epoch_compare(&ownership->members[member].seat.released, &ownership->epoch) >= 0;
}

bool grant_is_out(const struct ownership *ownership)
{
	return ownership->config.exclusive && ownership->granted_ms != INT64_MIN &&
	       !has_released(ownership, holder(ownership));
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t grant_vacant_ms(const struct ownership *ownership)
{
	int64_t vacant_ms = INT64_MIN;

	if (!ownership->config.exclusive || has_released(ownership, holder(ownership)))
		return INT64_MIN;
	if (grant_is_out(ownership))
		vacant_ms = ownership->granted_ms + lease_outlast_ms(ownership->config.lease_ms);
	return later(vacant_ms, ownership->settled_ms);
}

static uint32_t longer(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Whoever was no member all the while may have promised nothing on the terms that somebody serves on. */
void grant_change(struct ownership *ownership, const struct ownership *old, int64_t now_ms)
{
	bool unsettled = now_ms < old->settled_ms;

	if (!ownership->config.exclusive || !old->config.exclusive || ownership->terms == old->terms ||
		!(unsettled || grant_is_out(old)))
		return;
	for (size_t i = 0; i < ownership->config.member_count; i++) {
		size_t was = ownership_find(old, ownership->members[i].name);
		ownership->members[i].before =
			was != OWNERSHIP_NOBODY && (!unsettled || old->members[was].before);
	}
	ownership->before_lease_ms = longer(old->config.lease_ms, unsettled ? old->before_lease_ms : 0);
	ownership->settled_ms = INT64_MAX;
}

uint32_t grant_longest_lease_ms(const struct ownership *ownership)
{
	return longer(ownership->before_lease_ms, ownership->config.lease_ms);
}

void grant_settle(struct ownership *ownership, size_t member, int64_t now_ms)
{
	if (ownership->settled_ms == INT64_MAX && ownership->members[member].before)
		ownership->settled_ms = now_ms + lease_outlast_ms(grant_longest_lease_ms(ownership));
}

bool grant_is_vacant_for(const struct ownership *ownership, size_t member, int64_t now_ms)
{
	return now_ms >= grant_vacant_ms(ownership) ||
	       (member != OWNERSHIP_NOBODY && member == holder(ownership));
}

void grant_begin(struct ownership *ownership, size_t member)
{
	if (member != holder(ownership))
		ownership->granted_ms = INT64_MIN;
	ownership->withheld = false;
}

/* One who serves can but go on with what it has: while this controller listens, that harms nobody. */
static bool is_due(const struct ownership *ownership, size_t member, const struct claim *claim)
{
	if (ownership->phase == OWNERSHIP_RECOVERING)
		return claim->serves && epoch_compare(&claim->epoch, &ownership->highest) >= 0;
	return member == holder(ownership) && !ownership->withheld &&
	       epoch_compare(&claim->epoch, &ownership->epoch) == 0;
}

/* It comes by several ways. What was asked once gives no longer leave when it is answered twice. */
static bool is_news(const struct ownership *ownership, const struct claim *claim)
{
	const struct nonce *last = &ownership->granted;

	return claim->nonce.boot != last->boot || claim->nonce.time_us > last->time_us;
}

void grant_claim(struct ownership *ownership, size_t member, const struct claim *claim, int64_t now_ms,
	struct ownership_actions *actions)
{
	if (ownership->config.exclusive && claim->terms == ownership->terms)
		grant_settle(ownership, member, now_ms);
	if (!ownership->config.exclusive || claim->terms != ownership->terms ||
		!is_due(ownership, member, claim))
		return;
	if (is_news(ownership, claim)) {
		ownership->granted = claim->nonce;
		ownership->granted_ms = now_ms;
	}
	change_grant(actions);
}
