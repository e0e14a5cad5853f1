/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cluster/watchers.h"

#include <string.h>

static size_t place_of(const char members[][PROTO_NAME_MAX + 1], size_t count, const char *name)
{
	size_t place = 0;

	while (place < count && strcmp(members[place], name) != 0)
		place++;
	return place;
}

bool watchers_include(
	const char members[][PROTO_NAME_MAX + 1], size_t count, const char *gateway, const char *watcher)
{
	size_t from = place_of(members, count, gateway), to = place_of(members, count, watcher);

	if (from == count || to == count || from == to)
		return false;
	return (to + count - from) % count < WATCHERS_MAX;
}
