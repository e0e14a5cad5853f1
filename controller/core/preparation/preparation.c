/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/preparation/preparation.h"

void preparation_begin(struct preparation *preparation, int64_t now_ms)
{
	*preparation = (struct preparation){.begin_ms = now_ms, .since_ms = now_ms};
}

void preparation_answer(struct preparation *preparation, int64_t now_ms)
{
	preparation->since_ms = now_ms;
}

bool preparation_is_over(const struct preparation *preparation, bool any_takes_in, int64_t now_ms)
{
	return now_ms - preparation->since_ms >=
	       (any_takes_in ? PREPARATION_TAKES_IN_MS : PREPARATION_ANSWER_MS);
}

bool preparation_is_over_for(
	const struct preparation *preparation, int64_t lost_ms, bool any_takes_in, int64_t now_ms)
{
	if (now_ms - lost_ms < PREPARATION_RETURN_MS)
		return false;
	return !any_takes_in || preparation_is_over(preparation, any_takes_in, now_ms);
}

int64_t preparation_so_far_ms(const struct preparation *preparation, int64_t now_ms)
{
	return now_ms - preparation->begin_ms;
}
