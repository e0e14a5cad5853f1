/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drain and resume: keep a gateway empty, and let it work again. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/controller.h"
#include "common/base/text.h"
#include "proto/limits.h"

enum { DRAIN_TIMEOUT_MS = 60000 };

/* The gateway's name goes to *ret_gateway; with --json the answer is printed, and *ret_answer is NULL. */
static int call_gateway(
	const struct invocation *invocation, const char *verb, const char **ret_gateway, json_t **ret_answer)
{
	struct controller controller;
	char path[PROTO_NAME_MAX + 32];
	struct err err;
	bool as_json;
	int wrong = command_read_json(invocation, &as_json);

	if (wrong != COMMAND_OK)
		return wrong;
	if (invocation->argc - optind != 1)
		return command_misused(invocation, "needs a gateway");
	*ret_gateway = invocation->argv[optind];
	if (!text_is_name(*ret_gateway, PROTO_NAME_MAX))
		return command_misused(
			invocation, "a name is made of letters, digits, '-', '_' and '.', at most 63");
	snprintf(path, sizeof(path), "/v1/gateways/%s/%s", *ret_gateway, verb);
	if (controller_find(invocation, &controller, &err) < 0 ||
		controller_call(&controller, "POST", path, NULL, DRAIN_TIMEOUT_MS, ret_answer, &err) < 0)
		return command_fail(&err);
	if (as_json) {
		command_print_json(*ret_answer);
		json_decref(*ret_answer);
		*ret_answer = NULL;
	}
	return COMMAND_OK;
}

int command_drain(const struct invocation *invocation)
{
	const char *gateway = NULL;
	json_t *answer = NULL, *moved;
	size_t i;
	int ended = call_gateway(invocation, "drain", &gateway, &answer);

	if (ended != COMMAND_OK || !answer)
		return ended;
	json_array_foreach(json_object_get(answer, "endpoints"), i, moved)
		printf("%s is on %s now\n", json_string_value(json_object_get(moved, "endpoint")),
			json_string_value(json_object_get(moved, "owner")));
	printf("%s is empty, and stays so until 'holdfast resume %s'\n", gateway, gateway);
	json_decref(answer);
	return COMMAND_OK;
}

int command_resume(const struct invocation *invocation)
{
	const char *gateway = NULL;
	json_t *answer = NULL;
	int ended = call_gateway(invocation, "resume", &gateway, &answer);

	if (ended != COMMAND_OK || !answer)
		return ended;
	printf("%s may own endpoints again\n", gateway);
	json_decref(answer);
	return COMMAND_OK;
}
