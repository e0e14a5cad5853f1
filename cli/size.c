/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/size.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/mem.h"

enum { STEP = 1024 };

char *size_format(uint64_t bytes, char buffer[SIZE_TEXT_MAX])
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t unit = 0;

	if (bytes < STEP) {
		snprintf(buffer, SIZE_TEXT_MAX, "%" PRIu64 " B", bytes);
		return buffer;
	}
	for (value /= STEP; value >= STEP && unit + 1 < ARRAY_COUNT(units); unit++)
		value /= STEP;
	snprintf(buffer, SIZE_TEXT_MAX, "%.2f %s", value, units[unit]);
	return buffer;
}
