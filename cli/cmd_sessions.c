/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/controller.h"
#include "cli/session_pages.h"
#include "cli/size.h"
#include "cli/span.h"
#include "cli/table.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/write.h"

static const char *text_of(const json_t *object, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text && *text ? text : otherwise;
}

/* ---- telling ---- */

static void add_bytes(struct table *table, const json_t *session, const char *name)
{
	const json_t *bytes = json_object_get(session, name);
	char text[SIZE_TEXT_MAX];

	table_add(table, "%s",
		json_is_integer(bytes) ? size_format((uint64_t)json_integer_value(bytes), text) : "-");
}

static void add_session(struct table *table, const json_t *session)
{
	char ago[SPAN_TEXT_MAX];

	table_add(table, "%s", text_of(session, "peer", text_of(session, "public_key", "?")));
	table_add(table, "%s", text_of(session, "tunnel", "?"));
	table_add(table, "%s", text_of(session, "gateway", "elsewhere"));
	table_add(table, "%s", text_of(session, "endpoint", "?"));
	table_add(table, "%s ago", span_format(json_integer_value(json_object_get(session, "age_ms")), ago));
	add_bytes(table, session, "rx_bytes");
	add_bytes(table, session, "tx_bytes");
}

static void print_sessions(const json_t *sessions, bool filtered)
{
	static const char *const heading[] = {
		"PEER", "TUNNEL", "GATEWAY", "ADDRESS", "HANDSHAKE", "RX", "TX"};
	struct table table;
	size_t i;
	json_t *session;

	if (!json_array_size(sessions)) {
		puts(filtered ? "nobody of those is connected" : "nobody is connected");
		return;
	}
	table_init(&table, ARRAY_COUNT(heading));
	for (i = 0; i < ARRAY_COUNT(heading); i++)
		table_add(&table, "%s", heading[i]);
	json_array_foreach(sessions, i, session) add_session(&table, session);
	table_print(&table, stdout);
	table_clear(&table);
}

struct request {
	struct session_filter filter;
	bool filtered, as_json;
};

static int run(const struct invocation *invocation, const struct request *request)
{
	json_t *root = json_object(), *list = jput_array(root, "sessions");
	int status = COMMAND_OK;
	struct controller controller;
	struct err err;

	if (controller_find(invocation, &controller, &err) < 0 ||
		session_pages_of(&controller, &request->filter, list, &err) < 0) {
		status = command_fail(&err);
	} else if (request->as_json) {
		CLEANUP_FREE char *text = json_pretty(root, NULL);

		puts(text);
	} else {
		print_sessions(list, request->filtered);
	}
	json_decref(root);
	return status;
}

static int read_option(int option, struct request *request)
{
	switch (option) {
	case 'j':
		request->as_json = true;
		return 0;
	case 'p':
		request->filter.peer = optarg;
		break;
	case 'g':
		request->filter.gateway = optarg;
		break;
	case 't':
		request->filter.tunnel = optarg;
		break;
	case 'e':
		request->filter.endpoint = optarg;
		break;
	default:
		return -EINVAL;
	}
	request->filtered = true;
	return 0;
}

int command_sessions(const struct invocation *invocation)
{
	struct request request = {0};
	int option;

	while ((option = command_next_option(invocation)) != -1)
		if (read_option(option, &request) < 0)
			return command_misused(invocation, NULL);
	if (optind != invocation->argc)
		return command_misused(invocation, "takes no arguments");
	return run(invocation, &request);
}
