/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "node-agent/core/trace/rule.h"

/* A field takes up whole registers of 4 bytes in a concatenation. */
static size_t padded(size_t length)
{
	return (length + 3) / 4 * 4;
}

static bool is_within(const uint8_t *key, const uint8_t *from, const uint8_t *to, size_t length)
{
	return memcmp(key, from, length) >= 0 && memcmp(key, to, length) <= 0;
}

/* Each field has a range of its own: pipapo, net/netfilter/nft_set_pipapo.c. */
static bool is_in_box(const struct loaded_set *set, const struct loaded_element *element, const uint8_t *key)
{
	size_t offset = 0;

	if (!set->field_count)
		return is_within(key, element->key.bytes, element->key_end.bytes, element->key.length);
	for (size_t i = 0; i < set->field_count; i++) {
		if (offset + set->fields[i] > LOADED_VALUE_MAX ||
			!is_within(key + offset, element->key.bytes + offset, element->key_end.bytes + offset,
				set->fields[i]))
			return false;
		offset += padded(set->fields[i]);
	}
	return true;
}

static bool is_it(const struct loaded_set *set, const struct loaded_element *element, const uint8_t *key)
{
	if (element->key_end.length)
		return is_in_box(set, element, key);
	return memcmp(element->key.bytes, key, element->key.length) == 0;
}

/* Of two that begin at the same place one ends there and the other starts: the next interval is adjacent. */
static bool is_nearer(const struct loaded_element *element, const struct loaded_element *nearest)
{
	int order = nearest ? memcmp(element->key.bytes, nearest->key.bytes, element->key.length) : 1;

	return order > 0 || (order == 0 && nearest->interval_end);
}

/* Intervals are told as where they start and where the first value behind them is. */
static const struct loaded_element *find_interval(const struct loaded_set *set, const uint8_t *key)
{
	const struct loaded_element *nearest = NULL;

	for (size_t i = 0; i < set->count; i++) {
		const struct loaded_element *element = &set->elements[i];

		if (!element->catch_all && memcmp(element->key.bytes, key, element->key.length) <= 0 &&
			is_nearer(element, nearest))
			nearest = element;
	}
	return nearest && !nearest->interval_end ? nearest : NULL;
}

static const struct loaded_element *find_exact(const struct loaded_set *set, const uint8_t *key)
{
	for (size_t i = 0; i < set->count; i++)
		if (!set->elements[i].catch_all && is_it(set, &set->elements[i], key))
			return &set->elements[i];
	return NULL;
}

static const struct loaded_element *find_catch_all(const struct loaded_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->elements[i].catch_all)
			return &set->elements[i];
	return NULL;
}

static bool has_boxes(const struct loaded_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->elements[i].key_end.length)
			return true;
	return false;
}

enum trace_found trace_find(
	const struct loaded_set *set, const uint8_t *key, const struct loaded_element **ret_element)
{
	const struct loaded_element *element =
		set->interval && !has_boxes(set) ? find_interval(set, key) : find_exact(set, key);

	*ret_element = NULL;
	if (!element && set->incomplete)
		return TRACE_NOT_SURE;
	if (!element)
		element = find_catch_all(set);
	if (!element)
		return TRACE_ABSENT;
	if (element->perhaps)
		return TRACE_NOT_SURE;
	*ret_element = element;
	return TRACE_FOUND;
}
