/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/metrics.h"

#include <stdio.h>
#include <string.h>

#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "controller/io/api/api.h"
#include "controller/io/api/standby.h"
#include "controller/io/controller.h"
#include "controller/io/own_certificate.h"
#include "controller/io/watch/watch.h"

static void gauge(struct text *out, const char *name, const char *help, uint64_t value)
{
	metrics_family(out, METRICS_GAUGE, name, help);
	metrics_u64(out, name, NULL, value);
}

static void counter(struct text *out, const char *name, const char *help, uint64_t value)
{
	metrics_family(out, METRICS_COUNTER, name, help);
	metrics_u64(out, name, NULL, value);
}

static void put_authority(const struct controller *controller, struct text *out)
{
	const struct lifetime *authority = own_certificate_authority(controller->own);
	if (!authority->end_ms)
		return;
	metrics_family(out, METRICS_GAUGE, "holdfast_authority_end_seconds",
		"When the certificate of the authority behind it expires, since 1970.");
	metrics_seconds(out, "holdfast_authority_end_seconds", NULL, authority->end_ms);
}

static void put_controller(const struct controller *controller, struct text *out)
{
	gauge(out, "holdfast_controller_term", "Term of this life of the controller.",
		decisions_term(controller->decisions));
	gauge(out, "holdfast_controller_revocation_floor",
		"The last generation that removed or narrowed a peer; 0: none.", controller->floor);
	gauge(out, "holdfast_controller_generation", "Generation of the fleet in force; 0: none.",
		controller->current ? controller->current->number : 0);
	gauge(out, "holdfast_controller_frozen", "1 if people have forbidden automatic moves.",
		decisions_is_frozen(controller->decisions));
	gauge(out, "holdfast_controller_connections", "Open connections to the API.",
		http_server_connections(controller->api));
	counter(out, "holdfast_controller_orders_total", "Owners named since the start.",
		decisions_order_count(controller->decisions));
	counter(out, "holdfast_controller_events_lost_total", "Events that could not be stored.",
		journal_lost(controller->journal));
	metrics_family(out, METRICS_GAUGE, "holdfast_certificate_end_seconds",
		"When the controller's certificate expires, since 1970.");
	metrics_seconds(out, "holdfast_certificate_end_seconds", NULL, controller->shown.lifetime.end_ms);
	put_authority(controller, out);
	metrics_family(out, METRICS_GAUGE, "holdfast_certificate_overdue",
		"1 if the controller's certificate should have been renewed by now, or has ended.");
	metrics_u64(out, "holdfast_certificate_overdue", NULL,
		lifetime_is_short(&controller->shown.lifetime, clock_wall_ms()));
}

static void put_owners(const struct controller *controller, struct text *out)
{
	static const char name[] = "holdfast_endpoint_owner";
	metrics_family(out, METRICS_GAUGE, name, "1 for the gateway that owns the endpoint.");
	for (size_t i = 0; i < decisions_count(controller->decisions); i++) {
		const struct ownership *ownership = decisions_ownership(controller->decisions, i);
		for (size_t j = 0; j < ownership->config.member_count; j++)
			metrics_u64(out, name,
				(const char *const[]){"endpoint", ownership->config.name, "gateway",
					ownership->config.members[j], NULL},
				j == ownership->owner);
	}
}

static void put_phases(const struct controller *controller, struct text *out)
{
	static const char name[] = "holdfast_endpoint_state";
	metrics_family(out, METRICS_GAUGE, name, "1 for the state that the endpoint is in.");
	for (size_t i = 0; i < decisions_count(controller->decisions); i++) {
		const struct ownership *ownership = decisions_ownership(controller->decisions, i);
		for (int phase = OWNERSHIP_RECOVERING; phase <= OWNERSHIP_FROZEN; phase++)
			metrics_u64(out, name,
				(const char *const[]){"endpoint", ownership->config.name, "state",
					ownership_phase_name((enum ownership_phase)phase), NULL},
				(int)ownership->phase == phase);
	}
}

static void put_ready(const struct controller *controller, struct text *out)
{
	static const char name[] = "holdfast_endpoint_ready_standbys";
	metrics_family(out, METRICS_GAUGE, name,
		"Gateways that could take the endpoint over now and lose nothing but time.");
	for (size_t i = 0; i < decisions_count(controller->decisions); i++) {
		const struct ownership *ownership = decisions_ownership(controller->decisions, i);
		metrics_u64(out, name, (const char *const[]){"endpoint", ownership->config.name, NULL},
			standby_count_ready(controller, ownership));
	}
}

static void put_alone(const struct controller *controller, struct text *out)
{
	static const char name[] = "holdfast_endpoint_succession_possible";
	metrics_family(out, METRICS_GAUGE, name,
		"1 if somebody could follow a dead owner while no controller lives.");
	for (size_t i = 0; i < decisions_count(controller->decisions); i++) {
		const struct ownership *ownership = decisions_ownership(controller->decisions, i);
		char why[PROTO_REASON_MAX + 1];
		standby_alone(controller, ownership, why);
		metrics_u64(
			out, name, (const char *const[]){"endpoint", ownership->config.name, NULL}, !why[0]);
	}
}

static void put_sessions(const struct controller *controller, struct text *out)
{
	static const char name[] = "holdfast_endpoint_sessions";
	metrics_family(out, METRICS_GAUGE, name, "Live WireGuard sessions of the endpoint's tunnels.");
	for (size_t i = 0; i < decisions_count(controller->decisions); i++) {
		const struct decisions_endpoint *setup = decisions_endpoint(controller->decisions, i);
		uint64_t count = 0;
		for (size_t j = 0; j < setup->tunnel_count; j++)
			count += directory_count(controller->directory, setup->tunnels[j], clock_now_ms());
		metrics_u64(out, name, (const char *const[]){"endpoint", setup->config.name, NULL}, count);
	}
}

static void put_gateways(const struct controller *controller, struct text *out)
{
	static const char connected[] = "holdfast_gateway_connected", fit[] = "holdfast_gateway_fit",
			  skew[] = "holdfast_gateway_clock_skew_seconds";
	metrics_family(out, METRICS_GAUGE, connected, "1 if the gateway's agent is connected.");
	for (size_t i = 0; i < agents_count(controller->agents); i++) {
		const struct agent *agent = agents_at(controller->agents, i);
		metrics_u64(out, connected, (const char *const[]){"gateway", agent->name, NULL},
			agent->connected);
	}
	metrics_family(out, METRICS_GAUGE, fit, "1 if the gateway says that it could serve.");
	for (size_t i = 0; i < agents_count(controller->agents); i++) {
		const struct agent *agent = agents_at(controller->agents, i);
		metrics_u64(out, fit, (const char *const[]){"gateway", agent->name, NULL},
			agent->reported && agent->report.fit);
	}
	metrics_family(out, METRICS_GAUGE, skew, "The gateway's wall clock minus the controller's.");
	for (size_t i = 0; i < agents_count(controller->agents); i++) {
		const struct agent *agent = agents_at(controller->agents, i);
		if (agent->reported)
			metrics_seconds(out, skew, (const char *const[]){"gateway", agent->name, NULL},
				agent->skew_ms);
	}
}

/* As their last requests showed; those that have not asked anything yet are left out. */
static void put_certificates(const struct controller *controller, struct text *out)
{
	static const char name[] = "holdfast_gateway_certificate_end_seconds";
	metrics_family(out, METRICS_GAUGE, name, "When the gateway's certificate expires, since 1970.");
	for (size_t i = 0; i < agents_count(controller->agents); i++) {
		const struct agent *agent = agents_at(controller->agents, i);
		if (agent->certificate.end_ms)
			metrics_seconds(out, name, (const char *const[]){"gateway", agent->name, NULL},
				agent->certificate.end_ms);
	}
}

static void put_verdicts(const struct controller *controller, struct text *out)
{
	static const char name[] = "holdfast_gateway_verdict";
	metrics_family(out, METRICS_GAUGE, name, "1 for the verdict on the gateway.");
	for (size_t i = 0; i < agents_count(controller->agents); i++) {
		const struct agent *agent = agents_at(controller->agents, i);
		struct liveness_view view = {.verdict = VERDICT_UNKNOWN};
		watch_view(controller->watch, agent->name, &view);
		for (int verdict = VERDICT_UNKNOWN; verdict <= VERDICT_BLIND; verdict++)
			metrics_u64(out, name,
				(const char *const[]){"gateway", agent->name, "verdict",
					verdict_kind_name((enum verdict_kind)verdict), NULL},
				(int)view.verdict == verdict);
	}
}

static void put_windows(const struct controller *controller, struct text *out)
{
	static const char name[] = "holdfast_gateway_window_seconds";
	metrics_family(out, METRICS_GAUGE, name,
		"For how long the gateway may be silent before it is called dead; more after loss in "
		"bursts.");
	for (size_t i = 0; i < agents_count(controller->agents); i++) {
		const struct agent *agent = agents_at(controller->agents, i);
		struct liveness_view view = {0};
		if (watch_view(controller->watch, agent->name, &view) == 0)
			metrics_seconds(out, name, (const char *const[]){"gateway", agent->name, NULL},
				view.window_ms);
	}
}

static void put_liveness(const struct controller *controller, struct text *out)
{
	struct liveness_counters counters = watch_counters(controller->watch);
	const struct {
		const char *name, *help;
		uint64_t value;
	} items[] = {
		{"holdfast_liveness_sent_total", "Liveness datagrams sent.", counters.sent},
		{"holdfast_liveness_received_total", "Liveness datagrams received.", counters.received},
		{"holdfast_liveness_malformed_total", "Datagrams that were not ours to read.",
			counters.malformed},
		{"holdfast_liveness_foreign_total", "Datagrams of another fleet, or of nobody that is known.",
			counters.foreign},
		{"holdfast_liveness_bad_mac_total", "Datagrams with a wrong authenticator.",
			counters.bad_mac},
		{"holdfast_liveness_replayed_total", "Datagrams seen before.", counters.replayed},
		{"holdfast_liveness_stale_total", "Datagrams of a life that is over, or held back.",
			counters.stale},
		{"holdfast_liveness_bursts_total", "Bursts of probes at a silent gateway.", counters.bursts},
	};
	for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
		counter(out, items[i].name, items[i].help, items[i].value);
	metrics_family(
		out, METRICS_GAUGE, "holdfast_loop_lag_seconds", "Worst lag of the loop in the last second.");
	metrics_seconds(out, "holdfast_loop_lag_seconds", NULL, counters.lag_ms);
}

static void put_grants(struct controller *controller, struct text *out)
{
	counter(out, "holdfast_grants_total", "Leave to serve that was granted (isolation: fence).",
		decisions_grant_count(controller->decisions));
}

/* Whoever is turned away is counted: before there is TLS, by certificate, or by what he asked. */
static void put_refused(const struct controller *controller, struct text *out)
{
	static const char name[] = "holdfast_api_replies_total";
	struct http_counters counters = http_server_counters(controller->api);
	char code[16];
	counter(out, "holdfast_api_handshakes_refused_total",
		"TLS handshakes that failed: no certificate, an expired one, or of another authority.",
		counters.handshakes_refused);
	counter(out, "holdfast_api_handshakes_limited_total",
		"TLS handshakes refused at once: too many from that address were unfinished.",
		counters.handshakes_limited);
	counter(out, "holdfast_api_handshakes_displaced_total",
		"Unfinished TLS handshakes that gave way, since all places were taken.",
		counters.handshakes_displaced);
	counter(out, "holdfast_api_connections_refused_total",
		"Connections refused at once: all places were taken, and nobody could give way.",
		counters.connections_refused);
	counter(out, "holdfast_api_revoked_refused_total", "Requests with a revoked certificate.",
		counters.peers_refused);
	counter(out, "holdfast_api_newcomers_refused_total",
		"Requests without a certificate for what needs one.", counters.newcomers_refused);
	metrics_family(out, METRICS_COUNTER, name, "Answers of the API by their HTTP status.");
	for (int status = 0; status < HTTP_STATUS_MAX; status++) {
		uint64_t count = http_server_replies(controller->api, status);
		snprintf(code, sizeof code, "%d", status);
		if (count)
			metrics_u64(out, name, (const char *const[]){"code", code, NULL}, count);
	}
}

static void put_joining(struct controller *controller, struct text *out)
{
	gauge(out, "holdfast_invitations_open", "Invitations that nobody has used, and that have not ended.",
		invitations_open(&controller->joining.invitations));
	counter(out, "holdfast_joined_total", "Gateways that joined with a token since the start.",
		controller->joining.joined);
	counter(out, "holdfast_certificates_renewed_total", "Gateways' certificates renewed since the start.",
		controller->joining.renewed);
	counter(out, "holdfast_join_refused_total", "Attempts to join that were refused since the start.",
		controller->joining.refused);
}

void metrics_collect(void *context, struct text *out)
{
	struct controller *controller = context;
	put_controller(controller, out);
	put_owners(controller, out);
	put_phases(controller, out);
	put_ready(controller, out);
	put_alone(controller, out);
	put_sessions(controller, out);
	put_gateways(controller, out);
	put_certificates(controller, out);
	put_verdicts(controller, out);
	put_windows(controller, out);
	put_liveness(controller, out);
	put_grants(controller, out);
	put_joining(controller, out);
	put_refused(controller, out);
	metrics_process(out);
}
