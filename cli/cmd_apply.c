/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/controller.h"
#include "cli/fleet.h"
#include "common/base/mem.h"
#include "common/json/write.h"

/* The controller gives each gateway 10 s, all at the same time; compiling 100,000 peers takes a few more. */
enum { APPLY_TIMEOUT_MS = 60000 };

/* What PUT /v1/fleet takes: the files with their names, the fleet file first. */
static json_t *bundle(const struct fleet_files *files)
{
	json_t *body = json_object(), *list = jput_array(body, "files");

	for (size_t i = 0; i < files->count; i++) {
		json_t *file = jput_object(list, NULL);

		jput_text(file, "name", files->items[i].name);
		jput_text(file, "text", files->items[i].text);
	}
	return body;
}

static void print_answer(const json_t *answer)
{
	int64_t generation = json_integer_value(json_object_get(answer, "generation"));
	size_t i;
	json_t *gateway;

	if (json_is_false(json_object_get(answer, "changed"))) {
		printf("nothing to do: generation %" PRId64 " is this already\n", generation);
		return;
	}
	json_array_foreach(json_object_get(answer, "gateways"), i, gateway)
	{
		const char *result = json_string_value(json_object_get(gateway, "result"));
		bool away = result && !strcmp(result, "unreachable");

		printf("%s: %s%s\n", json_string_value(json_object_get(gateway, "gateway")),
			result ? result : "?", away ? "; it gets this generation when it comes back" : "");
	}
	printf("generation %" PRId64 " is in force\n", generation);
}

static int put_fleet(const struct invocation *invocation, const struct fleet_files *files, bool as_json)
{
	struct controller controller;
	json_t *body, *answer = NULL;
	struct err err;
	int r;

	if (controller_find(invocation, &controller, &err) < 0)
		return command_fail(&err);
	body = bundle(files);
	r = controller_call(&controller, "PUT", "/v1/fleet", body, APPLY_TIMEOUT_MS, &answer, &err);
	json_decref(body);
	if (r < 0)
		return command_fail(&err);
	if (as_json) {
		CLEANUP_FREE char *text = json_pretty(answer, NULL);

		puts(text);
	} else {
		print_answer(answer);
	}
	json_decref(answer);
	return COMMAND_OK;
}

int command_apply(const struct invocation *invocation)
{
	struct fleet_files files;
	bool as_json = false;
	struct err err;
	int option, r;

	while ((option = command_next_option(invocation)) != -1) {
		if (option != 'j')
			return command_misused(invocation, NULL);
		as_json = true;
	}
	if (invocation->argc - optind != 1)
		return command_misused(invocation, "needs one fleet file");
	r = fleet_check(invocation->argv[optind], &files, NULL, &err);
	if (r == -EINVAL)
		return COMMAND_FAILED;
	if (r < 0)
		return command_fail(&err);
	r = put_fleet(invocation, &files, as_json);
	fleet_files_clear(&files);
	return r;
}
