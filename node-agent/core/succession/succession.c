/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/succession/succession.h"

#include "common/base/text.h"
#include "node-agent/core/succession/internal.h"

void succession_init(struct succession *succession, const struct succession_config *config,
	const struct epoch *claimed, int64_t now_ms)
{
	*succession = (struct succession){.owner = SIZE_MAX, .doubt_ms = now_ms};
	succession->claim = (struct succession_claim){
		.epoch = *claimed, .written_ms = SUCCESSION_NEVER, .used_ms = SUCCESSION_NEVER};
	pool_configure(succession, config);
	leader_reset(&succession->leader, now_ms);
	witness_reset(&succession->witness);
	address_reset(&succession->address, now_ms);
}

void succession_configure(struct succession *succession, const struct succession_config *config)
{
	pool_configure(succession, config);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static struct succession_action *act(struct succession_actions *actions, enum succession_action_kind kind)
{
	struct succession_action *action = &actions->items[actions->count++];

	*action = (struct succession_action){.kind = kind};
	return action;
}

/* From when on nothing but the epoch is missing; INT64_MAX: something is that only an event can bring. */
static int64_t open_ms(
	const struct succession *succession, const struct succession_view *view, int64_t now_ms)
{
	int64_t open_ms = later(leader_open_ms(&succession->leader), pool_open_ms(succession));

	open_ms = later(open_ms, witness_open_ms(&succession->witness, now_ms));
	open_ms = later(open_ms, address_open_ms(&succession->address));
	open_ms = later(open_ms, claim_open_ms(succession));
	if (open_ms == INT64_MAX)
		return INT64_MAX;
	return open_ms + pool_turn_ms(succession, view->generation, now_ms);
}

/* Anything to do with a succession at all? */
static bool is_concerned(const struct succession *succession, const struct succession_view *view)
{
	return view->ready && !view->frozen && pool_is_in_doubt(succession);
}

static uint32_t detect_ms(const struct succession_member *owner, int64_t now_ms)
{
	if (owner->last_sign_ms == SUCCESSION_NEVER || now_ms - owner->last_sign_ms > UINT32_MAX)
		return 0;
	return (uint32_t)(now_ms - owner->last_sign_ms);
}

static void take(struct succession *succession, int64_t now_ms, struct succession_actions *actions)
{
	const struct succession_member *owner = &succession->members[succession->owner];
	struct succession_action *action = act(actions, SUCCESSION_ACTION_TAKE);

	action->epoch = succession->claim.epoch;
	action->detect_ms = detect_ms(owner, now_ms);
	text_copy(action->from, sizeof(action->from), owner->name);
	claim_forgo(&succession->claim); /* it is used up, whatever comes of it */
	succession->claim.used_ms = now_ms;
}

/* What has to be known is asked for, all at the same time. */
static void inquire(struct succession *succession, int64_t now_ms, struct succession_actions *actions)
{
	if (now_ms >= leader_due_ms(succession)) {
		leader_asked(&succession->leader, now_ms);
		act(actions, SUCCESSION_ACTION_ASK_LEADER);
	}
	if (now_ms >= witness_due_ms(succession, now_ms)) {
		succession->witness.asked_ms = now_ms;
		act(actions, SUCCESSION_ACTION_ASK_WITNESS);
	}
	if (now_ms >= address_due_ms(succession)) {
		address_asked(&succession->address, now_ms);
		act(actions, SUCCESSION_ACTION_PROBE);
	}
}

static void claim(struct succession *succession, const struct epoch *highest, int64_t now_ms,
	struct succession_actions *actions)
{
	if (!pool_owner_is_gone(succession) || now_ms < claim_due_ms(succession, highest))
		return;
	claim_make(succession, highest, now_ms);
	act(actions, SUCCESSION_ACTION_PERSIST)->epoch = succession->claim.epoch;
}

static void consider(struct succession *succession, const struct succession_view *view, int64_t now_ms,
	struct succession_actions *actions)
{
	if (!is_concerned(succession, view))
		return;
	inquire(succession, now_ms, actions);
	claim(succession, &view->highest, now_ms, actions);
	if (pool_owner_is_gone(succession) && now_ms >= open_ms(succession, view, now_ms) &&
		claim_is_good(succession, &view->highest))
		take(succession, now_ms, actions);
}

static void on_event(struct succession *succession, const struct succession_event *event, int64_t now_ms)
{
	switch (event->kind) {
	case SUCCESSION_EVENT_TICK:
		return;
	case SUCCESSION_EVENT_LEADER:
		leader_hear(&succession->leader, event->at_ms, now_ms);
		return;
	case SUCCESSION_EVENT_HEARD:
		pool_hear(succession, event, now_ms);
		return;
	case SUCCESSION_EVENT_VERDICT:
		pool_judge(succession, event, now_ms);
		return;
	case SUCCESSION_EVENT_EVIDENCE:
		witness_hear(&succession->witness, event->at_ms, now_ms);
		return;
	case SUCCESSION_EVENT_ANSWERED:
		address_reset(&succession->address, now_ms + SUCCESSION_ALIVE_MS);
		return;
	case SUCCESSION_EVENT_PERSISTED:
		claim_persisted(&succession->claim, &event->epoch);
		return;
	case SUCCESSION_EVENT_STALLED:
		leader_reset(&succession->leader, now_ms);
		witness_reset(&succession->witness);
		address_reset(&succession->address, now_ms);
		return;
	}
}

void succession_step(struct succession *succession, const struct succession_event *event, int64_t now_ms,
	struct succession_actions *actions)
{
	on_event(succession, event, now_ms);
	consider(succession, &event->view, now_ms, actions);
}

int64_t succession_deadline(
	const struct succession *succession, const struct succession_view *view, int64_t now_ms)
{
	int64_t deadline_ms = INT64_MAX;

	if (!is_concerned(succession, view))
		return INT64_MAX;
	deadline_ms = sooner(deadline_ms, leader_due_ms(succession));
	deadline_ms = sooner(deadline_ms, witness_due_ms(succession, now_ms));
	deadline_ms = sooner(deadline_ms, address_due_ms(succession));
	if (!pool_owner_is_gone(succession))
		return deadline_ms;
	deadline_ms = sooner(deadline_ms, claim_due_ms(succession, &view->highest));
	if (claim_is_good(succession, &view->highest))
		deadline_ms = sooner(deadline_ms, open_ms(succession, view, now_ms));
	return deadline_ms;
}
