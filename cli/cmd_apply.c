/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/apply_answer.h"
#include "cli/command.h"
#include "cli/controller.h"
#include "cli/fleet.h"
#include "cli/progress.h"
#include "common/base/duration.h"
#include "common/base/text.h"

struct apply_request {
	int64_t expected; /* generation, or CONTROLLER_ANY_GENERATION */
	int64_t confirm_ms;
	bool as_json;
};

static int put_fleet(const struct invocation *invocation, const struct apply_request *request,
	const struct fleet_files *files)
{
	struct controller controller;
	json_t *body, *answer = NULL;
	char path[64];
	struct err err;
	int r;

	if (controller_find(invocation, &controller, &err) < 0)
		return command_fail(&err);
	if (request->confirm_ms)
		snprintf(path, sizeof(path), "/v1/fleet?confirm_ms=%" PRId64, request->confirm_ms);
	else
		snprintf(path, sizeof(path), "/v1/fleet");
	body = fleet_bundle(files);
	r = progress_call(&controller, request->expected, "PUT", path, body, &answer, &err);
	json_decref(body);
	if (r < 0)
		return command_fail(&err);
	apply_answer_print(answer, request->as_json);
	json_decref(answer);
	return COMMAND_OK;
}

/* What is wrong; NULL: nothing is. "" has been said by getopt. */
static const char *read_options(
	const struct invocation *invocation, struct apply_request *request, struct err *err)
{
	uint64_t expected;
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'j') {
			request->as_json = true;
		} else if (option == 'e') {
			if (text_to_u64(optarg, 0, INT64_MAX, &expected) < 0)
				return "--expect needs the number of a generation, 0 for none";
			request->expected = (int64_t)expected;
		} else if (option == 'c') {
			if (duration_parse(optarg, &request->confirm_ms, err) < 0)
				return err->text;
			if (request->confirm_ms <= 0)
				return "--confirm needs some time, such as 5m";
		} else {
			return "";
		}
	}
	return NULL;
}

int command_apply(const struct invocation *invocation)
{
	struct apply_request request = {.expected = CONTROLLER_ANY_GENERATION};
	struct fleet_files files;
	struct err err;
	const char *wrong = read_options(invocation, &request, &err);
	int r;

	if (wrong)
		return command_misused(invocation, *wrong ? wrong : NULL);
	if (invocation->argc - optind != 1)
		return command_misused(invocation, "needs one fleet file");
	r = fleet_check(invocation->argv[optind], &files, NULL, &err);
	if (r == -EINVAL)
		return COMMAND_FAILED;
	if (r < 0)
		return command_fail(&err);
	r = put_fleet(invocation, &request, &files);
	fleet_files_clear(&files);
	return r;
}
