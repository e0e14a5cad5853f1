/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/firewall/range.h"

#include <stdlib.h>

#include "common/base/mem.h"

/* Prefixes around the one that is looked at: one for each length at most, and equal ones lie beside each other. */
enum { NESTED_MAX = 130 };

struct nest {
	struct addr last;
	size_t claim, count; /* the first of equal ones, and how many */
};

struct sweep {
	const struct range_claim *claims;
	size_t depth;
	struct nest nests[NESTED_MAX];
	struct addr at; /* what has not been told yet begins here */
	bool over;      /* nothing is left */
	void (*tell)(const struct addr *first, const struct addr *last, const void *whose, void *context);
	void *context;
};

static int compare(const void *left, const void *right)
{
	const struct range_claim *a = left, *b = right;

	return prefix_compare(&a->prefix, &b->prefix);
}

struct addr range_last(const struct prefix *prefix)
{
	struct addr last = prefix->addr;

	for (size_t i = prefix->length; i < addr_bits(&last); i++)
		last.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return last;
}

bool range_next(struct addr *addr)
{
	for (size_t i = addr_bytes(addr); i-- > 0;) {
		if (++addr->bytes[i])
			return true;
	}
	return false;
}

struct addr range_before(const struct addr *addr)
{
	struct addr to = *addr;

	for (size_t i = addr_bytes(&to); i-- > 0;) {
		if (to.bytes[i]--)
			break;
	}
	return to;
}

static void tell_nest(struct sweep *sweep, const struct addr *last)
{
	const struct nest *nest = &sweep->nests[sweep->depth - 1];

	if (sweep->over || addr_compare(&sweep->at, last) > 0)
		return;
	for (size_t i = 0; i < nest->count; i++)
		sweep->tell(&sweep->at, last, sweep->claims[nest->claim + i].whose, sweep->context);
}

static void leave(struct sweep *sweep)
{
	struct addr last = sweep->nests[sweep->depth - 1].last;

	tell_nest(sweep, &last);
	if (addr_compare(&sweep->at, &last) <= 0) {
		sweep->at = last;
		sweep->over = !range_next(&sweep->at);
	}
	sweep->depth--;
}

static void enter(struct sweep *sweep, size_t claim, size_t count)
{
	const struct addr *first = &sweep->claims[claim].prefix.addr;

	while (sweep->depth && addr_compare(&sweep->nests[sweep->depth - 1].last, first) < 0)
		leave(sweep);
	if (sweep->depth && addr_compare(&sweep->at, first) < 0) {
		struct addr last = range_before(first);

		tell_nest(sweep, &last);
	}
	sweep->at = *first;
	sweep->over = false;
	sweep->nests[sweep->depth++] = (struct nest){
		.last = range_last(&sweep->claims[claim].prefix), .claim = claim, .count = count};
}

void range_flatten(struct range_claim *claims, size_t count,
	void (*tell)(const struct addr *first, const struct addr *last, const void *whose, void *context),
	void *context)
{
	struct sweep *sweep = mem_new(1, sizeof(*sweep));

	*sweep = (struct sweep){.claims = claims, .tell = tell, .context = context};
	if (count)
		qsort(claims, count, sizeof(*claims), compare);
	for (size_t i = 0, equal; i < count; i += equal) {
		for (equal = 1;
			i + equal < count && prefix_equal(&claims[i].prefix, &claims[i + equal].prefix);)
			equal++;
		enter(sweep, i, equal);
	}
	while (sweep->depth)
		leave(sweep);
	free(sweep);
}
