/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/repair/silence.h"

static int64_t pause_ms(unsigned misses)
{
	int64_t pause_ms = SILENCE_FIRST_MS;

	while (--misses && pause_ms < SILENCE_LONGEST_MS)
		pause_ms *= 2;
	return pause_ms < SILENCE_LONGEST_MS ? pause_ms : SILENCE_LONGEST_MS;
}

void silence_missed(struct silence *silence, int64_t now_ms)
{
	if (!silence->misses++)
		silence->since_ms = now_ms;
	silence->until_ms = now_ms + pause_ms(silence->misses);
}

void silence_heard(struct silence *silence)
{
	*silence = (struct silence){0};
}

bool silence_lasts(const struct silence *silence, int64_t now_ms)
{
	return silence->misses && now_ms < silence->until_ms;
}

bool silence_is_sure(const struct silence *silence)
{
	return silence->misses >= SILENCE_SURE;
}

bool silence_is_dead(const struct silence *silence, int64_t now_ms)
{
	return silence_is_sure(silence) && now_ms - silence->since_ms >= SILENCE_DEAD_MS;
}
