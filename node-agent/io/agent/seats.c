/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/core/plan/target.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/rtnl/link.h"

enum { PEERS_IN_A_MS = 20 }; /* that a userspace WireGuard tells of, on a slow and busy machine */

const struct desired_endpoint *agent_seat_endpoint(const struct agent_seat *seat)
{
	return &seat->agent->held.desired->endpoints[seat->index];
}

struct agent_seat *agent_seat_find(struct agent *agent, const char *endpoint)
{
	for (size_t i = 0; i < agent->seat_count; i++)
		if (!strcmp(agent->seats[i]->seat.config.endpoint, endpoint))
			return agent->seats[i];
	return NULL;
}

struct agent_seat *agent_seat_of_tunnel(struct agent *agent, const char *tunnel)
{
	const struct desired_endpoint *endpoint = plan_tunnel_endpoint(agent->held.desired, tunnel);

	return endpoint ? agent_seat_find(agent, endpoint->name) : NULL;
}

bool agent_seat_has_member(const struct agent_seat *seat, const char *gateway)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(seat);

	for (size_t i = 0; i < endpoint->pool_count; i++)
		if (!strcmp(endpoint->pool[i], gateway))
			return true;
	return false;
}

bool agent_seat_serves(const struct agent_seat *seat)
{
	return seat_role_serves(seat->seat.role);
}

bool agent_serves_tunnel(struct agent *agent, const char *tunnel)
{
	const struct agent_seat *seat = agent_seat_of_tunnel(agent, tunnel);

	return seat && agent_seat_serves(seat);
}

bool agent_has_alone(const struct agent *agent, const char *tunnel)
{
	return agent->held.desired && !plan_tunnel_endpoint(agent->held.desired, tunnel);
}

bool agent_tells_of(struct agent *agent, const char *tunnel)
{
	return agent_serves_tunnel(agent, tunnel) || agent_has_alone(agent, tunnel);
}

int64_t agent_seat_left_ms(const struct agent_seat *seat)
{
	int64_t now_ms = clock_now_ms();

	if (!seat_holds(&seat->seat) || seat->seat.permit_until_ms <= now_ms)
		return 0;
	return seat->seat.permit_until_ms - now_ms;
}

static void schedule(struct agent_seat *seat)
{
	int64_t deadline_ms = seat_deadline(&seat->seat), now_ms = clock_now_ms();
	int64_t wait_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

	if (deadline_ms == INT64_MAX)
		event_del(seat->timer);
	else
		event_add(seat->timer, &wait);
}

void agent_seat_step(struct agent_seat *seat, const struct seat_event *event)
{
	struct seat_actions actions = {0};
	enum seat_role role = seat->seat.role;

	seat_step(&seat->seat, event, clock_now_ms(), &actions);
	agent_seat_act(seat, &actions);
	schedule(seat);
	if (seat->seat.role != role)
		telling_soon(seat->agent);
	leaving_look(seat->agent);
}

void agent_seats_step(struct agent *agent, const struct seat_event *event)
{
	for (size_t i = 0; i < agent->seat_count; i++)
		agent_seat_step(agent->seats[i], event);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct seat_event tick = {.kind = SEAT_EVENT_TICK};

	(void)fd;
	(void)what;
	agent_seat_step(context, &tick);
}

static void configure(struct agent *agent, size_t index, struct seat_config *config)
{
	const struct desired_endpoint *endpoint = &agent->held.desired->endpoints[index];

	*config = (struct seat_config){.lease_ms = endpoint->lease_ms,
		.timing = timing_from_interval(agent->held.desired->liveness_ms),
		.exclusive = endpoint->isolation == ISOLATION_FENCE};
	text_copy(config->endpoint, sizeof(config->endpoint), endpoint->name);
	text_copy(config->gateway, sizeof(config->gateway), agent->config->gateway);
	for (size_t i = 0; i < endpoint->pool_count; i++)
		if (strcmp(endpoint->pool[i], config->gateway) != 0)
			text_copy(config->others[config->other_count++], sizeof(config->others[0]),
				endpoint->pool[i]);
}

bool agent_has_carrier(struct agent *agent, const char *interface)
{
	struct rtnl_link link;

	return rtnl_link_get(reconcile_rtnl(agent->reconcile), interface, &link, NULL) >= 0 && link.up &&
	       link.carrier;
}

/* What the disk says and the kernel holds: an owner's lease that still runs is adopted. */
static void seat_start(struct agent_seat *seat)
{
	struct agent *agent = seat->agent;
	struct seat_event start = {
		.kind = SEAT_EVENT_START, .disk = state_find_seat(&agent->disk, seat->seat.config.endpoint)};
	struct seat_event carrier = {.kind = SEAT_EVENT_CARRIER,
		.up = agent_has_carrier(agent, agent_seat_endpoint(seat)->dial_interface)};
	struct seat_event fit = {.kind = SEAT_EVENT_FIT, .up = true};
	int64_t left_ms = 0;
	int r = nft_permit_read(reconcile_nft(agent->reconcile), &seat->permit, &left_ms);

	if (r >= 0 && left_ms > 0)
		start.permit_left_ms = (uint32_t)left_ms;
	log_info("seat", "start", log_text("endpoint", seat->seat.config.endpoint),
		log_u64("permit_left_ms", start.permit_left_ms), log_bool("known", start.disk != NULL));
	if (r < 0 && r != -ESTALE)
		log_warning("seat", "permit-not-read", log_errno(r));
	agent_seat_step(seat, &start);
	agent_floor_tell(seat);
	if (steering_reset(seat) && agent_seat_serves(seat)) {
		/* a move that ended with the agent: what the guest has pulled comes back */
		seat->ordered_ms = clock_now_ms();
		takeover_start(seat);
	}
	agent_seat_step(seat, &carrier);
	if (agent->fit) /* an endpoint that is new on a gateway which is in order; else the next look tells */
		agent_seat_step(seat, &fit);
}

static struct agent_seat *seat_new(struct agent *agent, size_t index)
{
	struct agent_seat *seat = mem_new(1, sizeof(*seat));
	struct seat_config config;

	configure(agent, index, &config);
	seat->agent = agent;
	seat->index = index;
	seat->witness.asked_ms = SEAT_NEVER;
	seat->timer = event_new(agent->base, -1, 0, on_timer, seat);
	fw_permit_of(agent->held.desired, config.endpoint, &seat->permit);
	seat_init(&seat->seat, &config, clock_now_ms());
	agent_succession_begin(seat);
	return seat;
}

static void seat_free(struct agent_seat *seat)
{
	takeover_end(seat);
	forgetting_finish(seat);
	flows_seat_free(seat);
	standing_free(seat);
	agent_succession_end(seat);
	event_free(seat->timer);
	free(seat);
}

/* The same endpoint in a new generation; what it permits may differ, and then does so in one step. */
static void seat_refresh(struct agent_seat *seat, size_t index)
{
	struct agent *agent = seat->agent;
	struct seat_config config;
	struct fw_permit permit;
	int64_t left_ms = agent_seat_left_ms(seat);
	int r;

	seat->index = index;
	configure(agent, index, &config);
	seat_configure(&seat->seat, &config, clock_now_ms());
	agent_succession_refresh(seat);
	if (fw_permit_of(agent->held.desired, config.endpoint, &permit) < 0)
		return;
	permit.announces = seat->permit.announces;
	if (fw_permit_equal(&permit, &seat->permit))
		return;
	if (left_ms > 0) {
		r = nft_permit_change(reconcile_nft(agent->reconcile), &seat->permit, &permit, left_ms);
		if (r < 0)
			log_error("seat", "permit-not-changed", log_text("endpoint", config.endpoint),
				log_errno(r));
	}
	seat->permit = permit;
}

static size_t index_of(const struct desired *desired, const char *endpoint)
{
	size_t index = 0;

	while (index < desired->endpoint_count && strcmp(desired->endpoints[index].name, endpoint))
		index++;
	return index;
}

void agent_seats_leave(struct agent *agent, const struct desired *next)
{
	for (size_t i = agent->seat_count; i-- > 0;) {
		struct agent_seat *seat = agent->seats[i];

		if (index_of(next, seat->seat.config.endpoint) < next->endpoint_count)
			continue;
		agent_seat_vacate(seat);
		seat_free(seat);
		agent->seats[i] = agent->seats[--agent->seat_count];
	}
}

/* An eighth of the shortest lease: a renewal, due every sixth, is late then and not lost. And never so long that an owner
 * which has only its witness to go by would miss its answers (SEAT_BLIND_MS). Many peers take longer to tell. */
static int patience_ms(const struct desired *desired)
{
	uint32_t patience_ms = RECONCILE_PATIENCE_MS;

	for (size_t i = 0; i < desired->endpoint_count; i++)
		if (desired->endpoints[i].lease_ms / 8 < patience_ms)
			patience_ms = desired->endpoints[i].lease_ms / 8;
	return (int)patience_ms + (int)(desired->peer_count / PEERS_IN_A_MS);
}

void agent_seats_update(struct agent *agent)
{
	const struct desired *desired = agent->held.desired;

	reconcile_set_patience(agent->reconcile, patience_ms(desired));
	for (size_t i = 0; i < desired->endpoint_count; i++) {
		struct agent_seat *seat = agent_seat_find(agent, desired->endpoints[i].name);

		if (seat) {
			seat_refresh(seat, i);
			continue;
		}
		seat = seat_new(agent, i);
		agent->seats[agent->seat_count++] = seat;
		seat_start(seat);
	}
}

void agent_seats_free(struct agent *agent)
{
	for (size_t i = 0; i < agent->seat_count; i++)
		seat_free(agent->seats[i]);
	agent->seat_count = 0;
}
