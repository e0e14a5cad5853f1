/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/ownership/epoch_source.h"

#include <errno.h>

void epoch_source_init(struct epoch_source *source, uint32_t stored_term)
{
	*source = (struct epoch_source){.stored = stored_term};
}

void epoch_source_hear(struct epoch_source *source, const struct epoch *epoch)
{
	if (epoch->term > source->heard)
		source->heard = epoch->term;
}

static bool is_used_up(const struct epoch_source *source)
{
	return source->term == 0 || source->heard > source->term || source->n == UINT32_MAX;
}

static uint32_t highest_term(const struct epoch_source *source, int64_t seconds_since_2025)
{
	uint32_t term = source->stored > source->heard ? source->stored : source->heard;

	if (source->term > term)
		term = source->term;
	if (seconds_since_2025 > term)
		term = seconds_since_2025 < UINT32_MAX ? (uint32_t)seconds_since_2025 : UINT32_MAX;
	return term;
}

bool epoch_source_wants_term(
	const struct epoch_source *source, int64_t seconds_since_2025, uint32_t *ret_term)
{
	uint32_t term = highest_term(source, seconds_since_2025);

	if (!is_used_up(source) || term == UINT32_MAX)
		return false;
	*ret_term = term + 1;
	return true;
}

void epoch_source_claimed(struct epoch_source *source, uint32_t term)
{
	if (term <= source->term)
		return;
	source->stored = term;
	source->term = term;
	source->n = 0;
}

bool epoch_source_is_ready(const struct epoch_source *source)
{
	return !is_used_up(source);
}

int epoch_source_next(struct epoch_source *source, struct epoch *ret_epoch)
{
	if (source->term == 0 || source->heard > source->term)
		return -EAGAIN;
	if (source->n == UINT32_MAX)
		return -EOVERFLOW;
	source->n++;
	*ret_epoch = (struct epoch){.term = source->term, .n = source->n};
	return 0;
}
