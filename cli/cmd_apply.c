/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply: what it would change is said before it is done, and only what was said is done: if the fleet is another one meanwhile,
 * the controller refuses. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/apply_answer.h"
#include "cli/command.h"
#include "cli/controller.h"
#include "cli/fleet.h"
#include "cli/plan_base.h"
#include "cli/plan_view.h"
#include "cli/progress.h"
#include "cli/question.h"
#include "common/base/duration.h"
#include "common/base/text.h"

struct apply_request {
	int64_t expected; /* generation, or CONTROLLER_ANY_GENERATION */
	int64_t confirm_ms;
	bool yes, all, as_json;
};

/* What was read of the disk. */
struct apply_fleet {
	struct fleet_files files; /* owned, and sent */
	struct fleet *fleet;      /* owned, and planned */
};

static int put_fleet(const struct controller *controller, const struct apply_request *request,
	const struct fleet_files *files, int64_t generation, struct err *err)
{
	json_t *body, *answer = NULL;
	char path[64];
	int r;

	if (request->confirm_ms)
		snprintf(path, sizeof(path), "/v1/fleet?confirm_ms=%" PRId64, request->confirm_ms);
	else
		snprintf(path, sizeof(path), "/v1/fleet");
	body = fleet_bundle(files);
	r = progress_call(controller, generation, "PUT", path, body, &answer, err);
	json_decref(body);
	if (r < 0)
		return r;
	apply_answer_print(answer, request->as_json);
	json_decref(answer);
	return 0;
}

static int check_expected(const struct apply_request *request, const struct plan_base *base, struct err *err)
{
	if (request->expected == CONTROLLER_ANY_GENERATION || request->expected == base->generation)
		return 0;
	if (!base->generation)
		return err_set(err, -ESTALE,
			"there is no fleet yet, and not generation %" PRId64 ": plan again",
			request->expected);
	return err_set(err, -ESTALE,
		"the fleet has changed meanwhile: it is at generation %" PRId64
		" now, applied by %s, and not at %" PRId64 ": plan again",
		base->generation, base->applied_by, request->expected);
}

/* With --json standard output is for the answer. */
static void tell(
	const struct apply_request *request, const struct plan_base *base, const struct fleet_plan *plan)
{
	FILE *out = request->as_json ? stderr : stdout;

	plan_base_print(base, plan, request->all, out);
	fprintf(out, "%s generation %" PRId64 "\n",
		fleet_plan_is_empty(plan) ? "no changes against" : "against", base->generation);
	fflush(out);
}

/* What changes nothing on any gateway needs no second thought; what changes nobody knows what, one that is said. */
static int may_go_on(const struct apply_request *request, const struct plan_base *base,
	const struct fleet_plan *plan, struct err *err)
{
	bool unread = base->unread[0] != '\0';

	if (request->yes || (!unread && (fleet_plan_is_empty(plan) || !question_can_be_asked())))
		return 0;
	if (!question_can_be_asked())
		return err_set(err, -EPERM,
			"what changes is not known (above): nothing was done; if it is to be applied all "
			"the same, say --yes");
	return question_is_answered_yes("apply?") ? 0 : err_set(err, -EPERM, "nothing was done");
}

static int apply_on(const struct controller *controller, const struct apply_request *request,
	const struct apply_fleet *fleet, struct plan_base *base, struct err *err)
{
	struct fleet_plan plan;
	int r = check_expected(request, base, err);

	if (r < 0)
		return r;
	fleet_plan_make(
		base->fleet, fleet->fleet, fleet_now_s(), request->all ? SIZE_MAX : PLAN_LINES_SHOWN, &plan);
	plan_base_ask_sessions(controller, &plan, base);
	tell(request, base, &plan);
	r = may_go_on(request, base, &plan, err);
	if (r >= 0)
		r = put_fleet(controller, request, &fleet->files, base->generation, err);
	fleet_plan_clear(&plan);
	return r;
}

static int apply_fleet(const struct invocation *invocation, const struct apply_request *request,
	const struct apply_fleet *fleet)
{
	struct plan_base base = {0};
	struct controller controller;
	struct err err;
	int r = controller_find(invocation, &controller, &err);

	if (r >= 0)
		r = plan_base_ask(&controller, &base, &err);
	if (r >= 0)
		r = apply_on(&controller, request, fleet, &base, &err);
	plan_base_clear(&base);
	return r < 0 ? command_fail(&err) : COMMAND_OK;
}

/* NULL, or what is wrong with it. */
static const char *read_option(int option, struct apply_request *request, struct err *err)
{
	uint64_t expected;

	if (option == 'j') {
		request->as_json = true;
	} else if (option == 'y') {
		request->yes = true;
	} else if (option == 'l') {
		request->all = true;
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
	return NULL;
}

/* What is wrong; NULL: nothing is. "" has been said by getopt. */
static const char *read_options(
	const struct invocation *invocation, struct apply_request *request, struct err *err)
{
	const char *wrong = NULL;
	int option;

	while (!wrong && (option = command_next_option(invocation)) != -1)
		wrong = read_option(option, request, err);
	return wrong;
}

int command_apply(const struct invocation *invocation)
{
	struct apply_request request = {.expected = CONTROLLER_ANY_GENERATION};
	struct apply_fleet fleet;
	struct err err;
	const char *wrong = read_options(invocation, &request, &err);
	int r;

	if (wrong)
		return command_misused(invocation, *wrong ? wrong : NULL);
	if (invocation->argc - optind != 1)
		return command_misused(invocation, "needs one fleet file");
	r = fleet_check(invocation->argv[optind], &fleet.files, &fleet.fleet, &err);
	if (r == -EINVAL)
		return COMMAND_FAILED;
	if (r < 0)
		return command_fail(&err);
	r = apply_fleet(invocation, &request, &fleet);
	fleet_files_clear(&fleet.files);
	fleet_free(fleet.fleet);
	return r;
}
