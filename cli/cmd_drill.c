/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/controller.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/write.h"
#include "proto/limits.h"

/* Two moves of 15 s at most, and the pings before and after. */
enum { DRILL_TIMEOUT_MS = 60000 };

struct drill_request {
	struct controller controller;
	const char *to; /* NULL: whoever is ready */
	bool as_json;
};

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static void print_pings(const json_t *move)
{
	if (!number_of(move, "clients"))
		printf("  loss not measured: no live client answers pings\n");
	else
		printf("  %" PRId64 " of %" PRId64 " pings lost, to %" PRId64 " client%s\n",
			number_of(move, "lost"), number_of(move, "sent"), number_of(move, "clients"),
			number_of(move, "clients") == 1 ? "" : "s");
	if (number_of(move, "silent"))
		printf("  %" PRId64 " more did not answer any\n", number_of(move, "silent"));
}

static void print_move(const json_t *move)
{
	if (*text_of(move, "failure")) {
		printf("%s -> %s: not moved: %s\n", text_of(move, "from"), text_of(move, "to"),
			text_of(move, "failure"));
	} else {
		printf("%s -> %s: took %" PRId64 " ms", text_of(move, "from"), text_of(move, "to"),
			number_of(move, "took_ms"));
		if (json_object_get(move, "sessions"))
			printf(", %" PRId64 " of %" PRId64 " sessions moved", number_of(move, "back"),
				number_of(move, "sessions"));
		else
			printf(", not all sessions are back yet");
		printf(" (holdfast report %s)\n", text_of(move, "event"));
	}
	print_pings(move);
}

static const char *conclusion(const json_t *result, bool measured)
{
	if (!json_is_true(json_object_get(result, "clean")))
		return "NOT without loss";
	return measured ? "nothing was lost" : "what was lost is not known";
}

static void print_result(const json_t *result)
{
	const json_t *moves = json_object_get(result, "moves"), *move;
	bool measured = true;
	size_t i;

	json_array_foreach(moves, i, move)
	{
		print_move(move);
		measured &= number_of(move, "clients") > 0;
	}
	if (json_is_false(json_object_get(result, "returned")))
		printf("%s did NOT come back\n", text_of(result, "endpoint"));
	else
		printf("%s is back; %s\n", text_of(result, "endpoint"), conclusion(result, measured));
}

static int drill_one(const struct drill_request *request, const char *endpoint)
{
	char path[PROTO_NAME_MAX + 32];
	json_t *body = json_object(), *result = NULL;
	struct err err;
	bool clean;
	int r;

	snprintf(path, sizeof(path), "/v1/endpoints/%s/drill", endpoint);
	jput_text(body, "to", request->to);
	r = controller_call(&request->controller, "POST", path, body, DRILL_TIMEOUT_MS, &result, &err);
	json_decref(body);
	if (r < 0)
		return command_fail(&err);
	if (request->as_json) {
		CLEANUP_FREE char *text = json_pretty(result, NULL);

		puts(text);
	} else {
		print_result(result);
	}
	clean = json_is_true(json_object_get(result, "clean"));
	json_decref(result);
	return clean ? COMMAND_OK : COMMAND_FAILED;
}

static int drill_all(const struct drill_request *request)
{
	json_t *status = NULL, *endpoint;
	struct err err;
	int worst = COMMAND_OK;
	size_t i;

	if (controller_call(&request->controller, "GET", "/v1/status", NULL, 0, &status, &err) < 0)
		return command_fail(&err);
	if (!json_array_size(json_object_get(status, "endpoints"))) {
		fprintf(stderr, "holdfast: there is no endpoint to drill\n");
		worst = COMMAND_FAILED;
	}
	json_array_foreach(json_object_get(status, "endpoints"), i,
		endpoint) if (drill_one(request, text_of(endpoint, "name")) != COMMAND_OK) worst =
		COMMAND_FAILED;
	json_decref(status);
	return worst;
}

int command_drill(const struct invocation *invocation)
{
	struct drill_request request = {0};
	const char *endpoint;
	struct err err;
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'j')
			request.as_json = true;
		else if (option == 't')
			request.to = optarg;
		else
			return command_misused(invocation, NULL);
	}
	endpoint = optind < invocation->argc ? invocation->argv[optind] : NULL;
	if (optind + 1 < invocation->argc)
		return command_misused(invocation, "takes one endpoint at most");
	if (endpoint && !text_is_name(endpoint, PROTO_NAME_MAX))
		return command_misused(
			invocation, "a name is made of letters, digits, '-', '_' and '.', at most 63");
	if (controller_find(invocation, &request.controller, &err) < 0)
		return command_fail(&err);
	return endpoint ? drill_one(&request, endpoint) : drill_all(&request);
}
