/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/status_text.h"

#include <inttypes.h>
#include <stdbool.h>

#include "cli/span.h"
#include "cli/status_agent.h"
#include "cli/table.h"
#include "common/base/mem.h"
#include "common/base/text.h"

static const char *text_of(const json_t *object, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text && *text ? text : otherwise;
}

static int64_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* The caller frees. */
static char *join_with(const json_t *array, const char *between)
{
	struct text text = {0};
	size_t i;
	json_t *item;

	json_array_foreach(array, i, item) text_add(
		&text, "%s%s", i ? between : "", json_is_string(item) ? json_string_value(item) : "?");
	return text_take(&text);
}

/* The first line: which fleet, which generation, whose word this is. */
static void print_head(const json_t *status, FILE *out)
{
	const json_t *controller = json_object_get(status, "controller");
	char up[SPAN_TEXT_MAX];

	if (*text_of(status, "fleet", ""))
		fprintf(out, "fleet %s, generation %" PRId64, text_of(status, "fleet", ""),
			number_of(status, "generation"));
	else
		fprintf(out, "no fleet yet: 'holdfast apply FILE' makes one");
	if (number_of(status, "floor"))
		fprintf(out, ", revocation floor %" PRId64, number_of(status, "floor"));
	if (controller)
		fprintf(out, "; controller %s, up %s", text_of(controller, "name", "?"),
			span_format(number_of(controller, "uptime_ms"), up));
	if (controller && json_is_true(json_object_get(controller, "frozen")))
		fprintf(out, "; FROZEN: nothing moves by itself until 'holdfast thaw'");
	fprintf(out, "\n\n");
}

static void add_endpoint(struct table *table, const json_t *endpoint)
{
	char since[SPAN_TEXT_MAX], lease[SPAN_TEXT_MAX];
	CLEANUP_FREE char *ready = join_with(json_object_get(endpoint, "ready"), ", ");
	bool owned = json_is_string(json_object_get(endpoint, "owner"));

	table_add(table, "%s", text_of(endpoint, "name", "?"));
	table_add(table, "%s", text_of(endpoint, "owner", "nobody"));
	table_add(table, "%s", text_of(endpoint, "state", "?"));
	table_add(table, "%s", text_of(endpoint, "epoch", "-"));
	table_add(table, "%s", owned ? span_format(number_of(endpoint, "since_ms"), since) : "-");
	table_add(table, "%s", owned ? span_format(number_of(endpoint, "lease_left_ms"), lease) : "-");
	table_add(table, "%s", text_of(endpoint, "isolation", "?"));
	table_add(table, "%" PRId64, number_of(endpoint, "sessions"));
	table_add(table, "%s", ready && *ready ? ready : "nobody");
}

static void print_endpoints(const json_t *endpoints, FILE *out)
{
	static const char *const heading[] = {
		"ENDPOINT", "OWNER", "STATE", "EPOCH", "FOR", "LEASE", "MODE", "SESSIONS", "COULD TAKE OVER"};
	struct table table;
	size_t i;
	json_t *endpoint;

	table_init(&table, ARRAY_COUNT(heading));
	for (i = 0; i < ARRAY_COUNT(heading); i++)
		table_add(&table, "%s", heading[i]);
	json_array_foreach(endpoints, i, endpoint) add_endpoint(&table, endpoint);
	table_print(&table, out);
	table_clear(&table);
}

/* What keeps a gateway from being simply fine: "drained; wg0: no such key file". The caller frees. */
static char *notes_of(const json_t *gateway)
{
	const json_t *reasons = json_object_get(gateway, "reasons");
	struct text text = {0};
	size_t i;
	json_t *reason;

	if (json_is_true(json_object_get(gateway, "drained")))
		text_add(&text, "drained");
	if (json_is_true(json_object_get(gateway, "leaving")))
		text_add(&text, "%sabout to go down", text.length ? "; " : "");
	if (json_is_true(json_object_get(gateway, "behind")))
		text_add(&text, "%sbehind", text.length ? "; " : "");
	if (json_is_false(json_object_get(gateway, "connected")))
		text_add(&text, "%snot connected", text.length ? "; " : "");
	json_array_foreach(reasons, i, reason) text_add(&text, "%s%s", text.length ? "; " : "",
		json_is_string(reason) ? json_string_value(reason) : "?");
	return text_take(&text);
}

static void add_gateway(struct table *table, const json_t *gateway)
{
	CLEANUP_FREE char *notes = notes_of(gateway);
	const json_t *fit = json_object_get(gateway, "fit"), *skew = json_object_get(gateway, "skew_ms");

	table_add(table, "%s", text_of(gateway, "name", "?"));
	table_add(table, "%s", text_of(gateway, "verdict", "?"));
	table_add(table, "%s", json_is_boolean(fit) ? (json_is_true(fit) ? "yes" : "no") : "-");
	table_add(table, "%" PRId64, number_of(gateway, "generation"));
	if (json_is_integer(skew))
		table_add(table, "%+" PRId64 " ms", (int64_t)json_integer_value(skew));
	else
		table_add(table, "-");
	table_add(table, "%s", notes);
}

static void print_gateways(const json_t *gateways, FILE *out)
{
	static const char *const heading[] = {"GATEWAY", "VERDICT", "FIT", "GENERATION", "CLOCK", "NOTES"};
	struct table table;
	size_t i;
	json_t *gateway;

	table_init(&table, ARRAY_COUNT(heading));
	for (i = 0; i < ARRAY_COUNT(heading); i++)
		table_add(&table, "%s", heading[i]);
	json_array_foreach(gateways, i, gateway) add_gateway(&table, gateway);
	fprintf(out, "\n");
	table_print(&table, out);
	table_clear(&table);
}

/* "vpn: gw-b could take over, seen 0.4 s ago", and what speaks against it. */
static void print_standby(const json_t *endpoint, const json_t *member, bool first, FILE *out)
{
	const json_t *reasons = json_object_get(member, "reasons");
	const json_t *proved = json_object_get(member, "proved_ago_ms");
	bool could = json_is_true(json_object_get(member, "could"));
	char ago[SPAN_TEXT_MAX];

	fprintf(out, "%s%s: %s %s", first ? "\n" : "", text_of(endpoint, "name", "?"),
		text_of(member, "gateway", "?"), could ? "could take over" : "could not take over");
	if (could && json_is_false(json_object_get(member, "ready")))
		fprintf(out, ", but is not ready");
	if (could && json_is_integer(proved))
		fprintf(out, ", seen %s ago", span_format((int64_t)json_integer_value(proved), ago));
	if (json_array_size(reasons)) {
		CLEANUP_FREE char *joined = join_with(reasons, "; ");

		fprintf(out, ": %s", joined);
	}
	fputc('\n', out);
}

/* Whatever a person should not overlook: why nobody owns an endpoint, why a member could not take over, warnings. */
static void print_remarks(const json_t *status, FILE *out)
{
	size_t i, j;
	json_t *endpoint, *member, *warning;

	json_array_foreach(json_object_get(status, "endpoints"), i, endpoint)
	{
		if (*text_of(endpoint, "why", ""))
			fprintf(out, "\n%s: %s\n", text_of(endpoint, "name", "?"),
				text_of(endpoint, "why", ""));
		json_array_foreach(json_object_get(endpoint, "standbys"), j, member)
			print_standby(endpoint, member, j == 0, out);
		if (*text_of(endpoint, "alone", ""))
			fprintf(out, "%s: without a controller nobody would succeed a dead owner: %s\n",
				text_of(endpoint, "name", "?"), text_of(endpoint, "alone", ""));
	}
	json_array_foreach(json_object_get(status, "warnings"), i, warning) fprintf(out, "%swarning: %s\n",
		i ? "" : "\n", json_is_string(warning) ? json_string_value(warning) : "?");
}

void status_print(const json_t *status, FILE *out)
{
	if (status_is_agents(status)) {
		status_agent_print(status, out);
		return;
	}
	print_head(status, out);
	if (json_array_size(json_object_get(status, "endpoints")))
		print_endpoints(json_object_get(status, "endpoints"), out);
	if (json_array_size(json_object_get(status, "gateways")))
		print_gateways(json_object_get(status, "gateways"), out);
	print_remarks(status, out);
}
