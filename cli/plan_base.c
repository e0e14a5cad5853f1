/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/plan_base.h"

#include <errno.h>

#include "cli/fleet.h"
#include "cli/plan_view.h"
#include "cli/session_pages.h"
#include "common/base/text.h"

enum { FLEET_TIMEOUT_MS = 60000 };

static int take(const json_t *answer, struct plan_base *base, struct err *err)
{
	const char *who = json_string_value(json_object_get(answer, "applied_by"));
	int r;

	base->generation = json_integer_value(json_object_get(answer, "generation"));
	(void)text_copy(base->applied_by, sizeof(base->applied_by), who ? who : "?");
	r = fleet_of_answer(answer, &base->fleet, err);
	if (r != -EBADMSG)
		return r;
	(void)text_copy(base->unread, sizeof(base->unread), err->text);
	return 0;
}

/* A controller without a fleet says so in its status, and has none to give. */
int plan_base_ask(const struct controller *controller, struct plan_base *ret_base, struct err *err)
{
	json_t *answer = NULL;
	int r = controller_call(controller, "GET", "/v1/status", NULL, 0, &answer, err);

	*ret_base = (struct plan_base){0};
	if (r < 0)
		return r;
	ret_base->generation = json_integer_value(json_object_get(answer, "generation"));
	json_decref(answer);
	if (!ret_base->generation)
		return 0;
	r = controller_call(controller, "GET", "/v1/fleet", NULL, FLEET_TIMEOUT_MS, &answer, err);
	if (r < 0)
		return r;
	r = take(answer, ret_base, err);
	json_decref(answer);
	return r;
}

void plan_base_ask_sessions(
	const struct controller *controller, const struct fleet_plan *plan, struct plan_base *base)
{
	json_t *sessions;
	struct err err;

	if (!plan->cost_count)
		return;
	sessions = json_array();
	if (session_pages(controller, sessions, &err) >= 0) {
		base->sessions = sessions;
		return;
	}
	json_decref(sessions); /* some of them would be told as all */
	fprintf(stderr, "sessions not known: %s\n", err.text);
}

void plan_base_clear(struct plan_base *base)
{
	fleet_free(base->fleet);
	json_decref(base->sessions);
	*base = (struct plan_base){0};
}

void plan_base_print(const struct plan_base *base, const struct fleet_plan *plan, bool all, FILE *out)
{
	const struct plan_view view = {
		.plan = plan, .peers_max = all ? SIZE_MAX : PLAN_PEERS_SHOWN, .sessions = base->sessions};

	if (base->unread[0])
		fprintf(out, "what changes is not known: %s\nall that the new one has:\n", base->unread);
	if (!fleet_plan_is_empty(plan))
		plan_view_print(&view, out);
}
