/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/controller.h"
#include "common/base/text.h"
#include "common/json/write.h"
#include "proto/limits.h"

/* The controller gives up after 15 s by itself, and says why. */
enum { MOVE_TIMEOUT_MS = 20000 };

int command_move(const struct invocation *invocation)
{
	struct controller controller;
	char path[PROTO_NAME_MAX + 32];
	json_t *body, *answer = NULL;
	struct err err;
	char **names;
	bool as_json;
	int r = command_read_json(invocation, &as_json);

	if (r != COMMAND_OK)
		return r;
	if (invocation->argc - optind != 2)
		return command_misused(invocation, "needs an endpoint and a gateway");
	names = invocation->argv + optind;
	if (!text_is_name(names[0], PROTO_NAME_MAX) || !text_is_name(names[1], PROTO_NAME_MAX))
		return command_misused(
			invocation, "a name is made of letters, digits, '-', '_' and '.', at most 63");
	if (controller_find(invocation, &controller, &err) < 0)
		return command_fail(&err);
	snprintf(path, sizeof(path), "/v1/endpoints/%s/move", names[0]);
	body = json_object();
	jput_text(body, "to", names[1]);
	r = controller_call(&controller, "POST", path, body, MOVE_TIMEOUT_MS, &answer, &err);
	json_decref(body);
	if (r < 0)
		return command_fail(&err);
	if (as_json)
		command_print_json(answer);
	else
		printf("%s is on %s (epoch %s), moved in %" PRId64 " ms\n", names[0], names[1],
			json_string_value(json_object_get(answer, "epoch")),
			(int64_t)json_integer_value(json_object_get(answer, "took_ms")));
	json_decref(answer);
	return COMMAND_OK;
}
