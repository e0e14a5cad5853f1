/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/ownership/clock.h"

size_t clock_ahead_of(const int64_t *skews_ms, size_t count, size_t gateway)
{
	size_t last = gateway;

	for (size_t i = 0; i < count; i++)
		if (skews_ms[i] < skews_ms[last])
			last = i;
	if (skews_ms[gateway] <= CLOCK_AHEAD_MS || skews_ms[gateway] - skews_ms[last] <= CLOCK_AHEAD_MS)
		return CLOCK_NOBODY;
	return last;
}
