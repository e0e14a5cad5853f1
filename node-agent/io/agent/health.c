/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/health.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/metrics.h"
#include "common/io/tls.h"
#include "node-agent/io/agent/agent_int.h"

static size_t add_reason(
	char (*reasons)[PROTO_REASON_MAX + 1], size_t count, size_t max, const char *what, const char *why)
{
	struct text text = {0};

	if (count == max)
		return count;
	text_add(&text, "%s: %s", what, why);
	text_copy(reasons[count], sizeof(*reasons), text.data);
	text_clear(&text);
	return count + 1;
}

/* What can't be kept; of a gateway it is a warning, since its endpoints may be served all the same. */
static size_t add_tunnels(
	const struct agent *agent, char (*reasons)[PROTO_REASON_MAX + 1], size_t count, size_t max)
{
	for (size_t i = 0; i < tunnels_count(agent); i++) {
		const struct tunnel *tunnel = tunnels_at(agent, i);

		if (tunnel->kept.state == QUICK_KEPT_LOST)
			count = add_reason(reasons, count, max, tunnel->name, "its link is gone");
		else if (tunnel->failure[0])
			count = add_reason(reasons, count, max, tunnel->name, tunnel->failure);
	}
	return count;
}

/* A warning: the device has the right key still. */
static size_t add_key_files(
	const struct agent *agent, char (*reasons)[PROTO_REASON_MAX + 1], size_t count, size_t max)
{
	for (size_t i = 0; i < agent->key_files.count; i++)
		if (agent->key_files.items[i].failure[0])
			count = add_reason(reasons, count, max, agent->key_files.items[i].tunnel,
				agent->key_files.items[i].failure);
	return count;
}

size_t agent_reasons(
	const struct agent *agent, char (*reasons)[PROTO_REASON_MAX + 1], size_t max, bool *ret_fit)
{
	int64_t now_ms = clock_now_ms();
	size_t count = 0;

	if (config_is_alone(agent->config))
		count = add_tunnels(agent, reasons, count, max);
	else if (!agent->held.desired)
		count = add_reason(reasons, count, max, agent->config->gateway,
			"no generation yet: a controller has to send one (holdfast apply)");
	else if (!agent->fit)
		count = add_reason(reasons, count, max, agent->config->gateway,
			agent->failure[0] ? agent->failure : "not set up yet");
	for (size_t i = 0; i < agent->seat_count; i++) {
		const struct seat *seat = &agent->seats[i]->seat;

		if (!seat->carrier)
			count = add_reason(reasons, count, max, seat->config.endpoint,
				"its outer interface has no carrier");
		else if (!seat_underlay_is_ok(seat, now_ms))
			count = add_reason(reasons, count, max, seat->config.endpoint,
				"nobody answers on the underlay, neither a pool member nor the witness");
		if (seat_is_below_floor(seat, now_ms))
			count = add_reason(reasons, count, max, seat->config.endpoint,
				"the generation held is below the revocation floor: a controller has to "
				"bring the newest");
	}
	*ret_fit = count == 0;
	return add_key_files(agent, reasons, count, max);
}

static void collect(void *context, struct health *health)
{
	const struct agent *agent = context;
	char reasons[16][PROTO_REASON_MAX + 1];
	bool fit;
	size_t count = agent_reasons(agent, reasons, ARRAY_COUNT(reasons), &fit);

	for (size_t i = 0; i < count; i++)
		(fit ? health_warning : health_reason)(health, "%s", reasons[i]);
	if (agent->control && !control_is_connected(agent->control))
		health_warning(health, "no controller: %s: %s", control_url(agent->control),
			control_failure(agent->control));
	else if (agent_contact_is_foreign(agent))
		health_warning(health,
			"%s is another fleet's controller, or has lost its store: its orders are refused; "
			"this gateway belongs to the store %016" PRIx64 ", that one has %016" PRIx64,
			control_url(agent->control), agent->held.desired->store, agent->contact_store);
	if (agent->held.desired && !agent->liveness)
		health_warning(health, "%s", agent->liveness_failure);
	agent_diagnose(agent, health);
}

/* ---- metrics ---- */

static void endpoint_metrics(const struct agent *agent, struct text *out)
{
	struct seat_state state;

	metrics_family(out, METRICS_GAUGE, "holdfast_endpoint_serving", "1 if this gateway serves it.");
	for (size_t i = 0; i < agent->seat_count; i++) {
		const struct agent_seat *seat = agent->seats[i];
		const char *labels[] = {"endpoint", seat->seat.config.endpoint, NULL};

		metrics_u64(out, "holdfast_endpoint_serving", labels, agent_seat_serves(seat));
	}
	metrics_family(
		out, METRICS_GAUGE, "holdfast_endpoint_permit_seconds", "Left of the lease in the kernel.");
	for (size_t i = 0; i < agent->seat_count; i++) {
		const char *labels[] = {"endpoint", agent->seats[i]->seat.config.endpoint, NULL};

		seat_state_fill(&agent->seats[i]->seat, clock_now_ms(), &state);
		metrics_seconds(out, "holdfast_endpoint_permit_seconds", labels, state.permit_left_ms);
	}
}

static void standing_metrics(const struct agent *agent, struct text *out)
{
	metrics_family(out, METRICS_GAUGE, "holdfast_standby_ready",
		"1 if this standby could take the endpoint over now and lose nothing but time.");
	for (size_t i = 0; i < agent->seat_count; i++) {
		const struct standing *standing = standing_of(agent->seats[i]);

		if (standing)
			metrics_u64(out, "holdfast_standby_ready",
				(const char *const[]){"endpoint", standing->endpoint, NULL}, standing->ready);
	}
}

static void one(struct text *out, enum metrics_type type, const char *name, const char *help, uint64_t value)
{
	metrics_family(out, type, name, help);
	metrics_u64(out, name, NULL, value);
}

static void liveness_metrics(const struct agent *agent, struct text *out)
{
	struct liveness_counters counters;

	if (!agent->liveness)
		return;
	counters = liveness_counters(agent->liveness);
	one(out, METRICS_COUNTER, "holdfast_liveness_sent_total", "Liveness datagrams sent.", counters.sent);
	one(out, METRICS_COUNTER, "holdfast_liveness_received_total", "Liveness datagrams taken in.",
		counters.received);
	one(out, METRICS_COUNTER, "holdfast_liveness_bad_mac_total",
		"Liveness datagrams whose authentication failed.", counters.bad_mac);
	one(out, METRICS_COUNTER, "holdfast_liveness_malformed_total",
		"Liveness datagrams that were not ours to read.", counters.malformed);
	one(out, METRICS_COUNTER, "holdfast_liveness_foreign_total",
		"Liveness datagrams of another fleet, or of nobody that is known.", counters.foreign);
	one(out, METRICS_COUNTER, "holdfast_liveness_replayed_total", "Liveness datagrams seen before.",
		counters.replayed);
	one(out, METRICS_COUNTER, "holdfast_liveness_stale_total",
		"Liveness datagrams of a life that is over, or held back.", counters.stale);
	metrics_family(out, METRICS_GAUGE, "holdfast_loop_lag_seconds", "Worst lag in the last second.");
	metrics_seconds(out, "holdfast_loop_lag_seconds", NULL, counters.lag_ms);
}

static void repair_metrics(const struct agent *agent, struct text *out)
{
	metrics_family(out, METRICS_COUNTER, "holdfast_repairs_total",
		"What others had undone, or the host had lost, and was put right.");
	for (size_t i = 0; i < REPAIR_WHATS; i++) {
		const char *labels[] = {"what", repair_what_name((enum repair_what)i), NULL};

		metrics_u64(out, "holdfast_repairs_total", labels, agent->repair.totals[i]);
	}
}

static void claim_metrics(const struct agent *agent, struct text *out)
{
	static const char dropped[] = "holdfast_leave_dropped_total";
	const struct claim_counters *claims = &agent->claims;

	one(out, METRICS_COUNTER, "holdfast_leave_asked_total",
		"Times that leave to serve was asked for (isolation: fence).", claims->claimed);
	one(out, METRICS_COUNTER, "holdfast_leave_granted_total", "Grants of a controller taken.",
		claims->granted);
	one(out, METRICS_COUNTER, "holdfast_leave_promised_total", "Promises given to an owner.",
		claims->promised);
	one(out, METRICS_COUNTER, "holdfast_leave_relayed_total", "Claims and grants passed on for others.",
		claims->relayed);
	metrics_family(out, METRICS_COUNTER, dropped, "Grants and promises that were not taken.");
	for (size_t i = ANSWER_GOOD + 1; i < ARRAY_COUNT(claims->dropped); i++) {
		const char *labels[] = {"why", answer_fault_name((enum answer_fault)i), NULL};

		metrics_u64(out, dropped, labels, claims->dropped[i]);
	}
}

static void collect_metrics(void *context, struct text *out)
{
	const struct agent *agent = context;
	const struct desired *desired = agent->held.desired;

	one(out, METRICS_GAUGE, "holdfast_generation", "Generation held; 0: none.",
		desired ? desired->generation : 0);
	one(out, METRICS_GAUGE, "holdfast_revocation_floor",
		"The last generation that removed or narrowed a peer, as known here; 0: none.",
		agent->floor.known);
	one(out, METRICS_GAUGE, "holdfast_controller_connected", "1 while a controller answers.",
		control_is_connected(agent->control));
	one(out, METRICS_COUNTER, "holdfast_foreign_instructions_total",
		"Instructions of a controller with another store, which were refused.",
		agent->foreign_refused);
	one(out, METRICS_GAUGE, "holdfast_sessions", "Live WireGuard sessions known.",
		sessions_count(agent->sessions));
	one(out, METRICS_GAUGE, "holdfast_peers", "WireGuard peers configured.",
		desired ? desired->peer_count : 0);
	one(out, METRICS_COUNTER, "holdfast_takeovers_total", "Takeovers made.", agent->takeovers);
	metrics_family(out, METRICS_GAUGE, "holdfast_takeover_seconds",
		"What the last takeover took, from the order to the last handshake.");
	metrics_seconds(out, "holdfast_takeover_seconds", NULL, agent->last_takeover_ms);
	one(out, METRICS_COUNTER, "holdfast_plan_looks_total",
		"Times that the kernel was observed whole, or for a tunnel of `holdfast up`.", agent->looks);
	one(out, METRICS_COUNTER, "holdfast_plan_operations_total", "Operations that it made necessary.",
		agent->operations);
	one(out, METRICS_GAUGE, "holdfast_kept_tunnels",
		"Tunnels of `holdfast up` that are kept as they were made.", tunnels_count(agent));
	repair_metrics(agent, out);
	one(out, METRICS_COUNTER, "holdfast_stalls_total", "Times that the loop stood still.", agent->stalls);
	endpoint_metrics(agent, out);
	standing_metrics(agent, out);
	checking_metrics(agent, out);
	holding_metrics(agent, out);
	liveness_metrics(agent, out);
	claim_metrics(agent, out);
	agent_certificate_metrics(agent, out);
	flows_metrics(agent, out);
	metrics_process(out);
}

/* ---- for load balancers ---- */

static void on_healthz(struct http_request *request, void *context)
{
	struct agent *agent = context;
	const char *name = http_request_rest(request);
	const struct agent_seat *seat = agent_seat_find(agent, name);
	struct health health = {0};

	if (!seat) {
		http_reply_problem(request, 404, "no endpoint \"%s\" on this gateway", name);
		return;
	}
	if (!agent_seat_serves(seat))
		health_reason(&health, "%s is %s here%s%s", name, seat_role_name(seat->seat.role),
			seat->seat.role == SEAT_FENCED ? ": " : "",
			seat->seat.role == SEAT_FENCED ? seat_why_text(seat->seat.why) : "");
	if (!control_is_connected(agent->control))
		health_warning(&health, "no controller");
	health_reply(request, &health);
}

int agent_serve_health(struct agent *agent, struct err *err)
{
	struct http_server_options options = {.connections_max = 64};
	struct http_route healthz = {
		.methods = HTTP_GET, .path = "/healthz/", .handle = on_healthz, .context = agent};
	int r;

	agent->health = http_server_new(agent->base, &options);
	agent->health_source =
		(struct health_source){.collect = collect, .metrics = collect_metrics, .context = agent};
	health_serve(agent->health, &agent->health_source);
	http_server_route(agent->health, &healthz);
	r = http_server_listen(agent->health, agent->config->health_listen, NULL, err);
	return r < 0 ? err_prefix(err, r, "health.listen") : 0;
}
