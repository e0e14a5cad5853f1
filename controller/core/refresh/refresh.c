/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/refresh/refresh.h"

#include <stddef.h>

void refresh_want(struct refresh *refresh, const char *who)
{
	refresh->wanted = who;
	refresh->delay_ms = 0;
	refresh->is_due = false;
}

bool refresh_begin(struct refresh *refresh, bool is_busy)
{
	if (!refresh->wanted || refresh->reading || refresh->applying || is_busy)
		return false;
	refresh->who = refresh->wanted;
	refresh->wanted = NULL;
	refresh->is_due = false;
	refresh->reading = true;
	return true;
}

bool refresh_take(struct refresh *refresh, bool is_busy, bool is_quiet)
{
	bool is_overtaken = refresh->watched && refresh->wanted;
	refresh->reading = false;
	if (!is_quiet)
		refresh->wanted = NULL;
	else if (is_busy && !is_overtaken)
		refresh->wanted = refresh->who;
	refresh->applying = is_quiet && !is_busy && !is_overtaken;
	return refresh->applying;
}

static int64_t next_delay_ms(int64_t delay_ms)
{
	if (delay_ms == 0)
		return REFRESH_RETRY_MIN_MS;
	return delay_ms > REFRESH_RETRY_MAX_MS / 2 ? REFRESH_RETRY_MAX_MS : 2 * delay_ms;
}

void refresh_end(struct refresh *refresh, bool is_hindered, int64_t now_ms)
{
	refresh->applying = false;
	refresh->is_due = refresh->watched && is_hindered;
	refresh->delay_ms = refresh->is_due ? next_delay_ms(refresh->delay_ms) : 0;
	refresh->due_ms = now_ms + refresh->delay_ms;
}

int64_t refresh_due_ms(const struct refresh *refresh)
{
	return refresh->is_due ? refresh->due_ms : -1;
}

void refresh_retry(struct refresh *refresh, const char *who)
{
	if (refresh->is_due)
		refresh->wanted = who;
	refresh->is_due = false;
}

bool refresh_is_hindered(const struct refresh *refresh)
{
	return refresh->delay_ms > 0;
}
