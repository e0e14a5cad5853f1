/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/apply/apply.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/log.h"
#include "controller/io/apply/apply_int.h"
#include "controller/io/apply/committing.h"
#include "controller/io/apply/confirming.h"
#include "controller/io/apply/holding.h"
#include "controller/io/apply/making.h"
#include "controller/io/apply/staging.h"
#include "controller/io/controller.h"
#include "controller/io/fleet_file.h"
#include "controller/io/floor.h"

const char *apply_state_name(enum apply_state state)
{
	switch (state) {
	case APPLY_STAGING:
		return "staging";
	case APPLY_STAGED:
		return "staged";
	case APPLY_REFUSED:
		return "refused";
	case APPLY_UNREACHABLE:
		return "unreachable";
	case APPLY_COMMITTED:
		return "committed";
	case APPLY_PENDING:
		return "pending";
	}
	return "pending";
}

struct apply_progress apply_look(const struct apply *apply)
{
	static const char *const phases[] = {[PHASE_MAKING] = "making",
		[PHASE_STAGING] = "staging",
		[PHASE_STORING] = "storing",
		[PHASE_COMMITTING] = "committing"};
	if (!apply)
		return (struct apply_progress){.phase = ""};
	const struct members *members = &apply->members;
	size_t away = members_count_in(members, APPLY_UNREACHABLE),
	       refused = members_count_in(members, APPLY_REFUSED);
	return (struct apply_progress){.generation = apply->number,
		.phase = phases[apply->phase],
		.gateways = members->count - away,
		.ready = apply->phase == PHASE_COMMITTING
				 ? members_count_in(members, APPLY_COMMITTED)
				 : members_count_in(members, APPLY_STAGED) + refused};
}

void apply_free(struct apply *apply)
{
	if (!apply)
		return;
	if (apply->timer)
		event_free(apply->timer);
	if (apply->turn)
		event_free(apply->turn);
	generation_free(apply->next);
	lines_clear(&apply->errors);
	lines_clear(&apply->warnings);
	lines_clear(&apply->admits);
	members_clear(&apply->members);
	free(apply);
}

struct apply_member *apply_member_of(const struct apply *apply, const char *gateway)
{
	return apply ? members_find(&apply->members, gateway) : NULL;
}

bool apply_has(const struct apply *apply, const char *gateway)
{
	const struct apply_member *member = apply_member_of(apply, gateway);
	return member && apply->phase != PHASE_COMMITTING && member->state != APPLY_UNREACHABLE;
}

void apply_arm(struct apply *apply, int ms)
{
	const struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000L};
	evtimer_add(apply->timer, &after);
}

void apply_finish(struct apply *apply, int status)
{
	struct controller *controller = apply->controller;
	struct apply_result result = {.status = status,
		.changed = status == 200,
		.admits = &apply->admits,
		.confirm_ms = apply->confirmation.given_ms,
		.generation = apply->number,
		.hash = apply->hash,
		.member_count = apply->members.count,
		.members = apply->members.items,
		.errors = &apply->errors,
		.warnings = &apply->warnings};
	controller->apply = NULL;
	if ((status == 422 || status == 404) && controller->last_number == apply->number &&
		controller->newest_held < apply->number)
		controller->last_number--; /* nobody has seen it */
	if (apply->done)
		apply->done(&result, apply->context);
	apply_free(apply);
	fleet_file_resume(controller->fleet_file);
}

void apply_fail(struct apply *apply, int status)
{
	struct controller *controller = apply->controller;
	for (size_t i = 0; i < apply->members.count; i++) {
		struct agent *agent = agents_find(controller->agents, apply->members.items[i].name);
		if (agent && apply->members.items[i].state != APPLY_UNREACHABLE) {
			queue_drop(&agent->queue, INSTRUCTION_STAGE);
			holding_set(agent, HOLDING_UNKNOWN, 0);
		}
	}
	log_warning("apply", "refused", log_u64("generation", apply->number),
		log_text("error", apply->errors.count ? apply->errors.items[0] : ""));
	apply_finish(apply, status);
	for (size_t i = 0; i < agents_count(controller->agents); i++)
		holding_sync(controller, agents_at(controller->agents, i));
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct apply *apply = context;
	(void)fd;
	(void)what;
	if (apply->phase == PHASE_COMMITTING) {
		apply_finish(apply, 200);
		return;
	}
	staging_lose_patience(apply);
}

void apply_forget(struct controller *controller, const void *context)
{
	if (controller->apply && controller->apply->context == context)
		controller->apply->done = NULL;
}

static void on_turn(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	staging_ask_next(context);
}

static bool is_that(const struct controller *controller, const char *bundle)
{
	return controller->current && strcmp(bundle, controller->current->bundle) == 0;
}

static void tell_in_force(const struct controller *controller, apply_done *done, void *context)
{
	struct lines none = {0};
	done(&(struct apply_result){.status = 200,
		     .generation = controller->current->number,
		     .hash = controller->current->hash,
		     .errors = &none,
		     .warnings = &none,
		     .admits = &none},
		context);
}

static void finish_in_force(struct apply *apply)
{
	struct controller *controller = apply->controller;
	controller->apply = NULL;
	controller->last_number--; /* nobody has seen it */
	if (apply->done)
		tell_in_force(controller, apply->done, apply->context);
	apply_free(apply);
	fleet_file_resume(controller->fleet_file);
}

static void on_chosen(int r, const char *text, uint64_t generation, void *context)
{
	struct apply *apply = ((struct controller *)context)->apply;
	(void)generation;
	if (!apply)
		return; /* the daemon is ending */
	if (r >= 0) {
		finish_in_force(apply);
		return;
	}
	lines_add(&apply->errors, "%s", text);
	apply_fail(apply, 500);
}

/* A rollback to what is in force. If that awaits a confirmation, a person has chosen it: it stays. */
static void choose_in_force(struct apply *apply)
{
	struct controller *controller = apply->controller;
	struct err err = {0};
	int r = apply->forced ? -ENOENT
			      : confirming_choose(controller->confirming, apply->confirmation.who, on_chosen,
					controller, &err);
	if (r == -ENOENT) {
		finish_in_force(apply);
	} else if (r < 0) {
		lines_add(&apply->errors, "%s", err.text);
		apply_fail(apply, 409);
	} else {
		apply->phase = PHASE_STORING;
	}
}

static bool may_follow(struct apply *apply)
{
	const struct generation *next = apply->next;
	struct err err = {0};
	if (next->number <= apply->controller->newest_held) { /* heard of just now: the next is above it */
		lines_add(&apply->errors,
			"gateways hold generation %llu already, which this controller's store does not know "
			"(restored?)%s",
			(unsigned long long)apply->controller->newest_held,
			apply->is_repeated ? "" : ": apply again");
		apply_fail(apply, 409);
		return false;
	}
	if (decisions_check(apply->controller->decisions, next->endpoints, next->endpoint_count, &err) >= 0)
		return true;
	lines_add(&apply->errors, "%s", err.text);
	apply_fail(apply, 409);
	return false;
}

static void on_made(struct controller *controller, int r, struct made *made)
{
	struct apply *apply = controller->apply;
	if (!apply)
		return; /* the daemon is ending */
	apply->next = made->generation;
	apply->errors = made->errors;
	apply->warnings = made->warnings;
	apply->admits = made->admits;
	*made = (struct made){0};
	if (r < 0) {
		apply_fail(apply, r == -ENOENT ? 404 : 422);
		return;
	}
	if (is_that(controller, apply->next->bundle)) {
		choose_in_force(apply);
		return;
	}
	text_copy(apply->hash, sizeof apply->hash, apply->next->hash);
	floor_set_next(controller, apply->next);
	if (!may_follow(apply))
		return;
	apply->phase = PHASE_STAGING;
	members_make(&apply->members, apply->next, controller->agents);
	staging_ask_next(apply);
}

static bool is_in_force(const struct controller *controller, const struct bundle *bundle)
{
	if (!bundle)
		return false; /* it has to be read from the store first */
	CLEANUP_FREE char *text = bundle_encode(bundle);
	return is_that(controller, text);
}

static void tell_refused(const char *why, apply_done *done, void *context)
{
	struct lines errors = {0}, none = {0};
	lines_add(&errors, "%s", why);
	done(&(struct apply_result){.status = 409, .errors = &errors, .warnings = &none, .admits = &none},
		context);
	lines_clear(&errors);
}

static void begin(
	struct controller *controller, const struct apply_request *request, apply_done *done, void *context)
{
	struct apply *apply = mem_new(1, sizeof *apply);
	apply->controller = controller;
	apply->phase = PHASE_MAKING;
	apply->number = ++controller->last_number;
	apply->forced = request->forced;
	apply->is_repeated = request->is_repeated || request->forced;
	apply->confirmation = (struct store_confirmation){.generation = apply->number,
		.back_to = controller->current ? controller->current->number : 0,
		.given_ms = request->confirm_ms};
	text_copy(apply->confirmation.who, sizeof apply->confirmation.who, request->who);
	apply->done = done;
	apply->context = context;
	apply->timer = evtimer_new(controller->base, on_timer, apply);
	apply->turn = evtimer_new(controller->base, on_turn, apply);
	controller->apply = apply;
	making_start(controller,
		&(struct making_order){.number = apply->number,
			.bundle = request->bundle,
			.rollback_to = request->rollback_to,
			.who = request->who,
			.what = request->what},
		on_made);
}

/* "": it may begin. */
static void describe_obstacle(
	const struct controller *controller, const struct apply_request *request, char *why, size_t size)
{
	why[0] = '\0';
	if (controller->apply)
		snprintf(why, size, "another apply is under way: try again when it has ended");
	else if (!request->rollback_to && confirming_is_awaited(controller->confirming))
		confirming_describe(controller->confirming, why, size);
	else if (request->confirm_ms && !controller->current)
		snprintf(why, size,
			"there is no generation to go back to: the first fleet cannot await a confirmation");
}

void apply_start(
	struct controller *controller, const struct apply_request *request, apply_done *done, void *context)
{
	char why[CONFIRMING_TEXT_MAX];
	describe_obstacle(controller, request, why, sizeof why);
	if (*why)
		tell_refused(why, done, context);
	else if (is_in_force(controller, request->bundle))
		tell_in_force(controller, done, context);
	else
		begin(controller, request, done, context);
	if (request->bundle)
		bundle_clear(request->bundle);
}
