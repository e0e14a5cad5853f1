/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drain and resume: keep a gateway empty, and let it work again. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/controller.h"
#include "common/base/text.h"
#include "proto/limits.h"

enum { DRAIN_TIMEOUT_MS = 60000 };

static int call_gateway(const struct invocation *invocation, const char *verb, json_t **ret_answer)
{
	struct controller controller;
	char path[PROTO_NAME_MAX + 32];
	struct err err;

	if (invocation->argc != 2)
		return command_misused(invocation, "needs a gateway");
	if (!text_is_name(invocation->argv[1], PROTO_NAME_MAX))
		return command_misused(
			invocation, "a name is made of letters, digits, '-', '_' and '.', at most 63");
	snprintf(path, sizeof(path), "/v1/gateways/%s/%s", invocation->argv[1], verb);
	if (controller_find(invocation, &controller, &err) < 0 ||
		controller_call(&controller, "POST", path, NULL, DRAIN_TIMEOUT_MS, ret_answer, &err) < 0)
		return command_fail(&err);
	return COMMAND_OK;
}

int command_drain(const struct invocation *invocation)
{
	json_t *answer = NULL, *moved;
	size_t i;
	int ended = call_gateway(invocation, "drain", &answer);

	if (ended != COMMAND_OK)
		return ended;
	json_array_foreach(json_object_get(answer, "endpoints"), i, moved)
		printf("%s is on %s now\n", json_string_value(json_object_get(moved, "endpoint")),
			json_string_value(json_object_get(moved, "owner")));
	printf("%s is empty, and stays so until 'holdfast resume %s'\n", invocation->argv[1],
		invocation->argv[1]);
	json_decref(answer);
	return COMMAND_OK;
}

int command_resume(const struct invocation *invocation)
{
	json_t *answer = NULL;
	int ended = call_gateway(invocation, "resume", &answer);

	if (ended != COMMAND_OK)
		return ended;
	printf("%s may own endpoints again\n", invocation->argv[1]);
	json_decref(answer);
	return COMMAND_OK;
}
