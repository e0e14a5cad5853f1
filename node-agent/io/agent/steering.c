/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/core/firewall/steer.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/rtnl/neighbour.h"

static const struct desired_tunnel *find_tunnel(const struct agent *agent, const char *name)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; i < desired->tunnel_count; i++)
		if (!strcmp(desired->tunnels[i].name, name))
			return &desired->tunnels[i];
	return NULL;
}

static size_t add_ports(const struct agent *agent, const struct desired_endpoint *endpoint, uint16_t *ports)
{
	size_t count = 0;

	for (size_t i = 0; i < endpoint->tunnel_count; i++) {
		const struct desired_tunnel *tunnel = find_tunnel(agent, endpoint->tunnels[i]);

		if (tunnel)
			ports[count++] = tunnel->listen_port;
	}
	return count;
}

static const struct desired_partner *find_partner(const struct agent *agent, const char *name)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; i < desired->partner_count; i++)
		if (!desired->partners[i].is_controller && !strcmp(desired->partners[i].name, name))
			return &desired->partners[i];
	return NULL;
}

/* The first of its addresses of that family that is a neighbour there, and is known to the kernel as one. */
static void take_address(const struct agent *agent, const char *device, unsigned ifindex,
	const struct addr *address, struct steer_way *way)
{
	struct addr *to = address->family == AF_INET ? &way->to4 : &way->to6, source;

	if (!addr_is_set(to) && witness_is_on_link(agent, device, address, &source) &&
		rtnl_neighbour_get(reconcile_rtnl(agent->reconcile), ifindex, address, way->mac, NULL) == 0)
		*to = *address;
}

static void make_way(const struct agent_seat *seat, unsigned ifindex, struct steer_way *way)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(seat);
	const struct desired_partner *partner = find_partner(seat->agent, seat->seat.partner);

	*way = (struct steer_way){
		.back = seat->steering == SEAT_STEER_BACK, .address_count = endpoint->dial_count};
	way->port_count = add_ports(seat->agent, endpoint, way->ports);
	memcpy(way->addresses, endpoint->dial, sizeof(way->addresses));
	for (size_t i = 0; partner && i < partner->address_count; i++)
		take_address(seat->agent, endpoint->dial_interface, ifindex, &partner->addresses[i], way);
}

static bool reaches(const struct steer_way *way)
{
	for (size_t i = 0; i < way->address_count; i++)
		if (!addr_is_set(way->addresses[i].family == AF_INET ? &way->to4 : &way->to6))
			return false;
	return true;
}

struct device_rules {
	struct steer steer;
	uint16_t ports[PROTO_TUNNELS_MAX];
	struct steer_way ways[STEER_WAYS_MAX];
};

/* Of all endpoints that are dialled there. */
static int gather(struct agent *agent, const char *device, struct device_rules *rules)
{
	struct rtnl_link link;
	int r = rtnl_link_get(reconcile_rtnl(agent->reconcile), device, &link, NULL);

	if (r < 0)
		return r;
	rules->steer.device = device;
	rules->steer.ifindex = link.ifindex;
	rules->steer.ports = rules->ports;
	rules->steer.ways = rules->ways;
	for (size_t i = 0; i < agent->held.desired->endpoint_count; i++) {
		const struct desired_endpoint *endpoint = &agent->held.desired->endpoints[i];
		struct agent_seat *seat = agent_seat_find(agent, endpoint->name);

		if (strcmp(endpoint->dial_interface, device))
			continue;
		rules->steer.port_count += add_ports(agent, endpoint, rules->ports + rules->steer.port_count);
		if (seat && seat->steering != SEAT_STEER_OFF)
			make_way(seat, link.ifindex, &rules->ways[rules->steer.way_count++]);
	}
	return 0;
}

static int apply(struct agent *agent, const struct device_rules *rules, bool *ret_changed, struct err *err)
{
	struct fw_ruleset *ruleset = steer_build(&rules->steer);
	int r = nft_apply(reconcile_nft(agent->reconcile), ruleset, NULL, 0, ret_changed, err);

	fw_ruleset_free(ruleset);
	return r;
}

/* Sessions of a device that is not there yet cannot have been missed. */
static bool has_devices(struct agent *agent, const char *device)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; i < desired->endpoint_count; i++) {
		const struct desired_endpoint *endpoint = &desired->endpoints[i];
		struct wg *wg;

		for (size_t j = 0; j < endpoint->tunnel_count; j++)
			if (!strcmp(endpoint->dial_interface, device) &&
				reconcile_wg(agent->reconcile, endpoint->tunnels[j], &wg, NULL) != -ENODEV)
				return true;
	}
	return false;
}

static int64_t read_complete_ms(struct agent *agent, const char *device)
{
	char table[FW_NAME_MAX + 1], comment[FW_COMMENT_MAX + 1];

	steer_table(device, table, sizeof(table));
	if (nft_set_comment(reconcile_nft(agent->reconcile), FW_NETDEV, table, STEER_OWN, comment,
		    sizeof(comment)) < 0)
		return INT64_MAX;
	return steer_complete_parse(comment);
}

static void look_at(struct agent *agent, struct steered *steered)
{
	struct device_rules *rules = mem_new(1, sizeof(*rules));
	struct err err = {0};
	int r = gather(agent, steered->device, rules);

	rules->steer.complete_ms =
		clock_boottime_ms() + (has_devices(agent, steered->device) ? STEER_COMPLETE_MS : 0);
	if (r >= 0)
		r = apply(agent, rules, NULL, &err);
	steered->complete_ms = r < 0 ? INT64_MAX : read_complete_ms(agent, steered->device);
	if (r < 0)
		log_limited(LEVEL_INFO, "steering", "not-learning", steered->device,
			log_text("interface", steered->device), log_err(&err));
	free(rules);
}

static struct steered *find_steered(struct agent *agent, const char *device)
{
	for (size_t i = 0; i < agent->steered_count; i++)
		if (!strcmp(agent->steered[i].device, device))
			return &agent->steered[i];
	return NULL;
}

static bool is_dialled(const struct agent *agent, const char *device)
{
	for (size_t i = 0; i < agent->held.desired->endpoint_count; i++)
		if (!strcmp(agent->held.desired->endpoints[i].dial_interface, device))
			return true;
	return false;
}

static void drop(struct agent *agent, size_t index)
{
	char scope[FW_SCOPE_MAX + 1];

	steer_scope(agent->steered[index].device, scope, sizeof(scope));
	nft_remove(reconcile_nft(agent->reconcile), scope, NULL);
	agent->steered[index] = agent->steered[--agent->steered_count];
}

void steering_look(struct agent *agent)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = agent->steered_count; i-- > 0;)
		if (!is_dialled(agent, agent->steered[i].device))
			drop(agent, i);
	for (size_t i = 0; i < desired->endpoint_count; i++) {
		const char *device = desired->endpoints[i].dial_interface;

		if (device[0] && !find_steered(agent, device))
			text_copy(agent->steered[agent->steered_count++].device,
				sizeof(agent->steered[0].device), device);
	}
	for (size_t i = 0; i < agent->steered_count; i++)
		look_at(agent, &agent->steered[i]);
}

static int check(struct agent_seat *seat, const struct device_rules *rules, struct err *err)
{
	const char *device = agent_seat_endpoint(seat)->dial_interface;
	struct steered *steered = find_steered(seat->agent, device);

	if (!steered || steered->complete_ms == INT64_MAX)
		return err_set(err, -ENOTSUP, "sessions are not learned on %s", device);
	if (steered->complete_ms > clock_boottime_ms())
		return err_set(err, -EAGAIN,
			"sessions made before %s was watched may live for another %lld s", device,
			(long long)(steered->complete_ms - clock_boottime_ms()) / 1000);
	for (size_t i = 0; i < rules->steer.way_count; i++)
		if (!reaches(&rules->ways[i]))
			return err_set(
				err, -EHOSTUNREACH, "%s is no neighbour on %s", seat->seat.partner, device);
	return 0;
}

int steering_set(struct agent_seat *seat, enum seat_steer steering)
{
	struct device_rules *rules = mem_new(1, sizeof(*rules));
	enum seat_steer before = seat->steering;
	struct err err = {0};
	int r;

	seat->steering = steering;
	r = gather(seat->agent, agent_seat_endpoint(seat)->dial_interface, rules);
	if (r >= 0 && steering != SEAT_STEER_OFF)
		r = check(seat, rules, &err);
	if (r >= 0)
		r = apply(seat->agent, rules, NULL, &err);
	if (r < 0) {
		seat->steering = before;
		journal_add(&seat->agent->journal, "not-steering", seat->seat.config.endpoint, "%s",
			err.text[0] ? err.text : strerror(-r));
	}
	free(rules);
	return r;
}

bool steering_reset(struct agent_seat *seat)
{
	struct device_rules *rules = mem_new(1, sizeof(*rules));
	bool changed = false;

	if (gather(seat->agent, agent_seat_endpoint(seat)->dial_interface, rules) >= 0)
		apply(seat->agent, rules, &changed, NULL);
	free(rules);
	return changed;
}
