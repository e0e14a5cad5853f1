/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/controller.h"
#include "cli/fleet.h"
#include "cli/plan_base.h"
#include "cli/plan_view.h"
#include "common/base/mem.h"
#include "common/json/write.h"

enum { PLAN_EXIT_CHANGES = 3 };

struct plan_request {
	const char *file, *against; /* against NULL: what is in force */
	bool as_json, all, exit_code;
};

typedef int fleet_reader(
	const char *path, struct fleet_files *ret_files, struct fleet **ret_fleet, struct err *err);

static int read_fleet(fleet_reader *read, const char *path, struct fleet **ret_fleet)
{
	struct fleet_files files;
	struct err err;
	int r = read(path, &files, ret_fleet, &err);

	if (r == -EINVAL)
		return COMMAND_FAILED;
	if (r < 0)
		return command_fail(&err);
	fleet_files_clear(&files);
	return COMMAND_OK;
}

static void tell(
	const struct plan_request *request, const struct plan_base *base, const struct fleet_plan *plan)
{
	if (fleet_plan_is_empty(plan)) {
		printf("no changes against %s", request->against ? request->against : "generation");
		printf(request->against ? "\n" : " %" PRId64 "\n", base->generation);
		return;
	}
	plan_base_print(base, plan, request->all, stdout);
	if (!request->against)
		printf("against generation %" PRId64
		       "; to apply just this: holdfast apply %s --expect %" PRId64 "%s\n",
			base->generation, request->file, base->generation, base->unread[0] ? " --yes" : "");
}

static void tell_json(
	const struct plan_request *request, const struct plan_base *base, const struct fleet_plan *plan)
{
	const struct plan_view view = {.plan = plan, .peers_max = SIZE_MAX, .sessions = base->sessions};
	json_t *json = json_object();

	if (request->against)
		jput_text(json, "against", request->against);
	else
		jput_i64(json, "generation", base->generation);
	if (base->unread[0])
		jput_text(json, "not_known", base->unread);
	plan_view_put(&view, json);
	CLEANUP_FREE char *text = json_pretty(json, NULL);

	puts(text);
	json_decref(json);
}

static int plan_it(const struct plan_request *request, const struct controller *controller,
	struct plan_base *base, const struct fleet *fleet)
{
	struct fleet_plan plan;
	bool changes;

	fleet_plan_make(base->fleet, fleet, fleet_now_s(),
		request->all || request->as_json ? SIZE_MAX : PLAN_LINES_SHOWN, &plan);
	if (controller)
		plan_base_ask_sessions(controller, &plan, base);
	if (request->as_json)
		tell_json(request, base, &plan);
	else
		tell(request, base, &plan);
	changes = !fleet_plan_is_empty(&plan);
	fleet_plan_clear(&plan);
	return changes && request->exit_code ? PLAN_EXIT_CHANGES : COMMAND_OK;
}

static int plan_against_file(const struct plan_request *request, const struct fleet *fleet)
{
	struct plan_base base = {0};
	int status = read_fleet(fleet_load, request->against, &base.fleet);

	if (status == COMMAND_OK)
		status = plan_it(request, NULL, &base, fleet);
	plan_base_clear(&base);
	return status;
}

static int plan_against_controller(
	const struct invocation *invocation, const struct plan_request *request, const struct fleet *fleet)
{
	struct plan_base base = {0};
	struct controller controller;
	struct err err;
	int status;

	if (controller_find(invocation, &controller, &err) < 0 || plan_base_ask(&controller, &base, &err) < 0)
		status = command_fail(&err);
	else
		status = plan_it(request, &controller, &base, fleet);
	plan_base_clear(&base);
	return status;
}

static bool read_options(const struct invocation *invocation, struct plan_request *request)
{
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'j')
			request->as_json = true;
		else if (option == 'l')
			request->all = true;
		else if (option == 'x')
			request->exit_code = true;
		else if (option == 'a')
			request->against = optarg;
		else
			return false;
	}
	return true;
}

int command_plan(const struct invocation *invocation)
{
	struct plan_request request = {0};
	struct fleet *fleet;
	int status;

	if (!read_options(invocation, &request))
		return command_misused(invocation, NULL);
	if (invocation->argc - optind != 1)
		return command_misused(invocation, "needs one fleet file");
	request.file = invocation->argv[optind];
	status = read_fleet(fleet_check, request.file, &fleet);
	if (status != COMMAND_OK)
		return status;
	status = request.against ? plan_against_file(&request, fleet)
				 : plan_against_controller(invocation, &request, fleet);
	fleet_free(fleet);
	return status;
}
