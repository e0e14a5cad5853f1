/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/rtnl/route.h"

enum { ROUTERS_MAX = 2 }; /* one of each family */

/*
 * The witness: somebody on the segment whose answer tells that our own path works (FAILOVER rule 3). Asked
 * by ARP or neighbour solicitation where it is on the link, else by ICMP; by default the underlay's router.
 */

bool witness_is_on_link(
	const struct agent *agent, const char *interface, const struct addr *to, struct addr *ret_source)
{
	const struct plan_world *world = reconcile_observed(agent->reconcile);

	for (size_t i = 0; i < world->address_count; i++) {
		const struct plan_address *address = &world->addresses[i];

		if (strcmp(address->device, interface) || address->prefix.length == addr_bits(to) ||
			!prefix_contains(&address->prefix, to))
			continue;
		*ret_source = address->prefix.addr;
		return true;
	}
	return false;
}

static void ask(struct agent *agent, const char *interface, const struct addr *to, uint16_t sequence)
{
	struct addr source;

	if (witness_is_on_link(agent, interface, to, &source))
		probe_send(agent->probe, interface, to, &source);
	else
		icmp_send(agent->icmp, to, interface, NULL, sequence);
}

/* The underlay's router: whom packets to far away would be handed to there. Asked of the kernel for a documentation
 * address (RFC 5737, RFC 9637) that nobody has a route of its own to; a whole routing table is not to be read here. */
static size_t routers(struct agent *agent, const char *interface, struct addr *found)
{
	static const char *const far_away[] = {"192.0.2.1", "3fff::1"};
	struct rtnl_link link;
	size_t count = 0;

	if (rtnl_link_get(reconcile_rtnl(agent->reconcile), interface, &link, NULL) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_COUNT(far_away); i++) {
		struct rtnl_route_query query = {.oif = link.ifindex};
		struct rtnl_route route;

		if (addr_parse(far_away[i], &query.to, NULL) >= 0 &&
			rtnl_route_lookup(reconcile_rtnl(agent->reconcile), &query, &route, NULL) >= 0 &&
			addr_is_set(&route.via))
			found[count++] = route.via;
	}
	return count;
}

static void ask_hop(struct agent *agent, const char *interface, const struct addr *via)
{
	struct addr source;

	if (witness_is_on_link(agent, interface, via, &source))
		probe_send(agent->probe, interface, via, &source);
}

void witness_ask_next_hops(struct agent_seat *seat)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(seat);
	struct addr found[ROUTERS_MAX];
	size_t count = routers(seat->agent, endpoint->dial_interface, found);

	for (size_t i = 0; i < count; i++)
		ask_hop(seat->agent, endpoint->dial_interface, &found[i]);
	for (size_t i = 0; i < endpoint->route_count; i++)
		if (addr_is_set(&endpoint->routes[i].via))
			ask_hop(seat->agent, endpoint->routes[i].interface, &endpoint->routes[i].via);
}

size_t witness_list(struct agent_seat *seat, struct addr *ret_witnesses)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(seat);

	if (!endpoint->witness_count)
		return routers(seat->agent, endpoint->dial_interface, ret_witnesses);
	memcpy(ret_witnesses, endpoint->witness, endpoint->witness_count * sizeof(*ret_witnesses));
	return endpoint->witness_count;
}

void witness_ask_one(struct agent *agent, const char *interface, const struct addr *to)
{
	ask(agent, interface, to, 0);
}

void witness_ask_hop(struct agent *agent, const char *interface, const struct addr *to)
{
	struct addr source;

	probe_send(agent->probe, interface, to,
		witness_is_on_link(agent, interface, to, &source) ? &source : NULL);
}

void witness_ask(struct agent_seat *seat)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(seat);
	struct witness *witness = &seat->witness;

	witness->count = witness_list(seat, witness->whom);
	witness->sequence++;
	if (witness->count && witness->asked_ms == SEAT_NEVER)
		witness->asked_ms = clock_now_ms();
	for (size_t i = 0; i < witness->count; i++)
		ask(seat->agent, endpoint->dial_interface, &witness->whom[i], witness->sequence);
}

static bool was_asked(const struct witness *witness, const struct addr *from)
{
	for (size_t i = 0; i < witness->count; i++)
		if (addr_equal(&witness->whom[i], from))
			return true;
	return false;
}

/* An answer that came in by another interface says nothing of the underlay. */
bool witness_is_dial_interface(const struct agent_seat *seat, unsigned ifindex)
{
	struct rtnl_link link;

	return rtnl_link_get(reconcile_rtnl(seat->agent->reconcile),
		       agent_seat_endpoint(seat)->dial_interface, &link, NULL) >= 0 &&
	       link.ifindex == ifindex;
}

/* An answer to a question that is open: the oldest open one, so that nothing later than the truth is claimed.
 * ifindex 0: the question was bound to its interface already. */
static void answered(struct agent *agent, const struct addr *from, unsigned ifindex)
{
	for (size_t i = 0; i < agent->seat_count; i++) {
		struct agent_seat *seat = agent->seats[i];
		struct seat_event event = {.kind = SEAT_EVENT_WITNESS, .at_ms = seat->witness.asked_ms};

		if (seat->witness.asked_ms == SEAT_NEVER || !was_asked(&seat->witness, from) ||
			(ifindex && !witness_is_dial_interface(seat, ifindex)))
			continue;
		seat->witness.asked_ms = SEAT_NEVER;
		if (agent->liveness)
			liveness_set_witnessed(agent->liveness, event.at_ms);
		agent_seat_step(seat, &event);
		agent_succession_step(seat,
			(struct succession_event){.kind = SUCCESSION_EVENT_EVIDENCE, .at_ms = event.at_ms});
	}
}

/* ---- a silent pool member's kernel ---- */

void witness_ask_partner(struct agent *agent, const struct addr *address, uint32_t count)
{
	const struct desired *desired = agent->held.desired;
	const struct addr *source = NULL;

	for (size_t i = 0; i < desired->address_count && !source; i++)
		if (desired->addresses[i].family == address->family)
			source = &desired->addresses[i];
	for (uint32_t i = 0; i < count; i++)
		icmp_send(agent->icmp, address, NULL, source, (uint16_t)i);
}

static const char *partner_at(const struct agent *agent, const struct addr *address)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; i < desired->partner_count; i++)
		for (size_t j = 0; j < desired->partners[i].address_count; j++)
			if (addr_equal(&desired->partners[i].addresses[j], address))
				return desired->partners[i].name;
	return NULL;
}

static void on_icmp(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;
	struct icmp_answer answer;

	(void)fd;
	(void)what;
	while (icmp_read(agent->icmp, &answer) > 0) {
		const char *partner = agent->held.desired ? partner_at(agent, &answer.from) : NULL;

		if (partner && agent->liveness)
			liveness_kernel_answered(agent->liveness, partner);
		else if (agent->held.desired)
			answered(agent, &answer.from, 0);
		standing_answered(agent, &answer.from, 0);
	}
}

static void on_probe(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;
	struct probe_answer answer;

	(void)fd;
	(void)what;
	while (probe_read(agent->probe, &answer) > 0) {
		if (!agent->held.desired)
			continue;
		answered(agent, &answer.address, answer.interface);
		standing_answered(agent, &answer.address, answer.interface);
		agent_succession_answered(agent, &answer);
	}
}

static void watch(
	struct agent *agent, const int *fds, struct event **events, size_t count, event_callback_fn callback)
{
	for (size_t i = 0; i < count; i++) {
		if (fds[i] < 0)
			continue;
		events[i] = event_new(agent->base, fds[i], EV_READ | EV_PERSIST, callback, agent);
		event_add(events[i], NULL);
	}
}

int witness_open(struct agent *agent, struct err *err)
{
	int icmp_sockets[ICMP_FDS], probe_sockets[PROBE_FDS];
	int r = icmp_open(&agent->icmp, err);

	if (r >= 0)
		r = probe_open(&agent->probe, err);
	if (r < 0)
		return r;
	icmp_fds(agent->icmp, icmp_sockets);
	probe_fds(agent->probe, probe_sockets);
	watch(agent, icmp_sockets, agent->icmp_events, ICMP_FDS, on_icmp);
	watch(agent, probe_sockets, agent->probe_events, PROBE_FDS, on_probe);
	return 0;
}

static void unwatch(struct event **events, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (events[i])
			event_free(events[i]);
		events[i] = NULL;
	}
}

void witness_close(struct agent *agent)
{
	unwatch(agent->icmp_events, ICMP_FDS);
	unwatch(agent->probe_events, PROBE_FDS);
	icmp_close(agent->icmp);
	probe_close(agent->probe);
	agent->icmp = NULL;
	agent->probe = NULL;
}
