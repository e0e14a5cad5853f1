/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/firewall/range.h"
#include "node-agent/core/firewall/reach_int.h"

/* One that replaces another such one, because no peers could be put in place in the meantime, grows to no more. */
enum { BETWEEN_SETS_MAX = 2 * REACH_SETS_MAX };

/* What is left of one range without those of a set, from its *at-th on, which moves along. */
static void add_rest(
	struct reach_set *rest, const struct reach_range *range, const struct reach_set *without, size_t *at)
{
	struct addr first = range->first;

	while (*at < without->count && addr_compare(&without->ranges[*at].last, &first) < 0)
		(*at)++;
	for (size_t i = *at; i < without->count && addr_compare(&without->ranges[i].first, &range->last) <= 0;
		i++) {
		const struct reach_range *taken = &without->ranges[i];

		if (addr_compare(&first, &taken->first) < 0) {
			struct addr last = range_before(&taken->first);

			reach_add_range(rest, &first, &last);
		}
		first = taken->last;
		if (!range_next(&first) || addr_compare(&first, &range->last) > 0)
			return;
	}
	reach_add_range(rest, &first, &range->last);
}

static void subtract(struct reach_set *set, const struct reach_set *without)
{
	struct reach_set rest = {0};
	size_t at = 0;

	for (size_t i = 0; i < set->count; i++)
		add_rest(&rest, &set->ranges[i], without, &at);
	free(set->ranges);
	set->ranges = rest.ranges;
	set->count = rest.count;
	set->capacity = rest.capacity;
}

static void add_ranges(struct reach_set *set, const struct reach_set *from)
{
	for (size_t i = 0; i < from->count; i++)
		reach_add_range(set, &from->ranges[i].first, &from->ranges[i].last);
}

/* Both rise. */
static void add_both(struct reach_set *set, const struct reach_set *a, const struct reach_set *b)
{
	for (size_t i = 0, j = 0; i < a->count || j < b->count;) {
		bool is_a = j == b->count ||
			    (i < a->count && addr_compare(&a->ranges[i].first, &b->ranges[j].first) <= 0);
		const struct reach_range *next = is_a ? &a->ranges[i++] : &b->ranges[j++];

		reach_add_range(set, &next->first, &next->last);
	}
}

static size_t find(const struct reach *reach, const char *name)
{
	size_t at = 0;

	while (at < reach->set_count && strcmp(reach->sets[at].name, name) != 0)
		at++;
	return at;
}

/* Ranges only: those of the set that are in none of the tunnel's in `to`. */
static struct reach_set leaving(const struct reach_set *set, const struct reach *to)
{
	struct reach_set left = {0};
	size_t same = find(to, set->name);

	if (!set->tunnel[0])
		return left;
	add_ranges(&left, set);
	if (same < to->set_count)
		subtract(&left, &to->sets[same]); /* first: most often nothing is left of it */
	for (size_t i = 0; left.count && i < to->set_count; i++)
		if (to->sets[i].key == set->key && !strcmp(to->sets[i].tunnel, set->tunnel))
			subtract(&left, &to->sets[i]);
	return left;
}

static void add_like(struct reach *reach, const struct reach_set *like, size_t to)
{
	struct reach_set *set = reach_add_set(reach, like->name, like->key);

	(void)text_copy(set->tunnel, sizeof(set->tunnel), like->tunnel);
	set->to = to;
}

static size_t find_or_add(struct reach *reach, const struct reach_set *to)
{
	size_t at = find(reach, to->name);

	if (at == reach->set_count) {
		add_like(reach, to, 0);
		add_ranges(&reach->sets[at], to);
	}
	return at;
}

/* left: by set of from. */
static struct reach *make(const struct reach *from, const struct reach *to, const struct reach_set *left)
{
	static const struct reach_set none = {0};
	struct reach *reach = reach_new();

	reach_add_table(reach);
	for (size_t i = 0; i < to->set_count; i++) {
		size_t old = find(from, to->sets[i].name);

		add_like(reach, &to->sets[i], to->sets[i].to);
		add_both(&reach->sets[i], &to->sets[i], old < from->set_count ? &left[old] : &none);
	}
	for (size_t i = 0; i < from->set_count; i++) {
		const struct reach_set *set = &from->sets[i];

		if (!left[i].count || find(to, set->name) < to->set_count)
			continue;
		add_like(reach, set, find_or_add(reach, &from->sets[set->to]));
		add_ranges(&reach->sets[reach->set_count - 1], &left[i]);
	}
	reach_add_rules(reach);
	return reach;
}

struct reach *reach_between(const struct reach *from, const struct reach *to)
{
	struct reach_set *left = mem_new(from->set_count, sizeof(*left));
	struct reach *reach = NULL;
	bool any = false;

	for (size_t i = 0; i < from->set_count; i++) {
		left[i] = leaving(&from->sets[i], to);
		any |= left[i].count > 0;
	}
	if (any && from->set_count + to->set_count <= BETWEEN_SETS_MAX)
		reach = make(from, to, left);
	for (size_t i = 0; i < from->set_count; i++)
		free(left[i].ranges);
	free(left);
	return reach;
}
