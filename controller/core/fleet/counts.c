/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/counts.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/core/fleet/difference.h"

static void count_peer(
	const struct desired_peer *from, const struct desired_peer *to, unsigned changes, void *context)
{
	struct fleet_counts *counts = context;

	(void)from;
	(void)to;
	if (changes & ACCESS_ADMITTED)
		counts->added++;
	else if (changes & ACCESS_REMOVED)
		counts->removed++;
	else if (changes & ACCESS_CHANGED)
		counts->changed++;
}

static const struct desired *find(const struct access_side *side, const char *gateway)
{
	for (size_t i = 0; i < side->count; i++)
		if (!strcmp(side->gateways[i]->gateway, gateway))
			return side->gateways[i];
	return NULL;
}

static int compare_lines(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

size_t fleet_count_different(struct text *text, size_t count)
{
	CLEANUP_FREE char **lines = mem_new(count + 1, sizeof(*lines));
	size_t different = 0, at = 0;
	char *line = text->data;

	for (; at < count; at++) {
		char *end = strchr(line, '\n');

		lines[at] = line;
		*end = '\0';
		line = end + 1;
	}
	qsort(lines, count, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < count; i++)
		different += !i || strcmp(lines[i - 1], lines[i]) != 0;
	return different;
}

static size_t count_other(const struct access_side *from, const struct access_side *to)
{
	struct text lines = {0};
	size_t count = 0, different;

	for (size_t i = 0; i < from->count; i++) {
		const struct desired *gateway = from->gateways[i];

		count += fleet_difference_but_peers(gateway, find(to, gateway->gateway), &lines);
	}
	for (size_t i = 0; i < to->count; i++)
		if (!find(from, to->gateways[i]->gateway))
			count += fleet_difference_but_peers(NULL, to->gateways[i], &lines);
	different = fleet_count_different(&lines, count);
	text_clear(&lines);
	return different;
}

void fleet_count_peers(
	const struct access_side *from, const struct access_side *to, struct fleet_counts *counts)
{
	access_compare(from, to, count_peer, counts);
}

void fleet_count(
	const struct access_side *from, const struct access_side *to, struct fleet_counts *ret_counts)
{
	*ret_counts = (struct fleet_counts){0};
	fleet_count_peers(from, to, ret_counts);
	ret_counts->other = count_other(from, to);
}
