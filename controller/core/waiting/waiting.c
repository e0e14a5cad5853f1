/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/waiting/waiting.h"

void waiting_begin(struct waiting *waiting, int64_t now_ms)
{
	*waiting = (struct waiting){.begin_ms = now_ms, .since_ms = now_ms};
}

void waiting_answer(struct waiting *waiting, int64_t now_ms)
{
	waiting->since_ms = now_ms;
}

bool waiting_is_over(const struct waiting *waiting, bool any_takes_in, int64_t now_ms)
{
	return now_ms - waiting->since_ms >= (any_takes_in ? WAITING_TAKES_IN_MS : WAITING_ANSWER_MS);
}

bool waiting_is_over_for(const struct waiting *waiting, int64_t lost_ms, bool any_takes_in, int64_t now_ms)
{
	if (now_ms - lost_ms < WAITING_RETURN_MS)
		return false;
	return !any_takes_in || waiting_is_over(waiting, any_takes_in, now_ms);
}

int64_t waiting_so_far_ms(const struct waiting *waiting, int64_t now_ms)
{
	return now_ms - waiting->begin_ms;
}
