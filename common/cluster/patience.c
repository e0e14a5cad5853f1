/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cluster/patience.h"

static size_t place(int64_t part)
{
	return (size_t)(part % PATIENCE_PARTS);
}

static void turn(struct patience *patience, int64_t part)
{
	int64_t from = patience->part + 1;

	if (from < part - PATIENCE_PARTS + 1)
		from = part - PATIENCE_PARTS + 1;
	for (; from <= part; from++)
		patience->longest_ms[place(from)] = 0;
	patience->part = part;
}

void patience_note(struct patience *patience, int64_t silence_ms, int64_t now_ms)
{
	if (silence_ms <= 0 || silence_ms > PATIENCE_MAX_MS / 2)
		return;
	turn(patience, now_ms / PATIENCE_PART_MS);
	uint32_t *longest_ms = &patience->longest_ms[place(patience->part)];
	if (silence_ms > *longest_ms)
		*longest_ms = (uint32_t)silence_ms;
}

uint32_t patience_window_ms(const struct patience *patience, const struct timing *timing, int64_t now_ms)
{
	int64_t now = now_ms / PATIENCE_PART_MS;
	uint32_t window_ms = timing->window_ms;

	for (int64_t part = patience->part; part >= 0 && part > patience->part - PATIENCE_PARTS; part--)
		if (part > now - PATIENCE_PARTS && 2 * patience->longest_ms[place(part)] > window_ms)
			window_ms = 2 * patience->longest_ms[place(part)];
	return window_ms;
}
