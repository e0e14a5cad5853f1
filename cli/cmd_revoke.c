/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/controller.h"
#include "common/base/text.h"
#include "common/json/write.h"
#include "proto/limits.h"

enum { REVOKE_TIMEOUT_MS = 10000 };

static void print(const char *kind, const char *name, const json_t *answer)
{
	printf("certificates of %s %s made before now do not count any more\n", kind, name);
	if (json_is_true(json_object_get(answer, "in_fleet")))
		printf("%s is still in the fleet: take it out of the fleet file and apply, and give its "
		       "tunnels "
		       "new keys ('holdfast key new'): it has the old ones\n",
			name);
}

int command_revoke(const struct invocation *invocation)
{
	struct controller controller;
	json_t *body, *answer = NULL;
	const char *kind, *name;
	struct err err;
	bool as_json;
	int r = command_read_json(invocation, &as_json);

	if (r != COMMAND_OK)
		return r;
	if (invocation->argc - optind != 2)
		return command_misused(invocation, "needs gateway or operator, and a name");
	kind = invocation->argv[optind];
	name = invocation->argv[optind + 1];
	if (strcmp(kind, "gateway") != 0 && strcmp(kind, "operator") != 0)
		return command_misused(invocation, "only a gateway or an operator can be revoked");
	if (!text_is_name(name, PROTO_NAME_MAX))
		return command_misused(
			invocation, "a name is made of letters, digits, '-', '_' and '.', at most 63");
	if (controller_find(invocation, &controller, &err) < 0)
		return command_fail(&err);
	body = json_object();
	jput_text(body, "kind", kind);
	jput_text(body, "name", name);
	r = controller_call(&controller, "POST", "/v1/revocations", body, REVOKE_TIMEOUT_MS, &answer, &err);
	json_decref(body);
	if (r < 0)
		return command_fail(&err);
	if (as_json)
		command_print_json(answer);
	else
		print(kind, name, answer);
	json_decref(answer);
	return COMMAND_OK;
}
