/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cluster/verdict.h"

#include "common/cluster/deadline.h"
#include "common/cluster/finding.h"

void verdict_init(struct verdict *verdict, const struct timing *timing, int64_t now_ms)
{
	*verdict = (struct verdict){
		.timing = *timing,
		.kind = VERDICT_UNKNOWN,
		.since_ms = now_ms,
		.started_ms = now_ms,
		.heard_ms = VERDICT_NEVER,
		.told_ms = VERDICT_NEVER,
		.tls_ms = VERDICT_NEVER,
		.suspected_ms = VERDICT_NEVER,
		.recheck_ms = INT64_MAX,
	};
	burst_reset(&verdict->burst);
}

static void act(struct verdict_actions *actions, enum verdict_action_kind kind, uint32_t count)
{
	if (actions->count < VERDICT_ACTIONS_MAX)
		actions->items[actions->count++] = (struct verdict_action){kind, count};
}

static void act_probes(struct verdict *verdict, const struct verdict_view *view, int64_t now_ms,
	struct verdict_actions *actions)
{
	uint32_t due = burst_due(&verdict->burst, &verdict->timing, view->wait_ms, view->probes, now_ms);

	if (due > 0) {
		act(actions, VERDICT_ACTION_PROBE, due);
		act(actions, VERDICT_ACTION_KERNEL_PROBE, due);
	}
}

static void become(struct verdict *verdict, enum verdict_kind kind, bool blocked, int64_t now_ms,
	struct verdict_actions *actions)
{
	bool news = verdict->kind != kind || verdict->blocked != blocked;

	if (verdict->kind != kind)
		verdict->since_ms = now_ms;
	verdict->kind = kind;
	verdict->blocked = blocked;
	if (news)
		act(actions, VERDICT_ACTION_CHANGED, 0);
}

static void become_alive(struct verdict *verdict, int64_t now_ms, struct verdict_actions *actions)
{
	verdict->rounds = 0;
	verdict->by_others = !finding_is_recent(verdict, verdict->heard_ms, now_ms);
	/* By others, or by a word of its own that came late: whichever was the last. */
	verdict->recheck_ms = verdict->by_others ? verdict_last_sign_ms(verdict) +
							   2 * (int64_t)verdict->timing.suspect_ms
						 : INT64_MAX;
	become(verdict, VERDICT_ALIVE, false, now_ms, actions);
}

static void become_blocked(struct verdict *verdict, int64_t now_ms, struct verdict_actions *actions)
{
	verdict->by_others = false;
	verdict->rounds = 0;
	verdict->recheck_ms = verdict->tls_ms + verdict->timing.tls_ms;
	become(verdict, VERDICT_ALIVE, true, now_ms, actions);
}

/* Call everyone and probe. The kind stays as it is: the caller says whether this is a suspicion. */
static void begin_burst(struct verdict *verdict, const struct verdict_view *view, int64_t now_ms,
	struct verdict_actions *actions)
{
	burst_begin(&verdict->burst, &verdict->timing, view->observers == 0, now_ms);
	verdict->recheck_ms = INT64_MAX;
	act(actions, VERDICT_ACTION_CALL, 0);
	act_probes(verdict, view, now_ms, actions);
}

static void suspect(struct verdict *verdict, const struct verdict_view *view, int64_t now_ms,
	struct verdict_actions *actions)
{
	verdict->suspected_ms = now_ms;
	become(verdict, VERDICT_SUSPECT, false, now_ms, actions);
	if (!verdict->burst.running)
		begin_burst(verdict, view, now_ms, actions);
}

static void condemn(struct verdict *verdict, const struct verdict_view *view, int64_t now_ms,
	struct verdict_actions *actions)
{
	enum verdict_kind kind = finding_judge(verdict, view);

	verdict->rounds = 0;
	if (kind != VERDICT_BLIND)
		verdict->by_others = false;
	verdict->recheck_ms = now_ms + deadline_recheck_ms(verdict, kind);
	become(verdict, kind, false, now_ms, actions);
}

/* Nobody has answered, and the time for it is over. */
static void conclude(struct verdict *verdict, const struct verdict_view *view, int64_t now_ms,
	struct verdict_actions *actions)
{
	burst_end(&verdict->burst, now_ms);
	act(actions, VERDICT_ACTION_RESULT, 0);
	if (finding_is_since(verdict_last_sign_ms(verdict), verdict->burst.began_ms))
		become_alive(verdict, now_ms, actions);
	else if (finding_is_heard_by_tls(verdict, now_ms))
		become_blocked(verdict, now_ms, actions);
	else
		condemn(verdict, view, now_ms, actions);
}

static void continue_burst(struct verdict *verdict, const struct verdict_view *view, int64_t now_ms,
	struct verdict_actions *actions)
{
	act_probes(verdict, view, now_ms, actions);
	if (now_ms < deadline_conclusion_ms(verdict))
		return;
	if (finding_is_unheeded(verdict, view)) {
		verdict->rounds++;
		act(actions, VERDICT_ACTION_RESULT, 0);
		begin_burst(verdict, view, now_ms, actions);
		return;
	}
	if (verdict->burst.waited || finding_is_conclusive(verdict)) {
		conclude(verdict, view, now_ms, actions);
		return;
	}
	if (burst_go_on_alone(&verdict->burst, &verdict->timing, now_ms)) {
		/* The others wait for my word as I do for theirs. */
		act(actions, VERDICT_ACTION_CALL, 0);
		act(actions, VERDICT_ACTION_RESULT, 0);
		act_probes(verdict, view, now_ms, actions);
	} else {
		conclude(verdict, view, now_ms, actions);
	}
}

static void on_tick(struct verdict *verdict, const struct verdict_view *view, int64_t now_ms,
	struct verdict_actions *actions)
{
	if (now_ms >= deadline_suspicion_ms(verdict))
		suspect(verdict, view, now_ms, actions);
	else if (!verdict->burst.running && now_ms >= verdict->recheck_ms)
		begin_burst(verdict, view, now_ms, actions);
	if (verdict->burst.running)
		continue_burst(verdict, view, now_ms, actions);
}

/* It has lived through a silence that ends at at_ms. */
static void note_silence(
	struct verdict *verdict, const struct verdict_view *view, int64_t at_ms, int64_t now_ms)
{
	int64_t sign_ms = verdict_last_sign_ms(verdict);
	int64_t least_ms = (int64_t)verdict->timing.window_ms - verdict->timing.wait_ms;

	if (sign_ms != VERDICT_NEVER && at_ms - sign_ms >= least_ms &&
		finding_is_silent_for_all(verdict, view))
		patience_note(&verdict->patience, at_ms - sign_ms, now_ms);
}

static void on_heard(struct verdict *verdict, const struct verdict_event *event, int64_t now_ms,
	struct verdict_actions *actions)
{
	int64_t at_ms = event->at_ms;

	note_silence(verdict, &event->view, at_ms, now_ms);
	if (at_ms > verdict->heard_ms)
		verdict->heard_ms = at_ms;
	if (!finding_is_recent(verdict, verdict->heard_ms, now_ms))
		return;
	if (verdict->burst.running && finding_is_since(at_ms, verdict->burst.began_ms)) {
		verdict->burst.agent_answered = true;
		burst_end(&verdict->burst, now_ms);
		act(actions, VERDICT_ACTION_RESULT, 0);
	} else if (verdict->burst.running && verdict->kind == VERDICT_SUSPECT) {
		burst_end(&verdict->burst, now_ms); /* it had arrived before I suspected anything */
	}
	become_alive(verdict, now_ms, actions);
}

/* One that I hear well, or have given up, is probed for whoever calls; but calls must not echo to and fro. */
static bool is_call(const struct verdict *verdict, const struct verdict_event *event, int64_t now_ms)
{
	if (event->report.burst_done || event->report.agent_answered || verdict->burst.running)
		return false;
	if (event->report.silent_ms < verdict->timing.suspect_ms || verdict->kind == VERDICT_UNKNOWN)
		return false;
	return verdict->burst.ended_ms == VERDICT_NEVER ||
	       now_ms - verdict->burst.ended_ms >= verdict->timing.contact_ms - verdict->timing.suspect_ms;
}

static void note_told(struct verdict *verdict, const struct verdict_event *event, int64_t now_ms)
{
	if (event->report.silent_ms == UINT32_MAX)
		return;
	int64_t told_ms = now_ms - event->report.silent_ms;
	note_silence(verdict, &event->view, told_ms, now_ms);
	if (told_ms > verdict->told_ms)
		verdict->told_ms = told_ms;
}

static void note_result(struct verdict *verdict, const struct verdict_event *event)
{
	uint64_t bit = UINT64_C(1) << (event->report.observer & 63);

	if (!verdict->burst.running)
		return;
	if (event->report.burst_done) /* a call is no word: the one that matters may be lost yet */
		verdict->burst.reported |= bit;
	if (event->report.kernel_answered)
		verdict->burst.kernel_told |= bit;
	if (event->report.burst_done && !event->report.agent_answered && !event->report.blind)
		verdict->burst.confirmed |= bit;
}

static void on_report(struct verdict *verdict, const struct verdict_event *event, int64_t now_ms,
	struct verdict_actions *actions)
{
	note_told(verdict, event, now_ms);
	note_result(verdict, event);
	bool running = verdict->burst.running;
	bool heard_by_others = running ? finding_is_since(verdict->told_ms, verdict->burst.began_ms)
				       : finding_is_recent(verdict, verdict->told_ms, now_ms);

	if (heard_by_others && !finding_is_recent(verdict, verdict->heard_ms, now_ms)) {
		burst_end(&verdict->burst, now_ms);
		become_alive(verdict, now_ms, actions);
	} else if (is_call(verdict, event, now_ms)) {
		begin_burst(verdict, &event->view, now_ms, actions);
	}
	if (verdict->burst.running)
		continue_burst(verdict, &event->view, now_ms, actions);
}

static void on_tls(struct verdict *verdict, int64_t now_ms, struct verdict_actions *actions)
{
	verdict->tls_ms = now_ms;
	switch (verdict->kind) {
	case VERDICT_AGENT_DOWN:
	case VERDICT_DEAD:
	case VERDICT_BLIND:
		burst_end(&verdict->burst, now_ms);
		become_blocked(verdict, now_ms, actions);
		return;
	case VERDICT_ALIVE:
		if (verdict->blocked)
			become_blocked(verdict, now_ms, actions);
		return;
	case VERDICT_UNKNOWN:
	case VERDICT_SUSPECT:
		return; /* counted when the burst is over */
	}
}

static void on_lagged(struct verdict *verdict, const struct verdict_view *view, int64_t now_ms,
	struct verdict_actions *actions)
{
	if (!verdict->burst.running)
		return;
	burst_begin(&verdict->burst, &verdict->timing, view->observers == 0, now_ms);
	act_probes(verdict, view, now_ms, actions);
}

void verdict_step(struct verdict *verdict, const struct verdict_event *event, int64_t now_ms,
	struct verdict_actions *actions)
{
	switch (event->kind) {
	case VERDICT_EVENT_TICK:
		on_tick(verdict, &event->view, now_ms, actions);
		return;
	case VERDICT_EVENT_HEARD:
		on_heard(verdict, event, now_ms, actions);
		return;
	case VERDICT_EVENT_KERNEL:
		verdict->burst.kernel_answered = verdict->burst.running;
		return;
	case VERDICT_EVENT_REPORT:
		on_report(verdict, event, now_ms, actions);
		return;
	case VERDICT_EVENT_TLS:
		on_tls(verdict, now_ms, actions);
		return;
	case VERDICT_EVENT_LAGGED:
		on_lagged(verdict, &event->view, now_ms, actions);
		return;
	}
}

void verdict_report(const struct verdict *verdict, bool result, bool blind, int64_t now_ms,
	struct datagram_silence *ret_silence)
{
	int64_t silent_ms = verdict->heard_ms == VERDICT_NEVER ? INT64_MAX : now_ms - verdict->heard_ms;

	if (silent_ms < 0)
		silent_ms = 0;
	ret_silence->silent_ms = silent_ms < UINT32_MAX ? (uint32_t)silent_ms : UINT32_MAX;
	ret_silence->burst_done = result;
	ret_silence->agent_answered = verdict->burst.agent_answered;
	/* whom it answered does not matter: who has lost all answers must not take this for a confirmation */
	ret_silence->kernel_answered = verdict->burst.kernel_answered || verdict->burst.kernel_told != 0;
	ret_silence->blind = blind;
}

const char *verdict_kind_name(enum verdict_kind kind)
{
	switch (kind) {
	case VERDICT_UNKNOWN:
		return "unknown";
	case VERDICT_ALIVE:
		return "alive";
	case VERDICT_SUSPECT:
		return "suspect";
	case VERDICT_AGENT_DOWN:
		return "agent-down";
	case VERDICT_DEAD:
		return "dead";
	case VERDICT_BLIND:
		return "blind";
	}
	return "unknown";
}
