/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/flows_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/metrics.h"
#include "node-agent/io/agent/newcomers.h"

bool flows_is_source(const struct agent_seat *seat)
{
	return agent_seat_serves(seat) || seat->seat.role == SEAT_RELAYING;
}

/* ---- what an endpoint's flows are ---- */

static bool same_own(const struct flows *flows, const struct plan_world *observed)
{
	if (flows->own_count != observed->address_count)
		return false;
	for (size_t i = 0; i < flows->own_count; i++)
		if (!addr_equal(&flows->own[i], &observed->addresses[i].prefix.addr))
			return false;
	return true;
}

/* True if the gateway's own addresses are others than before. */
static bool refresh_own(struct flows *flows)
{
	const struct plan_world *observed = reconcile_observed(flows->agent->reconcile);

	if (same_own(flows, observed))
		return false;
	free(flows->own);
	flows->own_count = observed->address_count;
	flows->own = mem_new(flows->own_count + 1, sizeof(*flows->own));
	for (size_t i = 0; i < flows->own_count; i++)
		flows->own[i] = observed->addresses[i].prefix.addr;
	return true;
}

static void refresh_scope(struct seat_flows *of, bool anew)
{
	struct flows *flows = of->seat->agent->flows;
	const struct desired *desired = of->seat->agent->held.desired;

	if (of->scope && !anew && of->scope_generation == desired->generation)
		return;
	flow_scope_free(of->scope);
	of->scope = flow_scope_new(desired, agent_seat_endpoint(of->seat), flows->own, flows->own_count);
	of->scope_generation = desired->generation;
}

/* ---- what the kernel tells ---- */

static void log_gone(struct seat_flows *of, const struct flow *flow)
{
	if (flow_log_remove(of->log, flow))
		flows_tell_soon(of);
}

static void log_flow(struct seat_flows *of, const struct flow *flow,
	bool (*put)(struct flow_log *log, const struct flow *flow))
{
	struct flow whole = *flow;

	if (!flow_log_complete(of->log, &whole))
		return; /* the next look tells the rest */
	if (flow_scope_refuse(of->scope, &whole))
		log_gone(of, &whole);
	else if (put(of->log, &whole))
		flows_tell_soon(of);
}

static void on_flow(const struct flow *flow, bool gone, void *context)
{
	struct flows *flows = context;
	struct agent *agent = flows->agent;

	if (!gone)
		newcomers_hear(agent, flow);
	for (size_t i = 0; i < agent->seat_count; i++) {
		struct seat_flows *of = agent->seats[i]->flows;

		if (of && of->log && gone)
			log_gone(of, flow);
		else if (of && of->log)
			log_flow(of, flow, flow_log_put);
	}
}

static void on_seen(const struct flow *flow, void *context)
{
	struct flows *flows = context;
	struct agent *agent = flows->agent;

	for (size_t i = 0; i < agent->seat_count; i++) {
		struct seat_flows *of = agent->seats[i]->flows;

		if (of && of->log)
			log_flow(of, flow, flow_log_see);
		else if (of)
			flows_mirror_check(of, flow);
	}
}

static void begin_look(struct seat_flows *of)
{
	of->sweeping = of->sweep_wanted;
	of->sweep_wanted = false;
	of->looking = of->log;
	if (of->log)
		flow_log_look_begin(of->log);
}

static void look(struct flows *flows)
{
	struct agent *agent = flows->agent;

	if (flows->looking || conntrack_watch_look(flows->watch) < 0)
		return;
	flows->looking = true;
	flows->look_wanted = false;
	flows->looked_ms = clock_now_ms();
	for (size_t i = 0; i < agent->seat_count; i++)
		if (agent->seats[i]->flows)
			begin_look(agent->seats[i]->flows);
}

static void end_look(struct seat_flows *of)
{
	of->sweeping = false;
	if (!of->log || !of->looking)
		return;
	flow_log_look_end(of->log);
	flows_tell_soon(of);
}

/* What it had to find is left for the next one. */
static void fail_look(struct seat_flows *of)
{
	of->sweep_wanted |= of->sweeping;
	of->sweeping = false;
}

static void on_looked(bool well, void *context)
{
	struct flows *flows = context;
	struct agent *agent = flows->agent;

	flows->looking = false;
	if (!well)
		flows->look_wanted = true;
	for (size_t i = 0; i < agent->seat_count; i++) {
		struct seat_flows *of = agent->seats[i]->flows;

		if (of && well)
			end_look(of);
		else if (of)
			fail_look(of);
	}
}

static void on_lost(void *context)
{
	struct flows *flows = context;

	log_limited(LEVEL_WARNING, "flows", "news-lost", "");
	flows->look_wanted = true;
}

static void on_watch(evutil_socket_t fd, short what, void *context)
{
	struct flows *flows = context;
	const struct conntrack_news news = {
		.flow = on_flow, .seen = on_seen, .looked = on_looked, .lost = on_lost, .context = flows};

	(void)fd;
	(void)what;
	conntrack_watch_read(flows->watch, &news);
}

/* ---- seats ---- */

struct seat_flows *flows_of(struct agent_seat *seat)
{
	struct seat_flows *of = seat->flows;

	if (of || !seat->agent->flows)
		return of;
	of = mem_new(1, sizeof(*of));
	of->seat = seat;
	of->mirror = flow_mirror_new(FLOW_MIRROR_MAX);
	seat->flows = of;
	return of;
}

static void end_log(struct seat_flows *of)
{
	flows_dismiss(of);
	flows_loosen_end(of);
	flow_log_free(of->log);
	of->log = NULL;
	of->looking = false;
}

void flows_seat_free(struct agent_seat *seat)
{
	struct seat_flows *of = seat->flows;

	if (!of)
		return;
	seat->flows = NULL;
	flows_mirror_end(of);
	end_log(of);
	flow_mirror_free(of->mirror);
	flow_scope_free(of->scope);
	free(of);
}

static void begin_log(struct seat_flows *of)
{
	struct flows *flows = of->seat->agent->flows;

	flows_mirror_end(of);
	flow_mirror_free(of->mirror);
	of->mirror = flow_mirror_new(FLOW_MIRROR_MAX);
	of->log = flow_log_new(clock_boot_id(), FLOW_LOG_MAX, FLOW_LOG_GONE_MAX);
	flows->look_wanted = true;
}

/* True if it is an owner's. */
static bool seat_second(struct seat_flows *of, bool anew)
{
	bool source = flows_is_source(of->seat);

	refresh_scope(of, anew);
	if (source && !of->log && !flows_mirror_is_busy(of))
		begin_log(of);
	if (!source && of->log)
		end_log(of);
	if (!source)
		flows_mirror_second(of);
	return source;
}

void flows_second(struct agent *agent)
{
	struct flows *flows = agent->flows;
	bool anew, listens = false;

	if (!flows || !agent->held.desired)
		return;
	anew = refresh_own(flows);
	for (size_t i = 0; i < agent->seat_count; i++) {
		struct seat_flows *of = flows_of(agent->seats[i]);

		listens |= seat_second(of, anew);
		flows->look_wanted |= of->sweep_wanted;
	}
	conntrack_watch_listen(flows->watch, listens);
	if (flows->look_wanted || (listens && clock_now_ms() - flows->looked_ms >= FLOWS_LOOK_MS))
		look(flows);
	flows_serve_second(flows);
}

static int open_kernel(struct flows *flows, struct err *err)
{
	int r = conntrack_watch_open(&flows->watch, err);

	return r < 0 ? r : conntrack_open(&flows->conntrack, err);
}

void flows_open(struct agent *agent)
{
	struct flows *flows = mem_new(1, sizeof(*flows));
	struct err err = {0};

	flows->agent = agent;
	agent->flows = flows;
	if (open_kernel(flows, &err) < 0) {
		log_warning("flows", "not-mirrored", log_err(&err));
		flows_close(agent);
		return;
	}
	flows->watch_event = event_new(
		agent->base, conntrack_watch_fd(flows->watch), EV_READ | EV_PERSIST, on_watch, flows);
	event_add(flows->watch_event, NULL);
}

void flows_close(struct agent *agent)
{
	struct flows *flows = agent->flows;

	if (!flows)
		return;
	agent->flows = NULL;
	flows_serve_close(flows);
	if (flows->watch_event)
		event_free(flows->watch_event);
	conntrack_watch_close(flows->watch);
	conntrack_close(flows->conntrack);
	free(flows->own);
	free(flows);
}

/* ---- metrics ---- */

static void seat_gauge(const struct agent *agent, struct text *out, const char *name, const char *help,
	uint64_t (*value)(const struct seat_flows *of))
{
	metrics_family(out, METRICS_GAUGE, name, help);
	for (size_t i = 0; i < agent->seat_count; i++) {
		const struct agent_seat *seat = agent->seats[i];
		const char *labels[] = {"endpoint", seat->seat.config.endpoint, NULL};

		if (seat->flows)
			metrics_u64(out, name, labels, value(seat->flows));
	}
}

static uint64_t told_of(const struct seat_flows *of)
{
	return of->log ? flow_log_count(of->log) : 0;
}

static uint64_t held_of(const struct seat_flows *of)
{
	return of->log ? 0 : flow_mirror_count(of->mirror);
}

static uint64_t untold_of(const struct seat_flows *of)
{
	return of->log ? flow_log_untold(of->log) : 0;
}

static uint64_t whole_of(const struct seat_flows *of)
{
	return of->log ? flow_log_is_whole(of->log) : flow_mirror_is_whole(of->mirror);
}

static void counter(struct text *out, const char *name, const char *help, uint64_t value)
{
	metrics_family(out, METRICS_COUNTER, name, help);
	metrics_u64(out, name, NULL, value);
}

void flows_metrics(const struct agent *agent, struct text *out)
{
	const struct flows *flows = agent->flows;
	uint64_t refused, dropped = 0;

	if (!flows)
		return;
	refused = flows->refused;
	for (size_t i = 0; i < agent->seat_count; i++) {
		const struct seat_flows *of = agent->seats[i]->flows;

		refused += of ? flow_mirror_refused(of->mirror) : 0;
		dropped += of && of->log ? flow_log_dropped(of->log) : 0;
	}
	seat_gauge(
		agent, out, "holdfast_flows_told", "Connections that this owner tells its pool of.", told_of);
	seat_gauge(agent, out, "holdfast_flows_mirrored",
		"Connections of the owner that this standby has loaded.", held_of);
	seat_gauge(agent, out, "holdfast_flows_whole",
		"1 if all of the owner's connections are known here, but for the newest.", whole_of);
	seat_gauge(agent, out, "holdfast_flows_untold",
		"Connections beyond the limit that the owner's last look found.", untold_of);
	counter(out, "holdfast_flows_loaded_total", "Connections loaded into the kernel, or loaded anew.",
		flows->loaded);
	counter(out, "holdfast_flows_refused_total", "Connections that were told and not loaded.", refused);
	counter(out, "holdfast_flows_dropped_total",
		"Connections that newer ones took the place of, beyond the limit.", dropped);
}
