/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/leave/leave.h"

void leave_init(struct leave *leave, int64_t now_ms)
{
	*leave = (struct leave){.alone_ms = now_ms, .deadline_ms = INT64_MAX};
}

static unsigned enter(struct leave *leave, enum leave_phase phase, int64_t deadline_ms)
{
	bool before = leave_is_leaving(leave);

	leave->phase = phase;
	leave->deadline_ms = deadline_ms;
	return leave_is_leaving(leave) != before ? LEAVE_REPORT : 0;
}

static unsigned hear_host(struct leave *leave, bool going_down, int64_t now_ms)
{
	unsigned actions;

	if (going_down == leave_is_leaving(leave))
		return 0;
	if (going_down)
		return enter(leave, LEAVE_LEAVING, now_ms + LEAVE_MAX_MS);
	actions = leave->phase == LEAVE_LEFT ? LEAVE_HOLD : 0;
	actions |= enter(leave, LEAVE_STAYING, INT64_MAX);
	return leave->stopping ? actions | LEAVE_EXIT : actions;
}

/* It may come late: whatever else was heard since then counts. */
static unsigned hear_answer(struct leave *leave, bool going_down, int64_t now_ms)
{
	if (leave->phase != LEAVE_ASKING)
		return 0;
	if (going_down)
		return enter(leave, LEAVE_LEAVING, now_ms + LEAVE_MAX_MS);
	enter(leave, LEAVE_STAYING, INT64_MAX);
	return LEAVE_EXIT;
}

/* Asked again while it waits, it waits no longer. */
static unsigned stop(struct leave *leave, int64_t now_ms)
{
	if (leave->stopping || leave->phase == LEAVE_LEFT)
		return LEAVE_EXIT;
	leave->stopping = true;
	if (leave->phase == LEAVE_LEAVING)
		return 0;
	enter(leave, LEAVE_ASKING, now_ms + LEAVE_ASK_MS);
	return LEAVE_ASK;
}

static void hear_duty(struct leave *leave, const struct leave_event *event, int64_t now_ms)
{
	leave->duties = event->duties;
	if (event->connected)
		leave->alone_ms = INT64_MAX;
	else if (leave->connected)
		leave->alone_ms = now_ms;
	leave->connected = event->connected;
}

static bool is_alone(const struct leave *leave, int64_t now_ms)
{
	return !leave->connected && now_ms - leave->alone_ms >= LEAVE_ALONE_MS;
}

static unsigned let_go(struct leave *leave, enum leave_outcome outcome)
{
	leave->outcome = outcome;
	enter(leave, LEAVE_LEFT, INT64_MAX);
	return leave->stopping ? LEAVE_LET_GO | LEAVE_EXIT : LEAVE_LET_GO;
}

/* Is there anything to wait for? */
static unsigned consider(struct leave *leave, int64_t now_ms)
{
	if (leave->phase == LEAVE_ASKING && now_ms >= leave->deadline_ms) {
		enter(leave, LEAVE_STAYING, INT64_MAX);
		return LEAVE_EXIT;
	}
	if (leave->phase != LEAVE_LEAVING)
		return 0;
	if (leave->duties == 0)
		return let_go(leave, LEAVE_RELIEVED);
	if (is_alone(leave, now_ms))
		return let_go(leave, LEAVE_UNHEARD);
	return now_ms >= leave->deadline_ms ? let_go(leave, LEAVE_LATE) : 0;
}

unsigned leave_step(struct leave *leave, const struct leave_event *event, int64_t now_ms)
{
	unsigned actions = 0;

	switch (event->kind) {
	case LEAVE_EVENT_TICK:
		break;
	case LEAVE_EVENT_HOST:
		actions = hear_host(leave, event->going_down, now_ms);
		break;
	case LEAVE_EVENT_ANSWER:
		actions = hear_answer(leave, event->going_down, now_ms);
		break;
	case LEAVE_EVENT_STOP:
		actions = stop(leave, now_ms);
		break;
	case LEAVE_EVENT_DUTY:
		hear_duty(leave, event, now_ms);
		break;
	}
	return actions | consider(leave, now_ms);
}

int64_t leave_deadline(const struct leave *leave)
{
	int64_t alone_until_ms;

	if (leave->phase != LEAVE_LEAVING || leave->connected)
		return leave->deadline_ms;
	alone_until_ms = leave->alone_ms + LEAVE_ALONE_MS;
	return alone_until_ms < leave->deadline_ms ? alone_until_ms : leave->deadline_ms;
}

bool leave_is_leaving(const struct leave *leave)
{
	return leave->phase == LEAVE_LEAVING || leave->phase == LEAVE_LEFT;
}
