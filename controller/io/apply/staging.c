/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/apply/staging.h"

#include <event2/event.h>
#include <stdio.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "controller/io/apply/apply_int.h"
#include "controller/io/apply/committing.h"
#include "controller/io/apply/holding.h"
#include "controller/io/controller.h"

enum { APPLY_LOOK_AGAIN_MS = 200 };

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
		apply_fail(apply, 409);
	else
		committing_store(apply);
}

static void ask(struct apply *apply, size_t index)
{
	const struct generation *next = apply->next;
	struct agent *agent = agents_find(apply->controller->agents, apply->members.items[index].name);
	if (agent && apply->members.items[index].state == APPLY_STAGING)
		holding_stage(apply->controller, agent, &next->gateways[index], next->number);
}

void staging_ask_next(struct apply *apply)
{
	static const struct timeval next_turn = {.tv_usec = 1};
	if (apply->asked < apply->members.count)
		ask(apply, apply->asked++);
	if (apply->asked < apply->members.count) {
		evtimer_add(apply->turn, &next_turn);
		return;
	}
	preparation_begin(&apply->preparation, clock_now_ms());
	apply_arm(apply, APPLY_LOOK_AGAIN_MS); /* somebody may have been lost meanwhile */
	check_staged(apply);
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
static void give_up(struct apply *apply)
{
	int64_t now_ms = clock_now_ms();
	bool any_takes_in = members_any_takes_in(&apply->members, apply->controller->agents, now_ms);
	refuse_lost(apply, any_takes_in, now_ms);
	refuse_late(apply, any_takes_in, now_ms);
}

void staging_lose_patience(struct apply *apply)
{
	if (all_are_asked(apply))
		give_up(apply);
	apply_arm(apply, APPLY_LOOK_AGAIN_MS);
	check_staged(apply);
}

bool apply_take_answer(struct controller *controller, struct agent *agent, const struct staged *staged)
{
	struct apply *apply = controller->apply;
	struct apply_member *member = apply_member_of(apply, agent->name);
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

/* A connection breaks for less than a gateway's death: it may come back, and goes on then with what it was asked. */
void apply_take_loss(struct controller *controller, const struct agent *agent)
{
	struct apply *apply = controller->apply;
	struct apply_member *member = apply_member_of(apply, agent->name);
	if (!member || apply->phase != PHASE_STAGING ||
		(member->state != APPLY_STAGING && member->state != APPLY_STAGED))
		return;
	member->lost_ms = clock_now_ms();
	apply_arm(apply, APPLY_LOOK_AGAIN_MS);
}

void apply_take_return(struct controller *controller, struct agent *agent)
{
	struct apply *apply = controller->apply;
	struct apply_member *member = apply_member_of(apply, agent->name);
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
