/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/yaml/compose.h"

/* Pairs that are gathered for one mapping: its own first, then those of each merged mapping in turn. */
struct gathered {
	struct conf_pair *pairs;
	size_t count, capacity;
};

static void gather(struct gathered *to, const struct conf_pair *pairs, size_t count, bool merged)
{
	to->pairs = mem_grow(to->pairs, &to->capacity, to->count + count, sizeof *to->pairs);
	for (size_t i = 0; i < count; i++) {
		to->pairs[to->count] = pairs[i];
		to->pairs[to->count++].merged = merged;
	}
}

static int gather_merged(struct gathered *to, const struct conf_node *merge, struct err *err)
{
	for (size_t i = 0; i < conf_list_count(merge); i++) {
		const struct conf_node *source = conf_list_item(merge, i);

		if (source->kind != CONF_MAPPING)
			return conf_fail(merge, err, -EINVAL,
				"<< takes a mapping or a list of mappings, as in <<: *name");
		gather(to, source->pairs, source->count, true);
	}
	return 0;
}

/* By key; of equal keys the one that stands first in the array, which is the one that wins. */
static int compare(const void *a, const void *b)
{
	const struct conf_pair *const *x = a, *const *y = b;
	int order = strcmp((*x)->key->text, (*y)->key->text);

	return order != 0 ? order : (*x < *y ? -1 : *x > *y);
}

static const struct conf_pair **sort(const struct conf_pair *pairs, size_t count)
{
	const struct conf_pair **sorted = mem_new(count, sizeof *sorted);

	for (size_t i = 0; i < count; i++)
		sorted[i] = &pairs[i];
	qsort(sorted, count, sizeof *sorted, compare);
	return sorted;
}

static bool same_key(const struct conf_pair *a, const struct conf_pair *b)
{
	return strcmp(a->key->text, b->key->text) == 0;
}

/* The duplicate that a reader of the file meets first. */
static int check_duplicates(const struct conf_pair *own, size_t count, struct err *err)
{
	const struct conf_pair **sorted CLEANUP_FREE = sort(own, count);
	const struct conf_pair *first = NULL, *second = NULL;

	for (size_t i = 1; i < count; i++) {
		if (!same_key(sorted[i - 1], sorted[i]) || (second && second < sorted[i]))
			continue;
		first = sorted[i - 1];
		second = sorted[i];
	}
	if (!second)
		return 0;
	return conf_fail(second->key, err, -EINVAL,
		"key \"%.64s\" is here for the second time; the first is in line %u", second->key->text,
		first->key->line);
}

/* Mark losers of a merge (a key that an earlier pair has) by taking their key away, then close the gaps. */
static void drop_losers(struct gathered *all)
{
	const struct conf_pair **sorted CLEANUP_FREE = sort(all->pairs, all->count);
	bool *loses CLEANUP_FREE = mem_new(all->count, sizeof *loses);
	size_t kept = 0;

	for (size_t i = 1; i < all->count; i++)
		loses[sorted[i] - all->pairs] = same_key(sorted[i - 1], sorted[i]);
	for (size_t i = 0; i < all->count; i++)
		if (!loses[i])
			all->pairs[kept++] = all->pairs[i];
	all->count = kept;
}

static void store(struct conf_doc *doc, struct conf_node *map, const struct gathered *all)
{
	struct conf_pair *pairs = conf_alloc(doc, all->count * sizeof *pairs);
	const struct conf_pair **index = conf_alloc(doc, all->count * sizeof *index);
	const struct conf_pair **sorted CLEANUP_FREE = NULL;

	if (all->count > 0)
		memcpy(pairs, all->pairs, all->count * sizeof *pairs);
	sorted = sort(pairs, all->count);
	memcpy(index, sorted, all->count * sizeof *index);
	map->pairs = pairs;
	map->sorted = index;
	map->count = all->count;
}

int conf_mapping_fill(struct conf_doc *doc, struct conf_node *map, const struct conf_pair *own, size_t count,
	const struct conf_node *merge, struct err *err)
{
	struct gathered all = {0};
	int r = check_duplicates(own, count, err);

	if (r < 0)
		return r;
	gather(&all, own, count, false);
	if (merge) {
		r = gather_merged(&all, merge, err);
		if (r == 0)
			drop_losers(&all);
	}
	if (r == 0)
		store(doc, map, &all);
	free(all.pairs);
	return r;
}
