/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/controller.h"

int command_confirm(const struct invocation *invocation)
{
	struct controller controller;
	json_t *answer = NULL;
	struct err err;
	bool as_json;
	int wrong = command_read_json(invocation, &as_json);

	if (wrong != COMMAND_OK)
		return wrong;
	if (optind != invocation->argc)
		return command_misused(invocation, "takes no arguments");
	if (controller_find(invocation, &controller, &err) < 0 ||
		controller_call(&controller, "POST", "/v1/confirm", NULL, 0, &answer, &err) < 0)
		return command_fail(&err);
	if (as_json)
		command_print_json(answer);
	else
		printf("generation %" PRId64 " stays\n",
			(int64_t)json_integer_value(json_object_get(answer, "generation")));
	json_decref(answer);
	return COMMAND_OK;
}
