/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/seat/tenure.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/text.h"

void tenure_init(struct tenure *tenure, int64_t now_ms)
{
	*tenure = (struct tenure){.since_ms = now_ms, .granted_ms = TENURE_NEVER};
}

static struct tenure_member *find(struct tenure *tenure, const char *name)
{
	for (size_t i = 0; i < tenure->member_count; i++)
		if (strcmp(tenure->members[i].name, name) == 0)
			return &tenure->members[i];
	return NULL;
}

void tenure_set_pool(struct tenure *tenure, const char (*names)[PROTO_NAME_MAX + 1], size_t count)
{
	struct tenure old = *tenure;

	tenure->member_count = count;
	for (size_t i = 0; i < count; i++) {
		const struct tenure_member *was = find(&old, names[i]);
		struct tenure_member *member = &tenure->members[i];
		text_copy(member->name, sizeof(member->name), names[i]);
		member->promised_ms = was != NULL ? was->promised_ms : TENURE_NEVER;
	}
}

static void forget_answers(struct tenure *tenure)
{
	tenure->granted_ms = TENURE_NEVER;
	for (size_t i = 0; i < tenure->member_count; i++)
		tenure->members[i].promised_ms = TENURE_NEVER;
}

void tenure_forget(struct tenure *tenure, int64_t now_ms)
{
	tenure->since_ms = now_ms;
	forget_answers(tenure);
}

/* Is it about an epoch that counts, and was it asked in this life and since the last stall? */
static bool counts(struct tenure *tenure, const struct epoch *epoch, int64_t asked_ms, int64_t now_ms)
{
	int order = epoch_compare(epoch, &tenure->epoch);

	if (order < 0 || asked_ms < tenure->since_ms || asked_ms > now_ms)
		return false;
	if (order > 0) {
		forget_answers(tenure);
		tenure->epoch = *epoch;
	}
	return true;
}

static void note_later(int64_t *noted_ms, int64_t at_ms)
{
	if (at_ms > *noted_ms)
		*noted_ms = at_ms;
}

void tenure_grant(struct tenure *tenure, const struct epoch *epoch, int64_t asked_ms, int64_t now_ms)
{
	if (counts(tenure, epoch, asked_ms, now_ms))
		note_later(&tenure->granted_ms, asked_ms);
}

void tenure_promise(
	struct tenure *tenure, const char *from, const struct epoch *epoch, int64_t asked_ms, int64_t now_ms)
{
	struct tenure_member *member = find(tenure, from);

	if (member != NULL && counts(tenure, epoch, asked_ms, now_ms))
		note_later(&member->promised_ms, asked_ms);
}

/* All of them, or it is worth nothing. */
static int64_t promised_ms(const struct tenure *tenure, int64_t now_ms)
{
	int64_t first_ms = now_ms;

	for (size_t i = 0; i < tenure->member_count; i++)
		if (tenure->members[i].promised_ms < first_ms)
			first_ms = tenure->members[i].promised_ms;
	return first_ms;
}

int64_t tenure_from_ms(const struct tenure *tenure, const struct epoch *epoch, int64_t now_ms)
{
	if (tenure->member_count == 0)
		return now_ms;
	if (epoch_compare(epoch, &tenure->epoch) != 0)
		return TENURE_NEVER;
	int64_t all_ms = promised_ms(tenure, now_ms);
	return tenure->granted_ms > all_ms ? tenure->granted_ms : all_ms;
}

enum tenure_by tenure_by(const struct tenure *tenure, const struct epoch *epoch, int64_t now_ms)
{
	int64_t from_ms = tenure_from_ms(tenure, epoch, now_ms);

	if (from_ms == TENURE_NEVER)
		return TENURE_BY_NOBODY;
	return tenure->member_count > 0 && from_ms == tenure->granted_ms ? TENURE_BY_CONTROLLER
									 : TENURE_BY_POOL;
}

const char *tenure_by_name(enum tenure_by by)
{
	switch (by) {
	case TENURE_BY_NOBODY:
		return "nobody";
	case TENURE_BY_CONTROLLER:
		return "controller";
	case TENURE_BY_POOL:
		return "pool";
	}
	return "nobody";
}
