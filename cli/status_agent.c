/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/status_agent.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/span.h"
#include "cli/table.h"
#include "common/base/mem.h"

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

bool status_is_agents(const json_t *status)
{
	return json_is_string(json_object_get(status, "gateway"));
}

static void print_head(const json_t *status, FILE *out)
{
	char up[SPAN_TEXT_MAX];

	span_format(number_of(status, "uptime_ms"), up);
	if (!*text_of(status, "gateway")) {
		fprintf(out, "an agent without a fleet, up %s\n", up);
		return;
	}
	fprintf(out, "gateway %s alone, up %s; ", text_of(status, "gateway"), up);
	if (*text_of(status, "fleet"))
		fprintf(out, "fleet %s, generation %" PRId64, text_of(status, "fleet"),
			number_of(status, "generation"));
	else
		fprintf(out, "no generation yet");
	if (number_of(status, "floor"))
		fprintf(out, ", revocation floor %" PRId64 "%s", number_of(status, "floor"),
			json_is_true(json_object_get(status, "floor_confirmed")) ? ""
										 : " (not confirmed yet)");
	fprintf(out, "; controller %s %s\n", text_of(status, "controller"),
		json_is_true(json_object_get(status, "connected")) ? "answers" : "does not answer");
}

static void add_endpoint(struct table *table, const json_t *endpoint)
{
	int64_t left_ms = number_of(endpoint, "permit_left_ms");
	char lease[SPAN_TEXT_MAX];

	table_add(table, "%s", text_of(endpoint, "name"));
	table_add(table, "%s", text_of(endpoint, "role"));
	table_add(table, "%s", text_of(endpoint, "epoch"));
	table_add(table, "%s", left_ms ? span_format(left_ms, lease) : "-");
	table_add(table, "%s", text_of(endpoint, "isolation"));
	table_add(table, "%s", *text_of(endpoint, "leave_by") ? text_of(endpoint, "leave_by") : "-");
	table_add(table, "%s", text_of(endpoint, "why"));
}

/* "vpn: could be taken over here, seen 400 ms ago", or why not. */
static void print_standing(const json_t *endpoint, FILE *out)
{
	const json_t *standing = json_object_get(endpoint, "standing"), *reasons, *reason;
	char ago[SPAN_TEXT_MAX];
	size_t i;

	if (!standing)
		return;
	fprintf(out, "%s: %s", text_of(endpoint, "name"),
		json_is_true(json_object_get(standing, "ready")) ? "could be taken over here"
								 : "is not ready to be taken over here");
	if (json_object_get(standing, "proved_ago_ms"))
		fprintf(out, ", seen %s ago", span_format(number_of(standing, "proved_ago_ms"), ago));
	reasons = json_object_get(standing, "reasons");
	json_array_foreach(reasons, i, reason) fprintf(
		out, "%s%s", i ? "; " : ": ", json_is_string(reason) ? json_string_value(reason) : "?");
	fputc('\n', out);
	if (*text_of(standing, "alone"))
		fprintf(out, "%s: would not succeed a dead owner without a controller: %s\n",
			text_of(endpoint, "name"), text_of(standing, "alone"));
}

static void print_endpoints(const json_t *endpoints, FILE *out)
{
	static const char *const heading[] = {
		"ENDPOINT", "ROLE HERE", "EPOCH", "LEASE", "MODE", "LEAVE BY", "NOTES"};
	struct table table;
	size_t i;
	json_t *endpoint;

	table_init(&table, ARRAY_COUNT(heading));
	for (i = 0; i < ARRAY_COUNT(heading); i++)
		table_add(&table, "%s", heading[i]);
	json_array_foreach(endpoints, i, endpoint) add_endpoint(&table, endpoint);
	fprintf(out, "\n");
	table_print(&table, out);
	table_clear(&table);
	json_array_foreach(endpoints, i, endpoint) print_standing(endpoint, out);
}

static void print_tunnels(const json_t *tunnels, FILE *out)
{
	size_t i;
	json_t *tunnel;

	json_array_foreach(tunnels, i, tunnel) fprintf(
		out, "%stunnel %s: %s\n", i ? "" : "\n", text_of(tunnel, "name"), text_of(tunnel, "state"));
}

/* "192.168.77.0/24: site-b of wg0 (site-a: does not answer the probe of 192.168.77.1; site-b: handshake 5 s ago)" */
static void print_shared(const json_t *prefixes, FILE *out)
{
	size_t i, j;
	json_t *prefix, *candidate;

	json_array_foreach(prefixes, i, prefix)
	{
		fprintf(out, "%s%s: %s of %s (", i ? "" : "\n", text_of(prefix, "prefix"),
			text_of(prefix, "peer"), text_of(prefix, "tunnel"));
		json_array_foreach(json_object_get(prefix, "candidates"), j, candidate) fprintf(out,
			"%s%s: %s", j ? "; " : "", text_of(candidate, "peer"), text_of(candidate, "state"));
		fprintf(out, ")\n");
	}
}

static void print_lines(const json_t *lines, const char *before, FILE *out)
{
	size_t i;
	json_t *line;

	json_array_foreach(lines, i, line) if (json_is_string(line))
		fprintf(out, "%s%s%s\n", i ? "" : "\n", before, json_string_value(line));
}

void status_agent_print(const json_t *status, FILE *out)
{
	print_head(status, out);
	if (json_array_size(json_object_get(status, "endpoints")))
		print_endpoints(json_object_get(status, "endpoints"), out);
	print_tunnels(json_object_get(status, "tunnels"), out);
	print_shared(json_object_get(status, "shared_prefixes"), out);
	print_lines(json_object_get(status, "reasons"), "", out);
	print_lines(json_object_get(status, "warnings"), "warning: ", out);
}
