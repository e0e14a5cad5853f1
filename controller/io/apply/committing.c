/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/apply/committing.h"

#include <event2/event.h>
#include <stdio.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "controller/io/apply/apply_int.h"
#include "controller/io/apply/confirming.h"
#include "controller/io/apply/holding.h"
#include "controller/io/apply/storing.h"
#include "controller/io/controller.h"

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
		apply_finish(apply, 200);
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
	apply_arm(apply, APPLY_COMMIT_MS);
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
	apply_fail(apply, 500);
}

void committing_store(struct apply *apply)
{
	apply->phase = PHASE_STORING;
	evtimer_del(apply->timer);
	struct store_confirmation *confirmation = &apply->confirmation;
	confirmation->deadline_ms = clock_wall_ms() + confirmation->given_ms;
	storing_start(
		apply->controller, apply->next, confirmation->given_ms ? confirmation : NULL, on_stored);
}

void apply_take_report(struct controller *controller, const struct agent *agent)
{
	struct apply *apply = controller->apply;
	struct apply_member *member = apply_member_of(apply, agent->name);
	if (!member || apply->phase != PHASE_COMMITTING || member->state != APPLY_PENDING ||
		!holding_is_current(controller, agent))
		return;
	member->state = APPLY_COMMITTED;
	check_committed(apply);
}
