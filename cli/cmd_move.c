/* SPDX-License-Identifier: GPL-2.0-or-later */
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
	int r;

	if (invocation->argc != 3)
		return command_misused(invocation, "needs an endpoint and a gateway");
	if (!text_is_name(invocation->argv[1], PROTO_NAME_MAX) ||
		!text_is_name(invocation->argv[2], PROTO_NAME_MAX))
		return command_misused(
			invocation, "a name is made of letters, digits, '-', '_' and '.', at most 63");
	if (controller_find(invocation, &controller, &err) < 0)
		return command_fail(&err);
	snprintf(path, sizeof(path), "/v1/endpoints/%s/move", invocation->argv[1]);
	body = json_object();
	jput_text(body, "to", invocation->argv[2]);
	r = controller_call(&controller, "POST", path, body, MOVE_TIMEOUT_MS, &answer, &err);
	json_decref(body);
	if (r < 0)
		return command_fail(&err);
	printf("%s is on %s (epoch %s), moved in %" PRId64 " ms\n", invocation->argv[1], invocation->argv[2],
		json_string_value(json_object_get(answer, "epoch")),
		(int64_t)json_integer_value(json_object_get(answer, "took_ms")));
	json_decref(answer);
	return COMMAND_OK;
}
