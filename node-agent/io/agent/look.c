/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/core/repair/silence.h"
#include "node-agent/io/agent/agent_int.h"

static size_t fill_seeds(struct agent *agent, struct nft_seed *seeds)
{
	size_t count = 0;

	for (size_t i = 0; i < agent->seat_count; i++) {
		int64_t left_ms = agent_seat_left_ms(agent->seats[i]);

		if (left_ms > 0)
			seeds[count++] =
				(struct nft_seed){.permit = agent->seats[i]->permit, .timeout_ms = left_ms};
	}
	return count;
}

int agent_restore_fence(struct agent *agent)
{
	struct nft_seed *seeds = mem_new(PROTO_ENDPOINTS_MAX, sizeof(*seeds));
	size_t count = fill_seeds(agent, seeds);
	struct err err = {0};
	int r = nft_apply(reconcile_nft(agent->reconcile), agent->held.ruleset, seeds, count, NULL, &err);

	mem_free_pointer(&seeds);
	if (r >= 0)
		r = reach_before_peers(agent, &err);
	if (r < 0)
		log_error("agent", "fence-not-restored", log_err(&err));
	else
		journal_add(&agent->journal, "fence-restored", NULL,
			"somebody removed the firewall's tables (nft flush ruleset?): they are back, with "
			"%zu permits",
			count);
	return r;
}

static void fill_facts(struct agent *agent, struct plan_facts *facts)
{
	facts->desired = agent->held.desired;
	facts->previous = agent->previous;
	facts->left = &agent->left;
	facts->preshared_keys = agent->held.preshared_keys;
	facts->live_endpoint = standby_live_endpoint;
	facts->resolved_endpoint = names_endpoint;
	facts->allowed_ips = holding_allowed_ips;
	facts->groups_missing = agent->reach_missing;
	facts->context = agent;
	for (size_t i = 0; i < agent->seat_count; i++) {
		facts->serving[agent->seats[i]->index] = seat_holds(&agent->seats[i]->seat);
		facts->visiting[agent->seats[i]->index] = !agent_seat_serves(agent->seats[i]);
		facts->waking[agent->seats[i]->index] = agent->seats[i]->takeover != NULL;
	}
}

static void schedule(struct agent *agent, int64_t wait_ms)
{
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

	event_add(agent->look, &wait);
}

static void set_fit(struct agent *agent, const char *failure)
{
	bool fit = !failure[0];
	struct seat_event event = {.kind = SEAT_EVENT_FIT, .up = fit};

	if (!fit && agent->fit)
		journal_add(&agent->journal, "unfit", NULL, "%s", failure);
	else if (fit && !agent->fit)
		journal_add(&agent->journal, "fit", NULL, "all is as it shall be");
	text_copy(agent->failure, sizeof(agent->failure), failure);
	if (fit == agent->fit)
		return;
	agent->fit = fit;
	agent_seats_step(agent, &event);
	control_report_now(agent->control);
}

static int64_t next_wait_ms(struct agent *agent, bool failed)
{
	if (!failed) {
		agent->retry_ms = 0;
		return AGENT_SLOW_POLL_MS;
	}
	agent->retry_ms = agent->retry_ms ? agent->retry_ms * 2 : AGENT_RETRY_MS;
	if (agent->retry_ms > AGENT_SLOW_POLL_MS)
		agent->retry_ms = AGENT_SLOW_POLL_MS;
	return agent->retry_ms;
}

/* Told before anything else that failed: whoever is kept out shall be able to find out why. */
static void describe_reach(const struct agent *agent, const struct err *err, char *text, size_t size)
{
	char why[ERR_WHERE_MAX + ERR_TEXT_MAX];

	snprintf(text, size, "%s%s",
		agent->reach_missing ? "peers in groups are kept out, the kernel refuses what holds them: "
				     : "",
		err_format(err, why, sizeof(why)));
}

static void on_applied(const struct plan_op *op, bool done, void *context)
{
	repairs_applied(op, done, context);
	hooks_applied(context, op, done);
}

void agent_look_now(struct agent *agent)
{
	struct nft_seed *seeds = mem_new(PROTO_ENDPOINTS_MAX, sizeof(*seeds));
	struct reconcile_input input = {.ruleset = agent->held.ruleset,
		.seeds = seeds,
		.applied = on_applied,
		.applied_context = agent};
	struct reconcile_result result = {0};
	struct err err = {0}, reach_err = {0};
	int64_t wait_ms;
	int r, reached;

	agent->look_is_near = agent->aside.looks = false;
	if (!agent->held.desired) {
		mem_free_pointer(&seeds);
		return;
	}
	names_update(agent);
	steering_look(agent);
	reached = reach_before_peers(agent, &reach_err);
	hooks_look(agent, &input);
	fill_facts(agent, &input.facts);
	repairs_begin(agent, &input.facts);
	input.seed_count = fill_seeds(agent, seeds);
	r = reconcile_run(agent->reconcile, &input, &result, &err);
	mem_free_pointer(&seeds);
	hooks_looked(agent, r >= 0);
	agent->looks++;
	agent->bypasses = result.bypasses;
	agent->operations += result.changed;
	if (r == -EINPROGRESS) { /* a hiccup of a device's program is no reason to give anything up */
		repairs_end(agent, false);
		schedule(agent, SILENCE_FIRST_MS);
		return;
	}
	if (r < 0)
		err_format(&err, result.failure, sizeof(result.failure));
	if (reached >= 0 && !result.failure[0] && !hooks_let_in(agent))
		reached = reach_after_peers(agent, &reach_err);
	if (!result.failure[0])
		text_copy(result.failure, sizeof(result.failure), hooks_failure(agent));
	if (reached < 0)
		describe_reach(agent, &reach_err, result.failure, sizeof(result.failure));
	if (!result.failure[0]) {
		desired_free(agent->previous);
		agent->previous = NULL;
		plan_scope_clear(&agent->left);
	}
	repairs_end(agent, !result.failure[0] && !hooks_are_awaited(agent));
	wait_ms = next_wait_ms(agent, result.failure[0] != '\0');
	if (r == -ETIMEDOUT && wait_ms > SILENCE_LONGEST_MS)
		wait_ms = SILENCE_LONGEST_MS; /* as soon as its program answers again, it is in order */
	if (!result.failure[0] && !result.changed)
		agent->compared_ms = clock_now_ms();
	else if (!result.failure[0] && wait_ms > AGENT_CONFIRM_MS)
		wait_ms = AGENT_CONFIRM_MS;
	if (hooks_are_unseen(agent) && wait_ms > AGENT_RETRY_MS)
		wait_ms = AGENT_RETRY_MS;
	schedule(agent, wait_ms);
	if (result.failure[0] || !hooks_are_awaited(agent))
		set_fit(agent, result.failure);
}

void agent_look_soon(struct agent *agent)
{
	if (agent->look_is_near)
		return; /* not again and again while events keep coming */
	agent->look_is_near = true;
	schedule(agent, repair_delay_ms(&agent->repair, clock_now_ms()));
}

static void on_look(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	if (!aside_look(context))
		agent_look_now(context);
}

static bool is_tunnel(const struct agent *agent, const char *device)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; desired && i < desired->tunnel_count; i++)
		if (!strcmp(desired->tunnels[i].name, device))
			return true;
	return false;
}

static bool is_used_by(const struct desired_endpoint *endpoint, const char *device)
{
	if (!strcmp(endpoint->dial_interface, device))
		return true;
	for (size_t i = 0; i < endpoint->inside_count; i++)
		if (!strcmp(endpoint->inside[i].interface, device))
			return true;
	for (size_t i = 0; i < endpoint->route_count; i++)
		if (!strcmp(endpoint->routes[i].interface, device))
			return true;
	return false;
}

static bool is_ours(const struct agent *agent, const char *device)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; desired && i < desired->endpoint_count; i++)
		if (is_used_by(&desired->endpoints[i], device))
			return true;
	return is_tunnel(agent, device) || (desired && !strcmp(device, "lo"));
}

/* Another's route of the same table and prefix may have taken the place of ours without a word about ours. */
static bool is_in_our_place(const struct agent *agent, const struct rtnl_route *route)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; desired && i < desired->endpoint_count; i++)
		for (size_t j = 0; j < desired->endpoints[i].route_count; j++)
			if (prefix_equal(&desired->endpoints[i].routes[j].to, &route->to))
				return true;
	return false;
}

/* A lost carrier fences at once; one that comes back is told too. */
static void tell_carrier(struct agent *agent, const char *interface, bool up)
{
	struct seat_event event = {.kind = SEAT_EVENT_CARRIER, .up = up};

	for (size_t i = 0; i < agent->seat_count; i++) {
		struct agent_seat *seat = agent->seats[i];

		if (!strcmp(agent_seat_endpoint(seat)->dial_interface, interface) && seat->seat.carrier != up)
			agent_seat_step(seat, &event);
	}
	agent_tell_blind(agent);
}

static void look_why(struct agent *agent, const struct monitor_event *event)
{
	repairs_told(&agent->repair, event);
	agent_look_soon(agent);
}

static void on_link(struct agent *agent, const struct monitor_event *event)
{
	const struct rtnl_link *link = &event->link;

	tell_carrier(agent, link->name, event->kind == MONITOR_LINK && link->up && link->carrier);
	if (is_ours(agent, link->name))
		look_why(agent, event);
	if (is_tunnel(agent, link->name))
		reconcile_forget_given(agent->reconcile, link->name);
	else
		underlay_check_soon(&agent->underlay);
}

/* One of those that a renewed lease gives a new lifetime twice a second: nothing has changed. */
static bool is_renewed(struct agent *agent, const struct rtnl_address *address)
{
	if (address->valid_lft_s == RTNL_LIFETIME_FOREVER)
		return false;
	for (size_t i = 0; i < agent->seat_count; i++) {
		const struct desired_endpoint *endpoint = agent_seat_endpoint(agent->seats[i]);

		if (seat_holds(&agent->seats[i]->seat) &&
			plan_endpoint_has_address(endpoint, address->device, &address->prefix.addr))
			return true;
	}
	return false;
}

/* An address that comes to an outer or inside interface is no reason for anything but may change what is wanted. */
static void on_address(struct agent *agent, const struct monitor_event *event)
{
	const char *device = event->address.device;

	if (event->kind == MONITOR_ADDRESS && is_renewed(agent, &event->address))
		return;
	if (is_tunnel(agent, device) || (event->kind == MONITOR_ADDRESS_GONE && is_ours(agent, device)))
		look_why(agent, event);
	else if (is_ours(agent, device))
		agent_look_soon(agent);
	if (!is_tunnel(agent, device))
		underlay_check_soon(&agent->underlay);
}

/* Our own additions come back as events too: only what may need repair is looked at. */
static void on_route(struct agent *agent, const struct monitor_event *event)
{
	const struct rtnl_route *route = &event->route;
	bool gone = event->kind == MONITOR_ROUTE_GONE;

	if (route->table == RT_TABLE_LOCAL || route->type == RTN_LOCAL || route->type == RTN_BROADCAST ||
		route->type == RTN_MULTICAST)
		return; /* comes and goes with an address */
	if (route->protocol == PLAN_PROTOCOL || is_tunnel(agent, route->device)) {
		if (gone)
			look_why(agent, event);
		return;
	}
	if (!gone && is_in_our_place(agent, route))
		look_why(agent, event);
	underlay_check_soon(&agent->underlay);
}

static void on_rule(struct agent *agent, const struct monitor_event *event)
{
	if (event->rule.protocol != PLAN_PROTOCOL)
		underlay_check_soon(&agent->underlay);
	else if (event->kind == MONITOR_RULE_GONE)
		look_why(agent, event);
}

static void on_network(const struct monitor_event *event, void *context)
{
	struct agent *agent = context;

	tunnels_told(agent, NULL, event);
	switch (event->kind) {
	case MONITOR_LINK:
	case MONITOR_LINK_GONE:
		on_link(agent, event);
		return;
	case MONITOR_ADDRESS:
	case MONITOR_ADDRESS_GONE:
		on_address(agent, event);
		return;
	case MONITOR_ROUTE:
	case MONITOR_ROUTE_GONE:
		on_route(agent, event);
		return;
	case MONITOR_RULE:
	case MONITOR_RULE_GONE:
		on_rule(agent, event);
		return;
	case MONITOR_RESYNC:
		look_why(agent, event);
		underlay_check_soon(&agent->underlay);
		return;
	}
}

static void on_monitor(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;
	struct err err = {0};

	(void)fd;
	(void)what;
	if (monitor_read(agent->monitor, on_network, agent, &err) < 0)
		log_limited(LEVEL_ERROR, "agent", "monitor", "", log_err(&err));
}

static void on_watch(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;
	int64_t now_ms = clock_now_ms();
	bool restored;

	(void)fd;
	(void)what;
	switch (nft_watch_read(agent->watch)) {
	case NFT_NEWS_NONE:
		return;
	case NFT_NEWS_OTHERS:
		break;
	case NFT_NEWS_GONE:
		reach_forget(agent);
		restored = agent->held.desired && agent_restore_fence(agent) >= 0;
		if (restored)
			repairs_fence(agent, now_ms);
		repair_tell(&agent->repair, REPAIR_FIREWALL, now_ms, "a table of ours was deleted");
		if (restored)
			agent_look_soon(agent);
		else
			agent_look_now(agent); /* nothing holds peers in groups: out with them */
		tunnels_firewall_changed(agent, NULL);
		break;
	case NFT_NEWS_CHANGED:
		reach_forget(agent);
		repair_tell(&agent->repair, REPAIR_FIREWALL, now_ms, "somebody changed a table of ours");
		agent_look_soon(agent);
		tunnels_firewall_changed(agent, NULL);
		break;
	}
	/* Whoever flushes the ruleset loads one of his in the same breath. */
	checking_firewall_changed(agent);
}

int agent_look_open(struct agent *agent, struct err *err)
{
	int r = monitor_open(&agent->monitor, err);

	if (r >= 0)
		r = nft_watch_open(reconcile_nft(agent->reconcile), &agent->watch, err);
	if (r < 0)
		return r;
	agent->look = event_new(agent->base, -1, 0, on_look, agent);
	underlay_open(&agent->underlay, agent, NULL, reconcile_rtnl(agent->reconcile));
	agent->monitor_event =
		event_new(agent->base, monitor_fd(agent->monitor), EV_READ | EV_PERSIST, on_monitor, agent);
	agent->watch_event =
		event_new(agent->base, nft_watch_fd(agent->watch), EV_READ | EV_PERSIST, on_watch, agent);
	event_add(agent->monitor_event, NULL);
	event_add(agent->watch_event, NULL);
	return 0;
}

void agent_look_close(struct agent *agent)
{
	struct event **events[] = {&agent->look, &agent->monitor_event, &agent->watch_event};

	for (size_t i = 0; i < ARRAY_COUNT(events); i++) {
		if (*events[i])
			event_free(*events[i]);
		*events[i] = NULL;
	}
	underlay_close(&agent->underlay);
	monitor_close(agent->monitor);
	nft_watch_close(agent->watch);
	agent->monitor = NULL;
	agent->watch = NULL;
}
