/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/access_reach.h"

#include <string.h>

static bool covers(const struct desired_group *group, const struct prefix *prefix)
{
	for (size_t i = 0; i < group->may_reach_count; i++)
		if (prefix_covers(&group->may_reach[i], prefix))
			return true;
	return false;
}

static const struct desired_group *find(const struct desired *gateway, const char *name)
{
	for (size_t i = 0; i < gateway->group_count; i++)
		if (!strcmp(gateway->groups[i].name, name))
			return &gateway->groups[i];
	return NULL;
}

static bool keeps(const struct desired_group *from, const struct desired_group *to)
{
	for (size_t i = 0; i < from->may_reach_count; i++)
		if (!to || !covers(to, &from->may_reach[i]))
			return false;
	return true;
}

void access_reach_between(struct access_reach *reach, const struct desired *from, const struct desired *to)
{
	if (reach->from == from && reach->to == to)
		return;
	reach->from = from;
	reach->to = to;
	for (size_t i = 0; i < from->group_count; i++)
		reach->keeps[i] = keeps(&from->groups[i], find(to, from->groups[i].name));
}

static bool may_reach(
	const struct desired *gateway, const struct desired_peer *peer, const struct prefix *prefix)
{
	for (size_t i = 0; i < gateway->group_count; i++)
		if (desired_peer_is_in(peer, gateway->groups[i].name) && covers(&gateway->groups[i], prefix))
			return true;
	return false;
}

static bool may_reach_all(
	const struct desired *gateway, const struct desired_peer *peer, const struct desired_group *group)
{
	for (size_t i = 0; i < group->may_reach_count; i++)
		if (!may_reach(gateway, peer, &group->may_reach[i]))
			return false;
	return true;
}

bool access_reach_narrows(
	const struct access_reach *reach, const struct desired_peer *from, const struct desired_peer *to)
{
	static const struct prefix all4 = {.addr = {.family = AF_INET}},
				   all6 = {.addr = {.family = AF_INET6}};

	if (!to->groups)
		return false;
	if (!from->groups)
		return !may_reach(reach->to, to, &all4) || !may_reach(reach->to, to, &all6);
	for (size_t i = 0; i < reach->from->group_count; i++) {
		const struct desired_group *group = &reach->from->groups[i];

		if (!desired_peer_is_in(from, group->name) ||
			(reach->keeps[i] && desired_peer_is_in(to, group->name)))
			continue;
		if (!may_reach_all(reach->to, to, group))
			return true;
	}
	return false;
}
