/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rollback: what it would do, and above all whom it would let in again, is said before it is done. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/apply_answer.h"
#include "cli/command.h"
#include "cli/controller.h"
#include "cli/fleet.h"
#include "cli/plan_view.h"
#include "cli/progress.h"
#include "cli/question.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/write.h"

enum { HISTORY_TIMEOUT_MS = 60000 };

struct rollback_request {
	uint64_t number;
	bool yes, dry, all, as_json;
};

/* The fleets of now and then. */
struct rollback_fleets {
	int64_t generation;       /* in force */
	struct fleet *now, *then; /* owned */
};

static int ask_fleet(const struct controller *controller, const char *path, int64_t *ret_generation,
	struct fleet **ret_fleet, struct err *err)
{
	json_t *answer = NULL;
	int r = controller_call(controller, "GET", path, NULL, HISTORY_TIMEOUT_MS, &answer, err);

	if (r < 0)
		return r;
	*ret_generation = json_integer_value(json_object_get(answer, "generation"));
	r = fleet_of_answer(answer, ret_fleet, err);
	json_decref(answer);
	return r;
}

static int ask_fleets(const struct controller *controller, const struct rollback_request *request,
	struct rollback_fleets *fleets, struct err *err)
{
	char path[64];
	int64_t number;
	int r = ask_fleet(controller, "/v1/fleet", &fleets->generation, &fleets->now, err);

	snprintf(path, sizeof(path), "/v1/history/%" PRIu64, request->number);
	return r < 0 ? r : ask_fleet(controller, path, &number, &fleets->then, err);
}

/* What lets nobody in that is out now needs no second thought. */
static bool may_go_on(const struct rollback_request *request, const struct fleet_plan *plan, struct err *err)
{
	if (request->yes || !plan->admitted_count)
		return true;
	if (!question_can_be_asked()) {
		err_set(err, -EPERM,
			"generation %" PRIu64 " lets in or widens %zu peer%s (above): nothing was done; if "
			"that is meant, say --yes",
			request->number, plan->admitted_count, plan->admitted_count == 1 ? "" : "s");
		return false;
	}
	if (question_is_answered_yes("Go on?"))
		return true;
	err_set(err, -EPERM, "nothing was done");
	return false;
}

/* The file on the disk of whoever keeps it is as it was: its next apply would bring back what was taken back. */
static void tell_of_files(const struct rollback_request *request, const json_t *answer)
{
	if (json_is_true(json_object_get(answer, "changed")))
		fprintf(request->as_json ? stderr : stdout,
			"the fleet file is still as it was, and its next apply undoes this: correct it, or "
			"'holdfast history %" PRIu64 " --out DIR' writes the files of generation %" PRIu64
			"\n",
			request->number, request->number);
}

static int post(const struct controller *controller, const struct rollback_request *request,
	int64_t generation, struct err *err)
{
	json_t *body = json_object(), *answer = NULL;
	int r;

	jput_u64(body, "generation", request->number);
	r = progress_call(controller, generation, "POST", "/v1/rollback", body, &answer, err);
	json_decref(body);
	if (r < 0)
		return r;
	apply_answer_print(answer, request->as_json);
	tell_of_files(request, answer);
	json_decref(answer);
	return 0;
}

/* With --json standard output is for the one answer: of the rollback, or with --dry-run this. */
static void tell(const struct rollback_request *request, const struct plan_view *view)
{
	FILE *out = request->as_json ? stderr : stdout;

	if (request->as_json && request->dry) {
		json_t *json = json_object();

		plan_view_put(view, json);
		CLEANUP_FREE char *text = json_pretty(json, NULL);

		puts(text);
		json_decref(json);
		return;
	}
	if (!fleet_plan_is_empty(view->plan))
		plan_view_print(view, out);
	plan_view_print_admitted(view, out);
	fflush(out);
}

static int roll_back(
	const struct controller *controller, const struct rollback_request *request, struct err *err)
{
	struct rollback_fleets fleets = {0};
	struct fleet_plan plan = {0};
	bool whole = request->all || request->as_json;
	const struct plan_view view = {.plan = &plan, .peers_max = whole ? SIZE_MAX : PLAN_PEERS_SHOWN};
	int r = ask_fleets(controller, request, &fleets, err);

	if (r >= 0) {
		fleet_plan_make(
			fleets.now, fleets.then, fleet_now_s(), whole ? SIZE_MAX : PLAN_LINES_SHOWN, &plan);
		tell(request, &view);
	}
	if (r >= 0 && !request->dry)
		r = may_go_on(request, &plan, err) ? post(controller, request, fleets.generation, err)
						   : -EPERM;
	fleet_plan_clear(&plan);
	fleet_free(fleets.now);
	fleet_free(fleets.then);
	return r;
}

static bool read_options(const struct invocation *invocation, struct rollback_request *request)
{
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'j')
			request->as_json = true;
		else if (option == 'y')
			request->yes = true;
		else if (option == 'n')
			request->dry = true;
		else if (option == 'l')
			request->all = true;
		else
			return false;
	}
	return true;
}

int command_rollback(const struct invocation *invocation)
{
	struct rollback_request request = {0};
	struct controller controller;
	struct err err;

	if (!read_options(invocation, &request))
		return command_misused(invocation, NULL);
	if (invocation->argc - optind != 1 ||
		text_to_u64(invocation->argv[optind], 1, INT64_MAX, &request.number) < 0)
		return command_misused(
			invocation, "needs the number of a generation: 'holdfast history' lists them");
	if (controller_find(invocation, &controller, &err) < 0 || roll_back(&controller, &request, &err) < 0)
		return command_fail(&err);
	return COMMAND_OK;
}
