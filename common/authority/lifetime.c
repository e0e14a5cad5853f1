/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/authority/lifetime.h"

static const int64_t second_ms = 1000, hour_ms = 3600 * 1000LL, day_ms = 24 * 3600 * 1000LL;
enum { RETRY_SECONDS_MIN = 10, RETRIES_OF_A_LIFE = 200, SHORT_DAYS = 30, SHORT_DAYS_OF_AUTHORITY = 90 };

bool lifetime_is_due(const struct lifetime *lifetime, int64_t wall_ms)
{
	return wall_ms >= lifetime->start_ms + (lifetime->end_ms - lifetime->start_ms) / 3 * 2;
}

int64_t lifetime_retry_ms(const struct lifetime *lifetime)
{
	int64_t retry_ms = (lifetime->end_ms - lifetime->start_ms) / RETRIES_OF_A_LIFE;

	if (retry_ms < RETRY_SECONDS_MIN * second_ms)
		return RETRY_SECONDS_MIN * second_ms;
	return retry_ms > hour_ms ? hour_ms : retry_ms;
}

static bool is_short(const struct lifetime *lifetime, int64_t limit_ms, int64_t wall_ms)
{
	int64_t quarter_ms = (lifetime->end_ms - lifetime->start_ms) / 4;

	return lifetime->end_ms - wall_ms < (quarter_ms < limit_ms ? quarter_ms : limit_ms);
}

bool lifetime_is_short(const struct lifetime *lifetime, int64_t wall_ms)
{
	return is_short(lifetime, SHORT_DAYS * day_ms, wall_ms);
}

bool lifetime_of_authority_is_short(const struct lifetime *lifetime, int64_t wall_ms)
{
	return is_short(lifetime, SHORT_DAYS_OF_AUTHORITY * day_ms, wall_ms);
}

bool lifetime_has_ended(const struct lifetime *lifetime, int64_t wall_ms)
{
	return wall_ms > lifetime->end_ms;
}

int64_t lifetime_days_left(const struct lifetime *lifetime, int64_t wall_ms)
{
	int64_t left_ms = lifetime->end_ms - wall_ms;

	return left_ms >= 0 ? left_ms / day_ms : -(-left_ms / day_ms) - 1;
}
