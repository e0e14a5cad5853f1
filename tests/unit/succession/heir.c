/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/succession/heir.h"

#include <check.h>

#include "common/base/text.h"

enum { BEAT_MS = 50, DEAD_MS = 150 };

static void answer(struct heir *heir, enum succession_event_kind kind)
{
	heir_step(heir, (struct succession_event){.kind = kind, .at_ms = heir->now});
}

static void act(struct heir *heir, const struct succession_action *action)
{
	switch (action->kind) {
	case SUCCESSION_ACTION_ASK_LEADER:
		heir->asked_leader++;
		if (heir->tls)
			answer(heir, SUCCESSION_EVENT_LEADER);
		return;
	case SUCCESSION_ACTION_ASK_WITNESS:
		heir->asked_witness++;
		if (heir->witness)
			answer(heir, SUCCESSION_EVENT_EVIDENCE);
		return;
	case SUCCESSION_ACTION_PROBE:
		heir->probes++;
		if (heir->address)
			answer(heir, SUCCESSION_EVENT_ANSWERED);
		return;
	case SUCCESSION_ACTION_PERSIST:
		heir->persisted++;
		ck_assert_int_gt(epoch_compare(&action->epoch, &heir->claim), 0);
		if (!heir->disk)
			return;
		heir->claim = action->epoch;
		heir_step(heir, (struct succession_event){
					.kind = SUCCESSION_EVENT_PERSISTED, .epoch = action->epoch});
		return;
	case SUCCESSION_ACTION_TAKE:
		ck_assert_int_eq(epoch_compare(&action->epoch, &heir->claim), 0);
		heir->taken++;
		heir->taken_ms = heir->now;
		heir->last = *action;
		heir->view.highest = action->epoch;
		heir->view.ready = false;
		return;
	}
}

void heir_step(struct heir *heir, struct succession_event event)
{
	struct succession_actions actions = {0};

	event.view = heir->view;
	succession_step(&heir->succession, &event, heir->now, &actions);
	ck_assert_uint_le(actions.count, SUCCESSION_ACTIONS_MAX);
	for (size_t i = 0; i < actions.count; i++)
		act(heir, &actions.items[i]);
}

static void tick(struct heir *heir)
{
	for (unsigned spins = 0; succession_deadline(&heir->succession, &heir->view, heir->now) <= heir->now;
		spins++) {
		ck_assert_uint_lt(spins, 4); /* a deadline that has come is over once it was seen to */
		heir_step(heir, (struct succession_event){.kind = SUCCESSION_EVENT_TICK});
	}
}

void heir_hear(struct heir *heir, const char *from, enum seat_role role, struct epoch epoch)
{
	struct seat_state heard = {.role = role, .epoch = epoch};

	answer(heir, SUCCESSION_EVENT_EVIDENCE);
	heir_step(heir, (struct succession_event){.kind = SUCCESSION_EVENT_HEARD,
				.from = from,
				.heard = &heard,
				.leader_contact = heir->third_has_one,
				.generation = heir->third_generation});
}

static void beat(struct heir *heir)
{
	if (heir->controller)
		answer(heir, SUCCESSION_EVENT_LEADER);
	if (heir->third)
		heir_hear(heir, "gw-c", SEAT_STANDBY, (struct epoch){0});
}

void heir_pass(struct heir *heir, int64_t ms)
{
	for (int64_t end = heir->now + ms; heir->now < end;) {
		heir->now++;
		if (heir->now % BEAT_MS == 0)
			beat(heir);
		tick(heir);
	}
}

void heir_init_claimed(struct heir *heir, struct epoch claimed)
{
	struct succession_config config = {.gateway = "gw-b", .member_count = 3};

	config.timing = timing_from_interval(50);
	text_copy(config.members[0], sizeof(config.members[0]), "gw-a");
	text_copy(config.members[1], sizeof(config.members[1]), "gw-b");
	text_copy(config.members[2], sizeof(config.members[2]), "gw-c");
	*heir = (struct heir){.now = 50000,
		.controller = true,
		.tls = true,
		.witness = true,
		.third = true,
		.third_generation = GENERATION,
		.disk = true,
		.claim = claimed};
	heir->view = (struct succession_view){
		.highest = {.term = 7, .n = OWNER_EPOCH_N}, .generation = GENERATION, .ready = true};
	succession_init(&heir->succession, &config, &claimed, heir->now);
	heir_hear(heir, "gw-a", SEAT_SERVING, heir->view.highest);
	heir_pass(heir, 1000);
}

void heir_init(struct heir *heir)
{
	heir_init_claimed(heir, (struct epoch){0});
}

void heir_verdict(struct heir *heir, enum verdict_kind kind)
{
	heir_step(heir, (struct succession_event){.kind = SUCCESSION_EVENT_VERDICT,
				.from = "gw-a",
				.verdict = kind,
				.last_sign_ms = heir->now - DEAD_MS});
}

void heir_bury(struct heir *heir)
{
	heir_pass(heir, heir->succession.config.timing.suspect_ms);
	heir_verdict(heir, VERDICT_SUSPECT);
	heir_pass(heir, DEAD_MS - heir->succession.config.timing.suspect_ms);
	heir_verdict(heir, VERDICT_DEAD);
}
