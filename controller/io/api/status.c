/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/json/write.h"
#include "controller/io/api/access.h"
#include "controller/io/api/api.h"
#include "controller/io/api/standby.h"
#include "controller/io/apply/apply.h"
#include "controller/io/apply/confirming.h"
#include "controller/io/apply/holding.h"
#include "controller/io/controller.h"
#include "controller/io/watch/watch.h"

static int64_t lease_left_ms(const struct ownership *ownership, int64_t now_ms)
{
	if (ownership->owner == OWNERSHIP_NOBODY)
		return 0;
	const struct ownership_member *member = &ownership->members[ownership->owner];
	if (!member->spoken || !seat_role_serves(member->seat.role))
		return 0;
	int64_t left_ms = member->seat.permit_left_ms - (now_ms - member->seat_ms);
	return left_ms > 0 ? left_ms : 0;
}

static size_t count_sessions(
	const struct controller *controller, const struct decisions_endpoint *setup, int64_t now_ms)
{
	size_t count = 0;
	for (size_t i = 0; i < setup->tunnel_count; i++)
		count += directory_count(controller->directory, setup->tunnels[i], now_ms);
	return count;
}

static void put_endpoint(const struct controller *controller, json_t *list, size_t index, int64_t now_ms)
{
	const struct ownership *ownership = decisions_ownership(controller->decisions, index);
	char epoch[EPOCH_TEXT_MAX];
	json_t *json = jput_object(list, NULL);
	jput_text(json, "name", ownership->config.name);
	if (ownership->owner == OWNERSHIP_NOBODY)
		jput_json(json, "owner", json_null());
	else
		jput_text(json, "owner", ownership->config.members[ownership->owner]);
	jput_text(json, "epoch", epoch_format(&ownership->epoch, epoch));
	jput_text(json, "state", ownership_phase_name(ownership->phase));
	jput_text(json, "why", ownership->why);
	jput_text(json, "cause", ownership->cause);
	jput_i64(json, "since_ms", now_ms - decisions_owned_since(controller->decisions, index));
	jput_i64(json, "lease_left_ms", lease_left_ms(ownership, now_ms));
	jput_text(json, "isolation", ownership->config.exclusive ? "fence" : "hold");
	standby_put(json, controller, ownership);
	jput_u64(json, "sessions",
		count_sessions(controller, decisions_endpoint(controller->decisions, index), now_ms));
}

static void put_report(json_t *json, const struct agent *agent)
{
	if (agent->reported) {
		jput_bool(json, "fit", agent->report.fit);
		jput_i64(json, "skew_ms", agent->skew_ms);
	} else {
		jput_json(json, "fit", json_null());
		jput_json(json, "skew_ms", json_null());
	}
	json_t *reasons = jput_array(json, "reasons");
	for (size_t i = 0; agent->reported && i < agent->report.reason_count; i++)
		jput_text(reasons, NULL, agent->report.reasons[i]);
	if (agent->holding->state == HOLDING_REFUSED)
		jput_text(reasons, NULL, agent->holding->error);
	jput_u64(json, "generation", agent->reported ? agent->report.generation : 0);
}

/* null: none is under way. */
static void put_apply(const struct apply *apply, json_t *json)
{
	struct apply_progress progress = apply_look(apply);
	if (!apply) {
		jput_json(json, "apply", json_null());
		return;
	}
	json_t *object = jput_object(json, "apply");
	jput_u64(object, "generation", progress.generation);
	jput_text(object, "phase", progress.phase);
	jput_u64(object, "gateways", progress.gateways);
	jput_u64(object, "ready", progress.ready);
}

/* null: none is awaited. */
static void put_confirmation(const struct confirming *confirming, json_t *json)
{
	const struct confirmation *state = confirming_state(confirming);
	if (!state->awaited) {
		jput_json(json, "confirmation", json_null());
		return;
	}
	json_t *object = jput_object(json, "confirmation");
	jput_u64(object, "generation", state->generation);
	jput_u64(object, "back_to", state->back_to);
	jput_i64(object, "left_ms", confirmation_left_ms(state, clock_now_ms()));
	jput_text(object, "applied_by", confirming_who(confirming));
	jput_text(object, "error", confirming_error(confirming));
}

static void put_gateway(const struct controller *controller, json_t *list, const struct agent *agent)
{
	struct liveness_view view = {.verdict = VERDICT_UNKNOWN};
	const struct generation_gateway *gateway = generation_find(controller->current, agent->name);
	json_t *json = jput_object(list, NULL);
	watch_view(controller->watch, agent->name, &view);
	jput_text(json, "name", agent->name);
	jput_text(json, "verdict", verdict_kind_name(view.verdict));
	put_report(json, agent);
	jput_bool(json, "connected", agent->connected);
	jput_bool(json, "behind",
		controller->current && agent->reported && !holding_is_current(controller, agent));
	jput_bool(json, "drained", decisions_is_drained(controller->decisions, agent->name));
	jput_bool(json, "leaving", agent->reported && agent->report.leaving);
	jput_u64(json, "rtt_us", view.rtt_us);
	jput_u64(json, "window_ms", view.window_ms);
	json_t *addresses = jput_array(json, "addresses");
	for (size_t i = 0; gateway && i < gateway->desired->address_count; i++)
		jput_addr(addresses, NULL, &gateway->desired->addresses[i]);
}

static void put_controller(const struct controller *controller, json_t *json)
{
	jput_text(json, "name", controller->self.name);
	jput_hex64(json, "store", controller->store_id);
	jput_u64(json, "term", decisions_term(controller->decisions));
	jput_i64(json, "uptime_ms", clock_now_ms() - controller->started_ms);
	jput_bool(json, "frozen", decisions_is_frozen(controller->decisions));
	jput_text(json, "version", HOLDFAST_VERSION);
}

static void put_warnings(struct controller *controller, json_t *list)
{
	struct health *health = mem_new(1, sizeof *health);
	health_collect(controller, health);
	for (size_t i = 0; i < health->reason_count; i++)
		jput_text(list, NULL, health->reasons[i]);
	for (size_t i = 0; i < health->warning_count; i++)
		jput_text(list, NULL, health->warnings[i]);
	free(health);
}

static char *status_text(struct controller *controller)
{
	const struct generation *current = controller->current;
	json_t *json = json_object();
	jput_text(json, "fleet", current ? current->fleet : "");
	jput_u64(json, "generation", current ? current->number : 0);
	jput_text(json, "hash", current ? current->hash : "");
	jput_u64(json, "floor", controller->floor);
	put_confirmation(controller->confirming, json);
	put_apply(controller->apply, json);
	json_t *endpoints = jput_array(json, "endpoints");
	for (size_t i = 0; i < decisions_count(controller->decisions); i++)
		put_endpoint(controller, endpoints, i, clock_now_ms());
	json_t *gateways = jput_array(json, "gateways");
	for (size_t i = 0; i < agents_count(controller->agents); i++)
		put_gateway(controller, gateways, agents_at(controller->agents, i));
	put_controller(controller, jput_object(json, "controller"));
	put_warnings(controller, jput_array(json, "warnings"));
	char *text = json_compact(json, NULL);
	json_decref(json);
	return text;
}

static void handle_status(struct http_request *request, void *context)
{
	struct controller *controller = context;
	char who[STORE_WHO_MAX + 1];
	if (access_allowed(request, &controller->config, who))
		http_reply_json(request, 200, status_text(controller));
}

void status_serve(struct controller *controller, struct http_server *server)
{
	http_server_route(server, &(struct http_route){.methods = HTTP_GET,
					  .path = "/v1/status",
					  .handle = handle_status,
					  .context = controller});
}
