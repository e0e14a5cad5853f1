/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/timeline/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

void timeline_clear(struct timeline *timeline)
{
	if (!timeline)
		return;
	free(timeline->entries);
	*timeline = (struct timeline){0};
}

static struct timeline_entry *append(struct timeline *timeline, const struct moment *moment)
{
	struct timeline_entry *entry;

	if (!timeline->entries)
		timeline->entries = mem_new(TIMELINE_MAX, sizeof(*timeline->entries));
	entry = &timeline->entries[timeline->count++ % TIMELINE_MAX];
	*entry = (struct timeline_entry){.moment = *moment};
	return entry;
}

void timeline_add(struct timeline *timeline, const struct moment *moment)
{
	struct timeline_entry *entry = append(timeline, moment);

	entry->moment.seq = ++timeline->newest;
	entry->settled = true;
}

bool timeline_take(struct timeline *timeline, const struct moment *moment)
{
	if (moment->seq <= timeline->newest)
		return false;
	append(timeline, moment);
	timeline->newest = moment->seq;
	return true;
}

size_t timeline_length(const struct timeline *timeline)
{
	return timeline->count < TIMELINE_MAX ? timeline->count : TIMELINE_MAX;
}

static struct timeline_entry *at(const struct timeline *timeline, size_t index)
{
	return &timeline->entries[(timeline->count - timeline_length(timeline) + index) % TIMELINE_MAX];
}

const struct timeline_entry *timeline_at(const struct timeline *timeline, size_t index)
{
	return at(timeline, index);
}

void timeline_settle(struct timeline *timeline, int64_t ahead_us, uint32_t uncertain_us)
{
	for (size_t i = 0; i < timeline_length(timeline); i++) {
		struct timeline_entry *entry = at(timeline, i);

		if (entry->settled)
			continue;
		entry->moment.at_us -= ahead_us;
		entry->uncertain_us = uncertain_us;
		entry->settled = true;
	}
}

void timeline_begin_life(struct timeline *timeline)
{
	struct timeline kept = {0};

	for (size_t i = 0; i < timeline_length(timeline); i++) {
		const struct timeline_entry *entry = at(timeline, i);

		if (entry->settled)
			*append(&kept, &entry->moment) = *entry;
	}
	timeline_clear(timeline);
	*timeline = kept;
}

size_t timeline_since(
	const struct timeline *timeline, uint64_t after, const struct moment **ret_moments, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < timeline_length(timeline) && count < max; i++)
		if (at(timeline, i)->moment.seq > after)
			ret_moments[count++] = &at(timeline, i)->moment;
	return count;
}

static bool says_the_same(const struct moment *a, const struct moment *b)
{
	return a->kind == b->kind && !strcmp(a->endpoint, b->endpoint) &&
	       !epoch_compare(&a->epoch, &b->epoch) && !strcmp(a->subject, b->subject) &&
	       !strcmp(a->detail, b->detail);
}

bool timeline_repeats(const struct timeline *timeline, const struct moment *moment, int64_t within_us)
{
	for (size_t i = timeline_length(timeline); i-- > 0;) {
		const struct moment *before = &at(timeline, i)->moment;

		if (moment->at_us - before->at_us > within_us)
			return false;
		if (says_the_same(before, moment))
			return true;
	}
	return false;
}
