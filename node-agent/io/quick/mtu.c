/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/keeping.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"
#include "node-agent/io/rtnl/route.h"

enum { OVERHEAD_BYTES = 80, MTU_UNKNOWN = 1500, MTU_OF_PROGRAMS = 1420, PADDING_BYTES = 16 };

/* The link that was asked for last: most peers are reached over the same. */
struct egress {
	char device[IFNAMSIZ];
	uint32_t mtu;
};

static uint32_t link_mtu(struct quick *quick, const char *name, struct egress *egress)
{
	struct rtnl_link link;

	if (!name[0])
		return 0;
	if (strcmp(egress->device, name) != 0) {
		text_copy(egress->device, sizeof(egress->device), name);
		egress->mtu = rtnl_link_get(quick_birth_rtnl(quick), name, &link, NULL) >= 0 ? link.mtu : 0;
	}
	return egress->mtu;
}

/* 0: there is no way there. */
static uint32_t mtu_towards(
	struct quick *quick, const struct endpoint *to, uint32_t mark, struct egress *egress)
{
	struct rtnl_route_query query = {.to = to->addr, .mark = mark, .oif = to->scope};
	struct rtnl_route route;

	if (rtnl_route_lookup(quick_birth_rtnl(quick), &query, &route, NULL) < 0)
		return 0;
	if (!strcmp(route.device, quick->name) && !quick->spaces.apart)
		return 0; /* through itself: what the MTU is tells nothing of what it shall be */
	return route.mtu ? route.mtu : link_mtu(quick, route.device, egress);
}

static uint32_t default_route_mtu(struct quick *quick, struct egress *egress)
{
	struct rtnl_route_filter filter = {.family = AF_INET, .table = RT_TABLE_MAIN};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count;

	if (rtnl_route_list(quick_birth_rtnl(quick), &filter, &routes, &count, NULL) < 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (!routes[i].to.length)
			return routes[i].mtu ? routes[i].mtu : link_mtu(quick, routes[i].device, egress);
	return 0;
}

/* A program does not see in another namespace what MTU its device has: it pads packets to a multiple of 16 up to the one
 * that it began with. */
static uint32_t mtu_of_moved(uint32_t mtu)
{
	return mtu == MTU_OF_PROGRAMS ? mtu : mtu & ~(uint32_t)(PADDING_BYTES - 1);
}

uint32_t quick_choose_mtu(struct quick *quick, uint32_t mark)
{
	struct egress egress = {.device = ""};
	uint32_t smallest = 0;

	if (quick->keeping && quick->journal.mtu_left)
		return quick->journal.mtu_left;
	if (quick->config.mtu)
		return quick->config.mtu;
	for (size_t i = 0; i < quick->config.peer_count; i++) {
		const struct endpoint *to = &quick->endpoints[i];
		uint32_t mtu = addr_is_set(&to->addr) ? mtu_towards(quick, to, mark, &egress) : 0;

		if (mtu && (!smallest || mtu < smallest))
			smallest = mtu;
	}
	if (!smallest && quick->keeping && quick->keeping->mtu)
		return quick->keeping->mtu; /* no way out just now tells nothing */
	if (!smallest)
		smallest = default_route_mtu(quick, &egress);
	if (!smallest)
		smallest = MTU_UNKNOWN;
	smallest = smallest > OVERHEAD_BYTES ? smallest - OVERHEAD_BYTES : smallest;
	return quick->journal.program && quick->spaces.apart ? mtu_of_moved(smallest) : smallest;
}
