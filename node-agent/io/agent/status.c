/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/json/write.h"
#include "node-agent/io/agent/agent_int.h"

/* What RUN/agent.sock answers, also when every controller is dead. Root only, by the socket's mode. */

static void put_epoch(json_t *to, const char *name, const struct epoch *epoch)
{
	char text[EPOCH_TEXT_MAX];

	jput_text(to, name, epoch_format(epoch, text));
}

static void put_takeover(json_t *to, const struct takeover *takeover)
{
	json_t *object;

	if (!takeover->endpoint[0])
		return;
	object = jput_object(to, "takeover");
	put_epoch(object, "epoch", &takeover->epoch);
	jput_text(object, "from", takeover->from);
	jput_text(object, "cause", takeover->cause);
	jput_u64(object, "detect_ms", takeover->detect_ms);
	jput_u64(object, "sessions", takeover->sessions);
	jput_u64(object, "back", takeover->back);
	jput_u64(object, "first_ms", takeover->first_ms);
	jput_u64(object, "took_ms", takeover->took_ms);
	jput_bool(object, "over", takeover->over);
}

static void put_standing(json_t *to, const struct standing *standing)
{
	json_t *object, *reasons;

	if (!standing)
		return;
	object = jput_object(to, "standing");
	jput_bool(object, "ready", standing->ready);
	if (standing->proved_ago_ms != STANDING_NEVER)
		jput_u64(object, "proved_ago_ms", standing->proved_ago_ms);
	reasons = jput_array(object, "reasons");
	for (size_t i = 0; i < standing->reason_count; i++)
		jput_text(reasons, NULL, standing->reasons[i]);
	jput_text(object, "alone", standing->alone);
}

static void put_seat(json_t *to, const struct agent_seat *seat)
{
	struct seat_state state;
	int64_t now_ms = clock_now_ms();

	seat_state_fill(&seat->seat, now_ms, &state);
	jput_text(to, "name", state.endpoint);
	jput_text(to, "role", seat_role_name(state.role));
	put_epoch(to, "epoch", &state.epoch);
	put_epoch(to, "highest", &state.highest);
	put_epoch(to, "released", &state.released);
	jput_u64(to, "permit_left_ms", state.permit_left_ms);
	jput_text(to, "isolation", seat->seat.config.exclusive ? "fence" : "hold");
	if (seat->seat.config.exclusive && agent_seat_serves(seat))
		jput_text(
			to, "leave_by", tenure_by_name(tenure_by(&seat->seat.tenure, &state.epoch, now_ms)));
	jput_bool(to, "carrier", seat->seat.carrier);
	jput_bool(to, "underlay_ok", seat_underlay_is_ok(&seat->seat, now_ms));
	if (state.role == SEAT_FENCED)
		jput_text(to, "why", seat_why_text(seat->seat.why));
	put_takeover(to, &seat->result);
	put_standing(to, standing_of(seat));
}

static void put_partner(json_t *to, const struct agent *agent, const struct desired_partner *partner)
{
	struct liveness_view view;

	if (!agent->liveness || liveness_view(agent->liveness, partner->name, &view) < 0)
		return;
	jput_text(to, "name", partner->name);
	jput_bool(to, "controller", partner->is_controller);
	jput_bool(to, "contact", view.contact_made);
	jput_text(to, "verdict", verdict_kind_name(view.verdict));
	jput_u64(to, "rtt_us", view.rtt_us);
	if (view.window_ms)
		jput_u64(to, "window_ms", view.window_ms);
}

static void put_partners(json_t *root, const struct agent *agent)
{
	json_t *list = jput_array(root, "partners");

	for (size_t i = 0; agent->held.desired && i < agent->held.desired->partner_count; i++)
		put_partner(jput_object(list, NULL), agent, &agent->held.desired->partners[i]);
}

static void put_reasons(json_t *root, const struct agent *agent)
{
	char reasons[16][PROTO_REASON_MAX + 1];
	bool fit;
	size_t count = agent_reasons(agent, reasons, ARRAY_COUNT(reasons), &fit);
	json_t *list;

	jput_bool(root, "fit", fit);
	list = jput_array(root, "reasons");
	for (size_t i = 0; i < count; i++)
		jput_text(list, NULL, reasons[i]);
}

/* The doubtful things that /readyz tells, too. */
static void put_warnings(json_t *root, const struct agent *agent)
{
	struct health health = {0};
	json_t *list = jput_array(root, "warnings");

	agent_diagnose(agent, &health);
	for (size_t i = 0; i < health.warning_count; i++)
		jput_text(list, NULL, health.warnings[i]);
}

static uint64_t repairs(const struct agent *agent)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < REPAIR_WHATS; i++)
		sum += agent->repair.totals[i];
	return sum;
}

static const char *kept_state(const struct tunnel *tunnel)
{
	switch (tunnel->kept.state) {
	case QUICK_KEPT_NONE:
		return "not seen yet";
	case QUICK_KEPT_BUSY:
		return "a command is at work";
	case QUICK_KEPT_UP:
		return "up";
	case QUICK_KEPT_LOST:
		return "its link is gone";
	case QUICK_KEPT_UNDONE:
		return "undone";
	}
	return "";
}

static void put_tunnels(json_t *root, const struct agent *agent)
{
	json_t *list = jput_array(root, "tunnels");

	for (size_t i = 0; i < tunnels_count(agent); i++) {
		const struct tunnel *tunnel = tunnels_at(agent, i);
		json_t *object = jput_object(list, NULL);

		jput_text(object, "name", tunnel->name);
		jput_text(object, "state", kept_state(tunnel));
		jput_text(object, "failure", tunnel->failure);
	}
}

static void on_status(struct http_request *request, void *context)
{
	const struct agent *agent = context;
	const struct desired *desired = agent->held.desired;
	json_t *root = json_object(), *list;
	char *text;

	jput_text(root, "gateway", agent->config->gateway);
	jput_text(root, "version", HOLDFAST_VERSION);
	jput_text(root, "fleet", desired ? desired->fleet : "");
	jput_u64(root, "generation", desired ? desired->generation : 0);
	jput_text(root, "hash", agent->held.hash);
	jput_u64(root, "floor", agent->floor.known);
	jput_bool(root, "floor_confirmed", agent->floor.confirmed);
	jput_text(root, "controller", control_url(agent->control));
	jput_bool(root, "connected", control_is_connected(agent->control));
	jput_u64(root, "sessions", sessions_count(agent->sessions));
	jput_i64(root, "uptime_ms", clock_now_ms() - agent->started_ms);
	put_reasons(root, agent);
	put_warnings(root, agent);
	jput_u64(root, "repairs", repairs(agent));
	list = jput_array(root, "endpoints");
	for (size_t i = 0; i < agent->seat_count; i++)
		put_seat(jput_object(list, NULL), agent->seats[i]);
	put_partners(root, agent);
	put_tunnels(root, agent);
	holding_put(root, agent);
	text = json_compact(root, NULL);
	json_decref(root);
	http_reply_json(request, 200, text);
}

/* ---- who is who: for `explain` ---- */

static bool is_asked_for(struct http_request *request, const struct desired_peer *peer)
{
	const char *name = http_request_query(request, "name"),
		   *hex = http_request_query(request, "public_key");
	struct key key;

	if (hex)
		return key_parse_hex(hex, &key) >= 0 && key_equal(&key, &peer->public_key);
	return name && !strcmp(name, peer->name);
}

static void put_peer(json_t *to, struct agent *agent, const struct desired_peer *peer)
{
	const struct desired_endpoint *endpoint = plan_tunnel_endpoint(agent->held.desired, peer->tunnel);
	const struct agent_seat *seat = endpoint ? agent_seat_find(agent, endpoint->name) : NULL;

	jput_text(to, "name", peer->name);
	jput_text(to, "tunnel", peer->tunnel);
	jput_key(to, "public_key", &peer->public_key);
	if (!seat)
		return;
	jput_text(to, "endpoint", endpoint->name);
	jput_text(to, "role", seat_role_name(seat->seat.role));
	jput_bool(to, "serves", agent_seat_serves(seat));
}

static void on_peers(struct http_request *request, void *context)
{
	struct agent *agent = context;
	const struct desired *desired = agent->held.desired;
	json_t *root = json_object(), *list = jput_array(root, "peers");
	char *text;

	for (size_t i = 0; desired && i < desired->peer_count; i++)
		if (is_asked_for(request, &desired->peers[i]))
			put_peer(jput_object(list, NULL), agent, &desired->peers[i]);
	text = json_compact(root, NULL);
	json_decref(root);
	http_reply_json(request, 200, text);
}

static void put_event(json_t *to, const struct journal_entry *entry)
{
	jput_u64(to, "seq", entry->seq);
	jput_i64(to, "time_ms", entry->wall_ms);
	jput_text(to, "event", entry->event);
	if (entry->endpoint[0])
		jput_text(to, "endpoint", entry->endpoint);
	jput_text(to, "text", entry->text);
}

static uint64_t oldest(const struct journal *journal)
{
	return journal->seq > JOURNAL_MAX ? journal->seq - JOURNAL_MAX + 1 : journal->seq ? 1 : 0;
}

/* As the controller's: ?after=SEQ, or -N for the last N. */
static uint64_t first_wanted(struct http_request *request, const struct journal *journal)
{
	const char *after = http_request_query(request, "after");
	uint64_t number = 0;

	if (!after || !*after)
		return oldest(journal);
	if (*after == '-') {
		if (text_to_u64(after + 1, 0, JOURNAL_MAX, &number) < 0)
			return oldest(journal);
		return number < journal->seq ? journal->seq - number + 1 : oldest(journal);
	}
	return text_to_u64(after, 0, UINT64_MAX - 1, &number) < 0 ? oldest(journal) : number + 1;
}

static void on_events(struct http_request *request, void *context)
{
	const struct agent *agent = context;
	const struct journal *journal = &agent->journal;
	json_t *root = json_object(), *list = jput_array(root, "events");
	uint64_t first = first_wanted(request, journal);
	char *text;

	if (first < oldest(journal))
		first = oldest(journal);
	for (uint64_t seq = first; seq && seq <= journal->seq; seq++)
		put_event(jput_object(list, NULL), journal_at(journal, seq));
	jput_u64(root, "next", journal->seq);
	jput_u64(root, "oldest", oldest(journal));
	text = json_compact(root, NULL);
	json_decref(root);
	http_reply_json(request, 200, text);
}

int agent_serve_local(struct agent *agent, struct err *err)
{
	struct http_server_options options = {.connections_max = 32};
	struct http_route routes[] = {
		{.methods = HTTP_GET, .path = "/v1/status", .handle = on_status, .context = agent},
		{.methods = HTTP_GET,
			.path = "/v1/sessions",
			.handle = agent_answer_sessions,
			.context = agent},
		{.methods = HTTP_GET, .path = "/v1/peers", .handle = on_peers, .context = agent},
		{.methods = HTTP_GET, .path = "/v1/events", .handle = on_events, .context = agent},
		{.methods = HTTP_GET, .path = "/v1/report", .handle = moments_answer, .context = agent},
	};
	struct text path = {0};
	int r;

	agent->local = http_server_new(agent->base, &options);
	for (size_t i = 0; i < ARRAY_COUNT(routes); i++)
		http_server_route(agent->local, &routes[i]);
	text_add(&path, "%s/agent.sock", agent->config->run);
	r = http_server_listen_unix(agent->local, path.data, 0600, err);
	text_clear(&path);
	return r;
}
