/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/drill/drill.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/json/write.h"
#include "controller/io/api/standby.h"
#include "controller/io/controller.h"
#include "controller/io/drill/leg.h"

enum {
	BEFORE_MS = 700,   /* pings before the move: who answers at all? */
	AFTER_MS = 3500,   /* and after it, until the old owner has settled, which takes it 3 s */
	COLLECT_MS = 3000, /* for the results */
	PINGS_MS = 30000,  /* should nobody end them: a move is given up after 15 s */
	LEGS = 2,          /* there and back */
};

enum drill_step { STEP_BEFORE, STEP_MOVE, STEP_AFTER, STEP_COLLECT };

struct drill {
	struct controller *controller;
	char endpoint[PROTO_NAME_MAX + 1];
	enum drill_step step;
	size_t leg;
	struct leg legs[LEGS];
	struct event *timer;
	struct wish *wish;
	int64_t moved_ms; /* when the move began */
	drill_done *done; /* NULL: nobody waits */
	void *context;
};

static struct leg *leg_of(struct drill *drill)
{
	return &drill->legs[drill->leg];
}

static void wait_for(struct drill *drill, enum drill_step step, int64_t ms)
{
	drill->step = step;
	event_add(drill->timer, &(struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000});
}

/* ---- the gateways ---- */

static void tell_members(struct drill *drill, uint32_t for_ms)
{
	const struct ownership *ownership = decisions_find(drill->controller->decisions, drill->endpoint);
	struct instruction instruction = {.kind = INSTRUCTION_DRILL};
	instruction.drill = (struct drill_order){.id = leg_of(drill)->id, .for_ms = for_ms};
	text_copy(instruction.drill.endpoint, sizeof instruction.drill.endpoint, drill->endpoint);
	for (size_t i = 0; ownership && i < ownership->config.member_count; i++) {
		struct agent *agent = agents_find(drill->controller->agents, ownership->config.members[i]);
		struct instruction copy = instruction;
		if (agent && agent->connected)
			agent_post(agent, &copy);
	}
}

static bool all_have_told(struct drill *drill)
{
	const struct ownership *ownership = decisions_find(drill->controller->decisions, drill->endpoint);
	if (!leg_of(drill)->failure[0] && !leg_knows_sessions(leg_of(drill)))
		return false;
	for (size_t i = 0; ownership && i < ownership->config.member_count; i++) {
		const char *name = ownership->config.members[i];
		const struct agent *agent = agents_find(drill->controller->agents, name);
		if (agent && agent->connected && !leg_has_told(leg_of(drill), name))
			return false;
	}
	return true;
}

/* ---- the result ---- */

static bool is_home(const struct drill *drill)
{
	const struct ownership *ownership = decisions_find(drill->controller->decisions, drill->endpoint);
	return ownership && decisions_owns(drill->controller->decisions, ownership, drill->legs[0].from);
}

static bool is_clean(const struct drill *drill)
{
	return is_home(drill) && leg_is_clean(&drill->legs[0]) && drill->legs[1].id &&
	       leg_is_clean(&drill->legs[1]);
}

static char *result_text(const struct drill *drill)
{
	json_t *json = json_object(), *moves;
	jput_text(json, "endpoint", drill->endpoint);
	jput_bool(json, "returned", is_home(drill));
	jput_bool(json, "clean", is_clean(drill));
	moves = jput_array(json, "moves");
	for (size_t i = 0; i < LEGS; i++)
		if (drill->legs[i].id)
			leg_put(jput_object(moves, NULL), &drill->legs[i], drill->endpoint);
	char *text = json_compact(json, NULL);
	json_decref(json);
	return text;
}

static void tell_event(const struct drill *drill)
{
	struct leg_sum there = leg_sum(&drill->legs[0]), back = leg_sum(&drill->legs[1]);
	char text[256];
	snprintf(text, sizeof text, "drill of %s: to %s and %s, %" PRIu64 " of %" PRIu64 " pings lost%s",
		drill->endpoint, drill->legs[0].to, is_home(drill) ? "back" : "not back",
		there.lost + back.lost, there.sent + back.sent, is_clean(drill) ? "" : ": not clean");
	log_notice("drill", "over", log_text("endpoint", drill->endpoint), log_bool("clean", is_clean(drill)),
		log_u64("sent", there.sent + back.sent), log_u64("lost", there.lost + back.lost));
	journal_add(drill->controller->journal,
		&(struct journal_entry){.event = "drill", .text = text, .endpoint = drill->endpoint});
}

static void conclude(struct drill *drill)
{
	tell_event(drill);
	drill->controller->drill = NULL;
	if (drill->done)
		drill->done(result_text(drill), is_clean(drill), drill->context);
	drill_free(drill);
}

/* ---- step by step ---- */

static void begin_leg(struct drill *drill, const char *from, const char *to)
{
	leg_begin(leg_of(drill), clock_boot_id(), from, to);
	tell_members(drill, PINGS_MS);
	wait_for(drill, STEP_BEFORE, BEFORE_MS);
}

static void end_pings(struct drill *drill)
{
	tell_members(drill, 0);
	wait_for(drill, STEP_COLLECT, COLLECT_MS);
}

static void fail(struct drill *drill, const char *why)
{
	text_copy(leg_of(drill)->failure, sizeof leg_of(drill)->failure, why);
	end_pings(drill);
}

static void on_moved(int r, const char *text, void *context)
{
	struct drill *drill = context;
	const struct ownership *ownership = decisions_find(drill->controller->decisions, drill->endpoint);
	drill->wish = NULL;
	if (r < 0 || !ownership) {
		fail(drill, text);
		return;
	}
	leg_of(drill)->took_ms = clock_now_ms() - drill->moved_ms;
	leg_of(drill)->epoch = ownership->epoch;
	wait_for(drill, STEP_AFTER, AFTER_MS);
}

static void move(struct drill *drill)
{
	struct err err = {0};
	drill->step = STEP_MOVE;
	drill->moved_ms = clock_now_ms();
	if (decisions_move(drill->controller->decisions, drill->endpoint, leg_of(drill)->to, on_moved, drill,
		    &drill->wish, &err) < 0)
		fail(drill, err.text);
}

static void end_leg(struct drill *drill)
{
	const struct leg *there = &drill->legs[0];
	evtimer_del(drill->timer);
	if (drill->leg + 1 == LEGS || is_home(drill)) {
		conclude(drill);
		return;
	}
	drill->leg++;
	begin_leg(drill, there->to, there->from);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct drill *drill = context;
	(void)fd;
	(void)what;
	switch (drill->step) {
	case STEP_BEFORE:
		move(drill);
		return;
	case STEP_MOVE:
		return;
	case STEP_AFTER:
		end_pings(drill);
		return;
	case STEP_COLLECT:
		end_leg(drill);
		return;
	}
}

void drill_take_report(struct controller *controller, const char *gateway, const struct report *report)
{
	struct drill *drill = controller->drill;
	if (!drill)
		return;
	struct leg *leg = leg_of(drill);
	bool over = strcmp(gateway, leg->to) == 0 &&
		    strcmp(report->takeover.endpoint, drill->endpoint) == 0 && report->takeover.over;
	if (over)
		leg->takeover = report->takeover;
	if ((leg_take(leg, gateway, &report->drill) || over) && drill->step == STEP_COLLECT &&
		all_have_told(drill))
		end_leg(drill);
}

/* ---- beginning ---- */

static int choose(const struct controller *controller, const struct ownership *ownership, const char *to,
	size_t *ret_member, struct err *err)
{
	const char *why = "nobody else is in its pool";
	if (ownership_find(ownership, to) == ownership->owner)
		return err_set(err, -EBUSY, "%s owns %s already", to, ownership->config.name);
	char reason[PROTO_REASON_MAX + 1];
	for (size_t i = 0; i < ownership->config.member_count; i++) {
		struct standby standby;
		if (i == ownership->owner || (*to && strcmp(to, ownership->config.members[i]) != 0))
			continue;
		standby_look(controller, ownership, i, &standby);
		if (standby.ready) {
			*ret_member = i;
			return 0;
		}
		standby_why(&standby, reason);
		why = reason;
	}
	return err_set(err, -EBUSY, "%s: nobody is ready to take it over: %s", ownership->config.name, why);
}

static int check(const struct controller *controller, const struct ownership *ownership, struct err *err)
{
	const char *name = ownership->config.name;
	if (controller->drill)
		return err_set(err, -EBUSY, "a drill of %s is going on", controller->drill->endpoint);
	if (decisions_is_frozen(controller->decisions))
		return err_set(err, -EBUSY, "moves are frozen, and a drill moves: holdfast thaw");
	if (ownership->owner == OWNERSHIP_NOBODY || ownership->phase != OWNERSHIP_STABLE)
		return err_set(err, -EBUSY, "%s is %s: a drill needs an owner that serves", name,
			ownership_phase_name(ownership->phase));
	return 0;
}

int drill_start(struct controller *controller, const char *endpoint, const char *to, drill_done *done,
	void *context, struct err *err)
{
	const struct ownership *ownership = decisions_find(controller->decisions, endpoint);
	size_t member = 0;
	if (!ownership)
		return err_set(err, -ENOENT, "no endpoint \"%s\" in the fleet", endpoint);
	if (*to && ownership_find(ownership, to) == OWNERSHIP_NOBODY)
		return err_set(err, -ENOENT, "%s is not a gateway of %s", to, endpoint);
	int r = check(controller, ownership, err);
	if (r >= 0)
		r = choose(controller, ownership, to, &member, err);
	if (r < 0)
		return r;
	struct drill *drill = controller->drill = mem_new(1, sizeof *drill);
	drill->controller = controller;
	drill->done = done;
	drill->context = context;
	drill->timer = evtimer_new(controller->base, on_timer, drill);
	text_copy(drill->endpoint, sizeof drill->endpoint, endpoint);
	begin_leg(drill, ownership->config.members[ownership->owner], ownership->config.members[member]);
	return 0;
}

void drill_forget_asker(struct drill *drill)
{
	drill->done = NULL;
}

void drill_free(struct drill *drill)
{
	if (!drill)
		return;
	if (drill->wish)
		wish_cancel(drill->wish);
	for (size_t i = 0; i < LEGS; i++)
		leg_clear(&drill->legs[i]);
	event_free(drill->timer);
	free(drill);
}
