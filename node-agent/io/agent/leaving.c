/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"

/* Not a standby: it serves, or has a part in a move that has not come to its end. */
static size_t count_duties(const struct agent *agent)
{
	size_t duties = 0;

	for (size_t i = 0; i < agent->seat_count; i++) {
		enum seat_role role = agent->seats[i]->seat.role;

		duties += role != SEAT_STANDBY && role != SEAT_FENCED;
	}
	return duties;
}

static void tell_change(struct agent *agent)
{
	size_t duties = count_duties(agent);

	if (!leave_is_leaving(&agent->leave)) {
		log_notice("agent", "staying");
		return;
	}
	log_notice("agent", "leaving", log_u64("endpoints", duties));
	if (duties)
		journal_add(&agent->journal, "leaving", NULL,
			"this host is about to go down: what is here moves to another gateway first");
}

static void tell_outcome(struct agent *agent)
{
	size_t duties = count_duties(agent);

	switch (agent->leave.outcome) {
	case LEAVE_RELIEVED:
		log_notice("agent", "left");
		return;
	case LEAVE_UNHEARD:
		log_warning("agent", "not-relieved", log_u64("endpoints", duties),
			log_text("why",
				"no controller can be reached; the pool will notice that this host is gone"));
		return;
	case LEAVE_LATE:
		log_warning("agent", "not-relieved", log_u64("endpoints", duties),
			log_text("why", "nobody took over in time"));
		return;
	}
}

static void act(struct agent *agent, unsigned actions)
{
	if (actions & LEAVE_ASK)
		logind_ask_host(agent->logind);
	if (actions & LEAVE_REPORT) {
		tell_change(agent);
		control_report_now(agent->control);
	}
	if (actions & LEAVE_HOLD)
		logind_hold(agent->logind);
	if (actions & LEAVE_LET_GO) {
		tell_outcome(agent);
		logind_let_go(agent->logind);
	}
	if (actions & LEAVE_EXIT)
		event_base_loopbreak(agent->base);
}

static void schedule(struct agent *agent)
{
	int64_t deadline_ms = leave_deadline(&agent->leave), now_ms = clock_now_ms();
	int64_t wait_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

	if (deadline_ms == INT64_MAX)
		event_del(agent->leave_timer);
	else
		event_add(agent->leave_timer, &wait);
}

static void step(struct agent *agent, const struct leave_event *event)
{
	act(agent, leave_step(&agent->leave, event, clock_now_ms()));
	schedule(agent);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	step(context, &(struct leave_event){.kind = LEAVE_EVENT_TICK});
}

static void on_host(void *context, bool going_down)
{
	step(context, &(struct leave_event){.kind = LEAVE_EVENT_HOST, .going_down = going_down});
}

static void on_answer(void *context, bool going_down)
{
	step(context, &(struct leave_event){.kind = LEAVE_EVENT_ANSWER, .going_down = going_down});
}

void leaving_look(struct agent *agent)
{
	if (!agent->leave_timer)
		return;
	step(agent, &(struct leave_event){.kind = LEAVE_EVENT_DUTY,
			    .duties = count_duties(agent),
			    .connected = control_is_connected(agent->control)});
}

void leaving_open(struct agent *agent)
{
	static const struct logind_ops ops = {.told = on_host, .answered = on_answer};

	leave_init(&agent->leave, clock_now_ms());
	agent->leave_timer = evtimer_new(agent->base, on_timer, agent);
	agent->logind = logind_new(agent->base, &ops, agent);
	leaving_look(agent);
}

void leaving_close(struct agent *agent)
{
	logind_free(agent->logind);
	if (agent->leave_timer)
		event_free(agent->leave_timer);
	agent->logind = NULL;
	agent->leave_timer = NULL; /* seats may still be stepped */
}

void agent_stop(struct agent *agent)
{
	if (agent->leave_timer)
		step(agent, &(struct leave_event){.kind = LEAVE_EVENT_STOP});
	else
		event_base_loopbreak(agent->base);
}
