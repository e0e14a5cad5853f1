/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/plan_view.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/write.h"

/* ---- who is connected ---- */

/* "wg0 KEY", sorted. */
struct connected {
	bool known;
	size_t count;
	char **names; /* owned */
};

static char *name_of(const char *tunnel, const char *key)
{
	struct text text = {0};

	text_add(&text, "%s %s", tunnel ? tunnel : "", key ? key : "");
	return text_take(&text);
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void connected_make(struct connected *connected, const json_t *sessions)
{
	size_t count = json_array_size(sessions);

	*connected =
		(struct connected){.known = sessions != NULL, .names = mem_new(count + 1, sizeof(char *))};
	for (size_t i = 0; i < count; i++) {
		const json_t *session = json_array_get(sessions, i);

		connected->names[connected->count++] =
			name_of(json_string_value(json_object_get(session, "tunnel")),
				json_string_value(json_object_get(session, "public_key")));
	}
	qsort(connected->names, connected->count, sizeof(char *), compare_names);
}

static void connected_clear(struct connected *connected)
{
	for (size_t i = 0; i < connected->count; i++)
		free(connected->names[i]);
	free(connected->names);
}

static bool is_connected(const struct connected *connected, const struct fleet_plan_cost *cost)
{
	char key[KEY_TEXT_MAX];
	CLEANUP_FREE char *name = name_of(cost->tunnel, key_format(&cost->public_key, key));

	return bsearch(&name, connected->names, connected->count, sizeof(char *), compare_names) != NULL;
}

static size_t count_connected(const struct fleet_plan *plan, const struct connected *connected)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->cost_count; i++)
		count += is_connected(connected, &plan->costs[i]);
	return count;
}

/* ---- for people ---- */

static void print_lines(const char *line, FILE *out)
{
	const char *end;

	for (; (end = strchr(line, '\n')); line = end + 1)
		fprintf(out, "  %.*s\n", (int)(end - line), line);
}

/* Gateways of a pool mostly change alike: said once. */
static const struct fleet_plan_gateway *find_alike(const struct fleet_plan *plan, size_t index)
{
	const struct fleet_plan_gateway *gateway = &plan->gateways[index];

	for (size_t i = 0; i < index && gateway->count; i++)
		if (plan->gateways[i].count == gateway->count &&
			!strcmp(plan->gateways[i].lines, gateway->lines))
			return &plan->gateways[i];
	return NULL;
}

static void print_gateway(const struct fleet_plan *plan, size_t index, FILE *out)
{
	const struct fleet_plan_gateway *gateway = &plan->gateways[index], *alike = find_alike(plan, index);
	const char *state = gateway->is_new ? " (new)" : gateway->leaves ? " (leaves the fleet)" : "";

	if (alike)
		fprintf(out, "%s%s: as %s\n", gateway->name, state, alike->name);
	else if (gateway->count)
		fprintf(out, "%s%s:\n", gateway->name, state);
	else
		fprintf(out, "%s%s: %s\n", gateway->name, state, *state ? "without tunnels" : "no change");
	if (alike)
		return;
	print_lines(gateway->lines, out);
	if (gateway->count > gateway->shown)
		fprintf(out, "  and %zu more (--all lists them)\n", gateway->count - gateway->shown);
}

static void print_cost(const struct connected *connected, const struct fleet_plan_cost *cost, FILE *out)
{
	const char *now = !connected->known               ? ""
			  : is_connected(connected, cost) ? ", connected now"
							  : ", not connected";

	fprintf(out, "  %s in %s: %s%s\n", cost->peer, cost->tunnel, fleet_plan_why_text(cost->why), now);
}

static void print_costs(const struct plan_view *view, const struct connected *connected, FILE *out)
{
	const struct fleet_plan *plan = view->plan;
	size_t shown = 0;

	if (!plan->cost_count)
		return;
	fprintf(out, "\nwhose sessions it costs: %zu peer%s", plan->cost_count,
		plan->cost_count == 1 ? "" : "s");
	if (connected->known)
		fprintf(out, ", %zu of them connected now", count_connected(plan, connected));
	fprintf(out, "\n");
	/* Those that are connected matter more. */
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < plan->cost_count && shown < view->peers_max; i++)
			if (is_connected(connected, &plan->costs[i]) == (round == 0)) {
				print_cost(connected, &plan->costs[i], out);
				shown++;
			}
	if (plan->cost_count > shown)
		fprintf(out, "  and %zu more (--all lists them)\n", plan->cost_count - shown);
}

void plan_view_print(const struct plan_view *view, FILE *out)
{
	const struct fleet_counts *counts = &view->plan->counts;
	struct connected connected;

	connected_make(&connected, view->sessions);
	if (view->plan->controller_count)
		fprintf(out, "the controller:\n");
	print_lines(view->plan->controller, out);
	for (size_t i = 0; i < view->plan->gateway_count; i++)
		print_gateway(view->plan, i, out);
	print_costs(view, &connected, out);
	fprintf(out, "\npeers: %zu added, %zu changed, %zu removed; other changes: %zu\n", counts->added,
		counts->changed, counts->removed, counts->other);
	connected_clear(&connected);
}

void plan_view_print_admitted(const struct plan_view *view, FILE *out)
{
	const struct fleet_plan *plan = view->plan;
	size_t shown = plan->admitted_count < view->peers_max ? plan->admitted_count : view->peers_max;

	for (size_t i = 0; i < shown; i++)
		fprintf(out, "%s %s in %s\n", plan->admitted[i].widened ? "widens" : "admits",
			plan->admitted[i].peer, plan->admitted[i].tunnel);
	if (plan->admitted_count > shown)
		fprintf(out, "and %zu more peers (--all lists them)\n", plan->admitted_count - shown);
}

/* ---- for programs ---- */

static void put_lines(json_t *list, const char *line)
{
	const char *end;

	for (; (end = strchr(line, '\n')); line = end + 1)
		json_array_append_new(list, json_stringn(line, (size_t)(end - line)));
}

static void put_gateway(json_t *list, const struct fleet_plan_gateway *gateway)
{
	json_t *json = jput_object(list, NULL);

	jput_text(json, "gateway", gateway->name);
	jput_text(json, "state", gateway->is_new ? "new" : gateway->leaves ? "leaves" : "stays");
	put_lines(jput_array(json, "changes"), gateway->lines);
}

static void put_admitted(json_t *list, const struct fleet_plan_admitted *admitted)
{
	json_t *json = jput_object(list, NULL);

	jput_text(json, "peer", admitted->peer);
	jput_text(json, "tunnel", admitted->tunnel);
	jput_bool(json, "widened", admitted->widened);
}

static void put_cost(json_t *list, const struct connected *connected, const struct fleet_plan_cost *cost)
{
	json_t *json = jput_object(list, NULL);

	jput_text(json, "peer", cost->peer);
	jput_text(json, "tunnel", cost->tunnel);
	jput_text(json, "why", fleet_plan_why_text(cost->why));
	if (connected->known)
		jput_bool(json, "connected", is_connected(connected, cost));
}

static void put_counts(json_t *object, const struct fleet_counts *counts)
{
	json_t *peers = jput_object(object, "peers");

	jput_u64(peers, "added", counts->added);
	jput_u64(peers, "changed", counts->changed);
	jput_u64(peers, "removed", counts->removed);
	jput_u64(object, "other", counts->other);
}

void plan_view_put(const struct plan_view *view, json_t *object)
{
	const struct fleet_plan *plan = view->plan;
	json_t *gateways = jput_array(object, "gateways"), *costs = jput_array(object, "costs"),
	       *admitted = jput_array(object, "admitted");
	struct connected connected;

	connected_make(&connected, view->sessions);
	jput_bool(object, "changes", !fleet_plan_is_empty(plan));
	for (size_t i = 0; i < plan->gateway_count; i++)
		put_gateway(gateways, &plan->gateways[i]);
	for (size_t i = 0; i < plan->cost_count; i++)
		put_cost(costs, &connected, &plan->costs[i]);
	for (size_t i = 0; i < plan->admitted_count; i++)
		put_admitted(admitted, &plan->admitted[i]);
	put_lines(jput_array(object, "controller"), plan->controller);
	put_counts(object, &plan->counts);
	if (connected.known)
		jput_u64(object, "sessions", count_connected(plan, &connected));
	connected_clear(&connected);
}
