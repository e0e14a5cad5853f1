/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/span.h"

#include <stdio.h>

#include "common/base/mem.h"

char *span_format(int64_t ms, char buffer[SPAN_TEXT_MAX])
{
	static const struct unit {
		int64_t seconds;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	int64_t seconds = ms / 1000;

	if (ms < 1000) {
		snprintf(buffer, SPAN_TEXT_MAX, "%lld ms", (long long)ms);
		return buffer;
	}
	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		long long whole = seconds / units[i].seconds;
		long long rest =
			i + 1 < ARRAY_COUNT(units) ? seconds % units[i].seconds / units[i + 1].seconds : 0;

		if (!whole)
			continue;
		if (rest && whole < 10)
			snprintf(buffer, SPAN_TEXT_MAX, "%lld %s %lld %s", whole, units[i].name, rest,
				units[i + 1].name);
		else
			snprintf(buffer, SPAN_TEXT_MAX, "%lld %s", whole, units[i].name);
		break;
	}
	return buffer;
}
