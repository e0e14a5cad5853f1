/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freeze and thaw: no moves but those that people ask for. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/controller.h"

static int call(const struct invocation *invocation, const char *path, const char *done)
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
		controller_call(&controller, "POST", path, NULL, 0, &answer, &err) < 0)
		return command_fail(&err);
	if (as_json)
		command_print_json(answer);
	else
		puts(done);
	json_decref(answer);
	return COMMAND_OK;
}

int command_freeze(const struct invocation *invocation)
{
	return call(invocation, "/v1/freeze",
		"frozen: nothing moves by itself, not even away from a dead gateway, until 'holdfast thaw'");
}

int command_thaw(const struct invocation *invocation)
{
	return call(invocation, "/v1/thaw", "thawed: endpoints move by themselves again");
}
