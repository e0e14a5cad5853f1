/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/apply/apply.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "controller/core/preparation/preparation.h"
#include "controller/io/apply/confirming.h"
#include "controller/io/apply/holding.h"
#include "controller/io/apply/making.h"
#include "controller/io/apply/members.h"
#include "controller/io/apply/storing.h"
#include "controller/io/controller.h"
#include "controller/io/fleet_file.h"
#include "controller/io/floor.h"

enum { APPLY_LOOK_AGAIN_MS = 200 };

enum phase { PHASE_MAKING, PHASE_STAGING, PHASE_STORING, PHASE_COMMITTING };

struct apply {
	struct controller *controller;
	enum phase phase;
	struct generation *next; /* owned until it is installed */
	uint64_t number;
	char hash[SHA256_HEX_MAX];
	struct members members;
	size_t asked; /* members that had their turn: a stage is posted, or need not be */
	struct lines errors, warnings, admits;
	bool forced, is_repeated;
	struct store_confirmation confirmation; /* given_ms 0: none */
	struct event *timer, *turn;
	struct preparation preparation; /* from when all are asked */
	apply_done *done;
	void *context;
};

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

static struct apply_member *find_member(const struct apply *apply, const char *gateway)
{
	return apply ? members_find(&apply->members, gateway) : NULL;
}

bool apply_has(const struct apply *apply, const char *gateway)
{
	const struct apply_member *member = find_member(apply, gateway);
	return member && apply->phase != PHASE_COMMITTING && member->state != APPLY_UNREACHABLE;
}

static void arm(struct apply *apply, int ms)
{
	const struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000L};
	evtimer_add(apply->timer, &after);
}

/* The end, whatever it is: tell, and be gone. */
static void finish(struct apply *apply, int status)
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

/* Nothing has changed: agents forget the stage with the next one; what they lack of the old one they get now. */
static void fail(struct apply *apply, int status)
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
	finish(apply, status);
	for (size_t i = 0; i < agents_count(controller->agents); i++)
		holding_sync(controller, agents_at(controller->agents, i));
}

static void tell_applied(const struct apply *apply, const char *who)
{
	const char *what = apply->controller->current->what;
	char text[512];
	snprintf(text, sizeof text, "generation %llu is in force (by %s)%s%s",
		(unsigned long long)apply->number, who, *what ? ": " : "", what);
	log_notice("apply", "committed", log_u64("generation", apply->number), log_text("hash", apply->hash),
		log_text("by", who));
	journal_add(apply->controller->journal,
		&(struct journal_entry){.event = "apply", .text = text, .generation = apply->number});
}

static void check_committed(struct apply *apply)
{
	if (!members_any_in(&apply->members, APPLY_PENDING))
		finish(apply, 200);
}

static void commit(struct apply *apply)
{
	struct controller *controller = apply->controller;
	char who[STORE_WHO_MAX + 1];
	text_copy(who, sizeof who, apply->next->who);
	apply->phase = PHASE_COMMITTING;
	for (size_t i = 0; i < apply->members.count; i++) {
		struct agent *agent = agents_find(controller->agents, apply->members.items[i].name);
		if (apply->members.items[i].state != APPLY_STAGED)
			continue;
		apply->members.items[i].state = APPLY_PENDING;
		if (agent && agent->holding->state == HOLDING_STAGED)
			holding_commit(agent, apply->number);
	}
	struct generation *next = apply->next;
	apply->next = NULL;
	controller_install(controller, next);
	tell_applied(apply, who);
	if (apply->confirmation.given_ms)
		confirming_begin(controller->confirming, &apply->confirmation);
	else
		confirming_end(controller->confirming);
	arm(apply, APPLY_COMMIT_MS);
	check_committed(apply);
}

static void on_stored(struct controller *controller, int r, const struct err *err)
{
	struct apply *apply = controller->apply;
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX];
	if (!apply)
		return; /* the daemon is ending: what is stored is in force at the next start */
	if (r >= 0) {
		commit(apply);
		return;
	}
	lines_add(&apply->errors, "%s", err_format(err, line, sizeof line));
	fail(apply, 500);
}

static void store_next(struct apply *apply)
{
	apply->phase = PHASE_STORING;
	evtimer_del(apply->timer);
	struct store_confirmation *confirmation = &apply->confirmation;
	confirmation->deadline_ms = clock_wall_ms() + confirmation->given_ms;
	storing_start(
		apply->controller, apply->next, confirmation->given_ms ? confirmation : NULL, on_stored);
}

static bool all_are_asked(const struct apply *apply)
{
	return apply->phase == PHASE_STAGING && apply->asked == apply->members.count;
}

static void check_staged(struct apply *apply)
{
	if (!all_are_asked(apply) || members_any_in(&apply->members, APPLY_STAGING) ||
		members_any_lost(&apply->members))
		return;
	if (members_any_in(&apply->members, APPLY_REFUSED) && !apply->forced)
		fail(apply, 409);
	else
		store_next(apply);
}

static void refuse(struct apply *apply, struct apply_member *member, const char *why)
{
	struct agent *agent = agents_find(apply->controller->agents, member->name);
	member->state = APPLY_REFUSED;
	member->lost_ms = 0;
	lines_add(&apply->errors, "%s: %s", member->name, why);
	if (agent) {
		holding_set(agent, HOLDING_REFUSED, apply->number);
		text_copy(agent->holding->error, sizeof agent->holding->error, why);
	}
}

static void refuse_gone(struct apply *apply, struct apply_member *member, const char *what)
{
	char why[96];
	snprintf(why, sizeof why, "%s%s", what, apply->is_repeated ? "" : "; apply again");
	refuse(apply, member, why);
}

static void refuse_late(struct apply *apply, bool any_takes_in, int64_t now_ms)
{
	char why[64];
	if (!preparation_is_over(&apply->preparation, any_takes_in, now_ms))
		return;
	snprintf(why, sizeof why, "no answer within %d s",
		(int)(preparation_so_far_ms(&apply->preparation, now_ms) / 1000));
	for (size_t i = 0; i < apply->members.count; i++)
		if (apply->members.items[i].state == APPLY_STAGING)
			refuse(apply, &apply->members.items[i], why);
}

static void refuse_lost(struct apply *apply, bool any_takes_in, int64_t now_ms)
{
	for (size_t i = 0; i < apply->members.count; i++) {
		struct apply_member *member = &apply->members.items[i];
		if (member->lost_ms &&
			preparation_is_over_for(&apply->preparation, member->lost_ms, any_takes_in, now_ms))
			refuse_gone(apply, member, "the connection was lost while it prepared");
	}
}

/* Who is given up? */
static void lose_patience(struct apply *apply)
{
	int64_t now_ms = clock_now_ms();
	bool any_takes_in = members_any_takes_in(&apply->members, apply->controller->agents, now_ms);
	refuse_lost(apply, any_takes_in, now_ms);
	refuse_late(apply, any_takes_in, now_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct apply *apply = context;
	(void)fd;
	(void)what;
	if (apply->phase == PHASE_COMMITTING) {
		finish(apply, 200);
		return;
	}
	if (all_are_asked(apply))
		lose_patience(apply);
	arm(apply, APPLY_LOOK_AGAIN_MS);
	check_staged(apply);
}

bool apply_take_answer(struct controller *controller, struct agent *agent, const struct staged *staged)
{
	struct apply *apply = controller->apply;
	struct apply_member *member = find_member(apply, agent->name);
	if (!member || staged->generation != apply->number || apply->phase == PHASE_COMMITTING)
		return false;
	if (apply->phase != PHASE_STAGING || member->state != APPLY_STAGING)
		return true;
	preparation_answer(&apply->preparation, clock_now_ms());
	if (staged->ok) {
		member->state = APPLY_STAGED;
		holding_set(agent, HOLDING_STAGED, apply->number);
	} else {
		refuse(apply, member, staged->error[0] ? staged->error : "refused without a reason");
	}
	check_staged(apply);
	return true;
}

void apply_take_report(struct controller *controller, const struct agent *agent)
{
	struct apply *apply = controller->apply;
	struct apply_member *member = find_member(apply, agent->name);
	if (!member || apply->phase != PHASE_COMMITTING || member->state != APPLY_PENDING ||
		!holding_is_current(controller, agent))
		return;
	member->state = APPLY_COMMITTED;
	check_committed(apply);
}

/* A connection breaks for less than a gateway's death: it may come back, and goes on then with what it was asked. */
void apply_take_loss(struct controller *controller, const struct agent *agent)
{
	struct apply *apply = controller->apply;
	struct apply_member *member = find_member(apply, agent->name);
	if (!member || apply->phase != PHASE_STAGING ||
		(member->state != APPLY_STAGING && member->state != APPLY_STAGED))
		return;
	member->lost_ms = clock_now_ms();
	arm(apply, APPLY_LOOK_AGAIN_MS);
}

void apply_take_return(struct controller *controller, struct agent *agent)
{
	struct apply *apply = controller->apply;
	struct apply_member *member = find_member(apply, agent->name);
	if (!member || apply->phase != PHASE_STAGING || !member->lost_ms)
		return;
	member->lost_ms = 0;
	if (agent->boot != member->boot)
		refuse_gone(apply, member, "it was started again while it prepared");
	else
		holding_set(agent, member->state == APPLY_STAGED ? HOLDING_STAGED : HOLDING_STAGING,
			apply->number);
	check_staged(apply);
}

void apply_forget(struct controller *controller, const void *context)
{
	if (controller->apply && controller->apply->context == context)
		controller->apply->done = NULL;
}

static void ask(struct apply *apply, size_t index)
{
	const struct generation *next = apply->next;
	struct agent *agent = agents_find(apply->controller->agents, apply->members.items[index].name);
	if (agent && apply->members.items[index].state == APPLY_STAGING)
		holding_stage(apply->controller, agent, &next->gateways[index], next->number);
}

/* What a gateway lacks may be megabytes, which take a while to be found: one gateway in each turn of the loop, so that reports are
 * answered in between. Nobody waits for the last to be asked: who was asked answers meanwhile. */
static void on_turn(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval next_turn = {.tv_usec = 1};
	struct apply *apply = context;
	(void)fd;
	(void)what;
	if (apply->asked < apply->members.count)
		ask(apply, apply->asked++);
	if (apply->asked < apply->members.count) {
		evtimer_add(apply->turn, &next_turn);
		return;
	}
	preparation_begin(&apply->preparation, clock_now_ms());
	arm(apply, APPLY_LOOK_AGAIN_MS); /* somebody may have been lost meanwhile */
	check_staged(apply);
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
	fail(apply, 500);
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
		fail(apply, 409);
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
		fail(apply, 409);
		return false;
	}
	if (decisions_check(apply->controller->decisions, next->endpoints, next->endpoint_count, &err) >= 0)
		return true;
	lines_add(&apply->errors, "%s", err.text);
	fail(apply, 409);
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
		fail(apply, r == -ENOENT ? 404 : 422);
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
	on_turn(-1, 0, apply);
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
