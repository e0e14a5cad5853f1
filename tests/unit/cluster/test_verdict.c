/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/cluster/budget.h"
#include "common/cluster/verdict.h"

/* One watcher under a virtual clock. Somebody else is always heard, unless a test says otherwise. */
static struct verdict verdict;
static struct verdict_view view;
static bool others_heard;
static int64_t now;
static uint32_t calls, probes, kernel_probes, results, changes;

static void setup(void)
{
	struct timing timing = timing_from_interval(50);

	now = 10000;
	calls = probes = kernel_probes = results = changes = 0;
	others_heard = true;
	view = (struct verdict_view){.observers = 1, .silent = 1, .watched = 2, .probes = BUDGET_PROBES};
	verdict_init(&verdict, &timing, now);
}

static void step(struct verdict_event event)
{
	struct verdict_actions actions = {0};

	event.view = view;
	event.view.other_heard_ms = others_heard ? now : VERDICT_NEVER;
	verdict_step(&verdict, &event, now, &actions);
	for (size_t i = 0; i < actions.count; i++) {
		calls += actions.items[i].kind == VERDICT_ACTION_CALL;
		results += actions.items[i].kind == VERDICT_ACTION_RESULT;
		changes += actions.items[i].kind == VERDICT_ACTION_CHANGED;
		if (actions.items[i].kind == VERDICT_ACTION_PROBE)
			probes += actions.items[i].count;
		if (actions.items[i].kind == VERDICT_ACTION_KERNEL_PROBE)
			kernel_probes += actions.items[i].count;
	}
}

static void heard(void)
{
	step((struct verdict_event){.kind = VERDICT_EVENT_HEARD, .at_ms = now});
}

static void run_until(int64_t until)
{
	while (verdict_deadline(&verdict) <= until) {
		if (verdict_deadline(&verdict) > now)
			now = verdict_deadline(&verdict);
		step((struct verdict_event){.kind = VERDICT_EVENT_TICK});
	}
	now = until;
}

static void report(size_t observer, uint32_t silent_ms, bool done, bool answered, bool kernel)
{
	struct verdict_event event = {.kind = VERDICT_EVENT_REPORT};

	event.report.observer = observer;
	event.report.silent_ms = silent_ms;
	event.report.burst_done = done;
	event.report.agent_answered = answered;
	event.report.kernel_answered = kernel;
	step(event);
}

/* Heard at `now`, then silent until the suspicion. */
static int64_t fall_silent(void)
{
	heard();
	int64_t last = now;
	run_until(last + 110);
	return last;
}

START_TEST(test_hearing_is_life)
{
	ck_assert_int_eq(verdict.kind, VERDICT_UNKNOWN);
	heard();
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	ck_assert_uint_eq(changes, 1);
	for (int i = 0; i < 100; i++) {
		run_until(now + 100);
		heard();
	}
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	ck_assert_uint_eq(probes + calls + results, 0);
}
END_TEST

START_TEST(test_suspects_at_110_ms_of_silence)
{
	heard();
	int64_t last = now;
	run_until(last + 109);
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	run_until(last + 110);
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	ck_assert_uint_eq(calls, 1);
	ck_assert_uint_eq(probes, 1);
	ck_assert_uint_eq(kernel_probes, 1);
}
END_TEST

START_TEST(test_dead_when_another_confirms)
{
	int64_t last = fall_silent();

	run_until(last + 140);
	report(3, 140, true, false, false);
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	run_until(last + 158);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
	ck_assert_uint_eq(probes, 8);
	ck_assert_uint_eq(kernel_probes, 8);
	ck_assert_uint_eq(results, 1);
	ck_assert_int_eq(verdict_last_sign_ms(&verdict), last);
}
END_TEST

START_TEST(test_a_confirmation_that_comes_late_is_not_waited_for_twice)
{
	int64_t last = fall_silent();

	run_until(last + 158);
	ck_assert_uint_eq(results, 1); /* the other waits for mine, too */
	run_until(last + 160);
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	report(3, 160, true, false, false);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
	ck_assert_int_eq(now, last + 160);
}
END_TEST

START_TEST(test_unconfirmed_needs_sixteen_probes)
{
	int64_t last = fall_silent();
	struct verdict_event event = {.kind = VERDICT_EVENT_REPORT};

	event.report.observer = 3;
	event.report.silent_ms = 100;
	event.report.burst_done = true;
	event.report.blind = true; /* it cannot tell */
	step(event);
	run_until(last + 110 + 48 + 28 + 25 - 1);
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	run_until(now + 1);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
	ck_assert_uint_eq(probes, 16);
	ck_assert_uint_eq(calls, 2);
	ck_assert_uint_eq(results, 2);
}
END_TEST

START_TEST(test_while_others_say_nothing_it_is_done_three_times)
{
	int64_t last = fall_silent();

	run_until(last + 110 + 3 * 101 - 1);
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	run_until(now + 1);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
	ck_assert_uint_eq(probes, 48);
	ck_assert_uint_eq(calls, 6);
}
END_TEST

START_TEST(test_one_that_only_others_heard_dies_by_their_word)
{
	int64_t last = fall_silent();

	run_until(last + 120);
	report(2, 2, false, true, false);
	ck_assert(verdict.by_others);
	run_until(last + 400);
	report(2, 2, false, true, false);
	run_until(now + 5000); /* their reports are lost from here on, others are heard */
	ck_assert_int_eq(verdict.kind, VERDICT_BLIND);
	report(2, 10, true, true, false);
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	run_until(verdict_deadline(&verdict) + 20);
	report(2, 300, true, false, false);
	run_until(now + 60);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
}
END_TEST

START_TEST(test_a_lone_observer_sends_sixteen_at_once)
{
	view.observers = 0;
	int64_t last = fall_silent();

	run_until(last + 110 + 60 + 25 - 1);
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	run_until(now + 1);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
}
END_TEST

START_TEST(test_agent_down_when_only_the_kernel_answers)
{
	int64_t last = fall_silent();

	step((struct verdict_event){.kind = VERDICT_EVENT_KERNEL});
	run_until(last + 158);
	ck_assert_int_eq(verdict.kind, VERDICT_AGENT_DOWN);
}
END_TEST

START_TEST(test_agent_down_when_another_hears_the_kernel)
{
	int64_t last = fall_silent();

	report(1, 140, true, false, true);
	run_until(last + 158);
	ck_assert_int_eq(verdict.kind, VERDICT_AGENT_DOWN);
}
END_TEST

START_TEST(test_an_answer_ends_the_suspicion)
{
	int64_t last = fall_silent();

	run_until(last + 115);
	heard();
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	ck_assert(verdict.burst.agent_answered && !verdict.burst.running);
	ck_assert_uint_eq(results, 1);
	run_until(now + 109);
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
}
END_TEST

START_TEST(test_what_others_hear_is_life)
{
	int64_t last = fall_silent();

	run_until(last + 120);
	report(2, 2, false, true, false);
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	ck_assert(verdict.by_others);
	/* asked again, without alarm, and answered again */
	changes = 0;
	for (int i = 0; i < 20; i++) {
		run_until(verdict_deadline(&verdict));
		ck_assert(verdict.burst.running);
		run_until(now + 3);
		report(2, 0, true, true, false);
	}
	ck_assert_uint_eq(changes, 0);
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
}
END_TEST

START_TEST(test_silence_counts_from_the_last_datagram_anyone_received)
{
	int64_t last = fall_silent();

	report(2, 40, false, false, false); /* heard at last + 70 */
	report(2, 60, true, false, false);
	run_until(last + 70 + 110 - 1);
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	run_until(last + 70 + 110);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
}
END_TEST

START_TEST(test_a_called_observer_probes_and_tells)
{
	heard();
	run_until(now + 40);
	report(2, 110, false, false, false);
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	ck_assert_uint_eq(calls, 1);
	ck_assert_uint_eq(probes, 1);
	run_until(now + 2);
	heard();
	ck_assert_uint_eq(results, 1);
	struct datagram_silence mine = {0};
	verdict_report(&verdict, true, false, now, &mine);
	ck_assert(mine.burst_done && mine.agent_answered && !mine.blind);
	ck_assert_uint_eq(mine.silent_ms, 0);
}
END_TEST

START_TEST(test_calls_do_not_echo)
{
	heard();
	run_until(now + 40);
	report(2, 110, false, false, false);
	run_until(now + 2);
	heard();
	report(2, 110, false, false, false); /* one that crossed the result */
	ck_assert_uint_eq(calls, 1);
	report(2, 150, true, false, false); /* a result is no call */
	ck_assert_uint_eq(calls, 1);
}
END_TEST

START_TEST(test_a_called_observer_concludes_with_its_own_silence)
{
	heard();
	int64_t last = now;
	run_until(last + 60);
	report(2, 110, false, false, false);
	run_until(last + 109);
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	report(2, 160, true, false, false);
	run_until(last + 110);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
	ck_assert_uint_eq(calls, 1);
}
END_TEST

START_TEST(test_own_lag_starts_the_window_anew)
{
	int64_t last = fall_silent();

	run_until(last + 130);
	step((struct verdict_event){.kind = VERDICT_EVENT_LAGGED});
	report(2, 160, true, false, false);
	run_until(last + 130 + 47);
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	run_until(last + 130 + 48);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
}
END_TEST

START_TEST(test_who_hears_nobody_is_blind)
{
	others_heard = false;
	view.observers = 0;
	fall_silent();
	run_until(now + 101);
	ck_assert_int_eq(verdict.kind, VERDICT_BLIND);
	/* tries again soon, and sees */
	others_heard = true;
	run_until(now + 400);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
}
END_TEST

START_TEST(test_too_many_silent_at_once_is_my_own_blindness)
{
	view.watched = 10;
	view.silent = 4;
	int64_t last = fall_silent();
	run_until(last + 600);
	ck_assert_int_eq(verdict.kind, VERDICT_BLIND);
	setup();
	view.watched = 10;
	view.silent = 3;
	last = fall_silent();
	run_until(last + 600);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
	setup();
	view.watched = 15;
	view.silent = 5;
	last = fall_silent();
	run_until(last + 600);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
	setup();
	view.watched = 15;
	view.silent = 6;
	last = fall_silent();
	run_until(last + 600);
	ck_assert_int_eq(verdict.kind, VERDICT_BLIND);
}
END_TEST

START_TEST(test_members_reports_count_when_mine_does_not)
{
	view.watched = 10;
	view.silent = 9;
	int64_t last = fall_silent();
	report(2, 130, true, false, false);
	run_until(last + 158);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
}
END_TEST

START_TEST(test_a_blind_observer_confirms_nothing)
{
	int64_t last = fall_silent();
	struct verdict_event event = {.kind = VERDICT_EVENT_REPORT};

	event.report.silent_ms = 130;
	event.report.burst_done = true;
	event.report.blind = true;
	step(event);
	run_until(last + 159);
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	view.blind = true;
	run_until(last + 300);
	ck_assert_int_eq(verdict.kind, VERDICT_BLIND);
}
END_TEST

START_TEST(test_a_call_is_no_word)
{
	int64_t last = fall_silent();

	report(3, 60, false, false, false);
	run_until(last + 110 + 3 * 101 - 1);
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	report(3, 10, true, true, true);
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
}
END_TEST

START_TEST(test_who_is_known_to_be_blocked_is_not_given_up_between_two_reports)
{
	fall_silent();
	step((struct verdict_event){.kind = VERDICT_EVENT_TLS});
	run_until(now + 500);
	ck_assert(verdict.blocked);
	report(3, 900, false, false, false); /* another, who does not speak TLS with it, calls */
	ck_assert(verdict.burst.running);
	run_until(now + 500);
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	ck_assert(verdict.blocked);
}
END_TEST

START_TEST(test_tls_alive_is_an_alarm_not_a_death)
{
	int64_t last = fall_silent();

	view.observers = 0;
	step((struct verdict_event){.kind = VERDICT_EVENT_TLS});
	run_until(last + 300);
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	ck_assert(verdict.blocked);
	/* and lasts as long as TLS does */
	run_until(now + 3000);
	step((struct verdict_event){.kind = VERDICT_EVENT_TLS});
	run_until(now + 3400);
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	run_until(now + 400);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
	ck_assert(!verdict.blocked);
}
END_TEST

START_TEST(test_tls_revives)
{
	int64_t last = fall_silent();

	step((struct verdict_event){.kind = VERDICT_EVENT_KERNEL});
	run_until(last + 500);
	ck_assert_int_eq(verdict.kind, VERDICT_AGENT_DOWN);
	step((struct verdict_event){.kind = VERDICT_EVENT_TLS});
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	ck_assert(verdict.blocked);
	heard();
	ck_assert(!verdict.blocked);
}
END_TEST

/* The loop stood still: what it said during the burst is taken in when it is not recent any more, and nobody else has told. */
START_TEST(test_a_word_that_comes_late_is_a_sign_of_life)
{
	int64_t said;

	view.observers = 0;
	fall_silent();
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	said = now + 1;
	now = said + verdict.timing.suspect_ms;
	step((struct verdict_event){.kind = VERDICT_EVENT_HEARD, .at_ms = said});
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	for (int ticks = 0; verdict.kind == VERDICT_SUSPECT && ticks < 100; ticks++) {
		if (verdict_deadline(&verdict) > now)
			now = verdict_deadline(&verdict);
		step((struct verdict_event){.kind = VERDICT_EVENT_TICK});
	}
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	ck_assert_int_eq(verdict_deadline(&verdict), said + 2 * verdict.timing.suspect_ms);
}
END_TEST

START_TEST(test_tls_before_the_silence_proves_nothing)
{
	heard();
	step((struct verdict_event){.kind = VERDICT_EVENT_TLS});
	run_until(now + 600);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
}
END_TEST

START_TEST(test_never_heard_is_judged_after_the_start)
{
	view.observers = 0;
	run_until(10499);
	ck_assert_int_eq(verdict.kind, VERDICT_UNKNOWN);
	run_until(10500);
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	run_until(10700);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
	ck_assert_int_eq(verdict_last_sign_ms(&verdict), VERDICT_NEVER);
	struct datagram_silence mine = {0};
	verdict_report(&verdict, false, true, now, &mine);
	ck_assert_uint_eq(mine.silent_ms, UINT32_MAX);
	ck_assert(mine.blind);
}
END_TEST

START_TEST(test_the_dead_are_probed_again_and_return)
{
	view.observers = 0;
	int64_t last = fall_silent();

	run_until(last + 300);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
	changes = 0;
	run_until(now + 950);
	step((struct verdict_event){.kind = VERDICT_EVENT_KERNEL});
	ck_assert(verdict.burst.running);
	run_until(now + 150);
	ck_assert_int_eq(verdict.kind, VERDICT_AGENT_DOWN);
	heard();
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	ck_assert_uint_eq(changes, 2);
}
END_TEST

START_TEST(test_an_old_datagram_from_the_queue_does_not_revive)
{
	view.observers = 0;
	int64_t last = fall_silent();

	run_until(last + 300);
	step((struct verdict_event){.kind = VERDICT_EVENT_HEARD, .at_ms = last + 1});
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
	ck_assert_int_eq(verdict_last_sign_ms(&verdict), last + 1);
}
END_TEST

START_TEST(test_what_another_heard_of_the_kernel_is_told_on)
{
	fall_silent();
	report(1, 140, true, false, true);
	struct datagram_silence mine = {0};
	verdict_report(&verdict, true, false, now, &mine);
	ck_assert(mine.kernel_answered && !mine.agent_answered);
}
END_TEST

/* Its kernel may have answered just before it lost power. */
START_TEST(test_an_agent_that_is_down_is_soon_looked_at_again)
{
	int64_t last = fall_silent();

	step((struct verdict_event){.kind = VERDICT_EVENT_KERNEL});
	run_until(last + 158);
	ck_assert_int_eq(verdict.kind, VERDICT_AGENT_DOWN);
	report(3, 158, true, false, true);
	run_until(last + 158 + 110 + 10);
	report(3, 270, true, false, false);
	run_until(last + 158 + 110 + 48);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
	/* and later once a second */
	ck_assert_int_eq(verdict_deadline(&verdict), now + 1000);
}
END_TEST

START_TEST(test_unheard_results_are_told_again)
{
	int64_t last = fall_silent();

	run_until(last + 110 + 101);
	ck_assert_uint_eq(verdict.rounds, 1);
	ck_assert_uint_eq(results, 2);
}
END_TEST

/* A silence of 145 ms that a whole burst did not end. */
static int64_t live_through_a_silence(void)
{
	int64_t last = fall_silent();

	run_until(last + 145);
	heard();
	ck_assert_int_eq(verdict.kind, VERDICT_ALIVE);
	return now;
}

START_TEST(test_who_lived_through_a_silence_is_waited_for)
{
	ck_assert_uint_eq(verdict_window_ms(&verdict, now), 158);
	int64_t last = live_through_a_silence();

	ck_assert_uint_eq(verdict_window_ms(&verdict, now), 290);
	run_until(last + 140);
	report(3, 140, true, false, false);
	run_until(last + 289);
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	run_until(last + 290);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
}
END_TEST

START_TEST(test_a_death_that_was_none_is_waited_for)
{
	int64_t last = fall_silent();

	report(3, 110, true, false, false);
	run_until(last + 158);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
	run_until(last + 300);
	heard();
	ck_assert_uint_eq(verdict_window_ms(&verdict, now), 600);
}
END_TEST

START_TEST(test_short_silences_and_hanging_agents_widen_nothing)
{
	int64_t last = fall_silent();

	run_until(last + 137); /* some probes are answered late */
	heard();
	ck_assert_uint_eq(verdict_window_ms(&verdict, now), 158);
	last = fall_silent();
	step((struct verdict_event){.kind = VERDICT_EVENT_KERNEL});
	run_until(last + 157);
	heard();
	ck_assert_uint_eq(verdict_window_ms(&verdict, now), 158);
}
END_TEST

START_TEST(test_own_deafness_widens_nothing)
{
	int64_t last = fall_silent();

	others_heard = false;
	run_until(last + 145);
	heard();
	ck_assert_uint_eq(verdict_window_ms(&verdict, now), 158);
}
END_TEST

START_TEST(test_probes_wait_for_the_budget)
{
	view.probes = 0;
	int64_t last = fall_silent();

	report(3, 110, true, false, false);
	run_until(last + 500);
	ck_assert_int_eq(verdict.kind, VERDICT_SUSPECT);
	ck_assert_uint_eq(probes + kernel_probes, 0);
	view.probes = BUDGET_PROBES;
	run_until(last + 550);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
	ck_assert_uint_eq(probes, 8);
}
END_TEST

/* Their word came before its answer, by chance, and then it died. */
START_TEST(test_who_was_heard_by_others_for_a_moment_dies_by_my_word)
{
	int64_t last = fall_silent();

	run_until(last + 115);
	report(2, 2, true, true, false);
	ck_assert(verdict.by_others);
	view.observers = 0;
	run_until(now + 1000);
	ck_assert_int_eq(verdict.kind, VERDICT_DEAD);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verdict");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, test_hearing_is_life);
	tcase_add_test(all, test_suspects_at_110_ms_of_silence);
	tcase_add_test(all, test_dead_when_another_confirms);
	tcase_add_test(all, test_a_confirmation_that_comes_late_is_not_waited_for_twice);
	tcase_add_test(all, test_unconfirmed_needs_sixteen_probes);
	tcase_add_test(all, test_while_others_say_nothing_it_is_done_three_times);
	tcase_add_test(all, test_one_that_only_others_heard_dies_by_their_word);
	tcase_add_test(all, test_a_lone_observer_sends_sixteen_at_once);
	tcase_add_test(all, test_agent_down_when_only_the_kernel_answers);
	tcase_add_test(all, test_agent_down_when_another_hears_the_kernel);
	tcase_add_test(all, test_an_answer_ends_the_suspicion);
	tcase_add_test(all, test_what_others_hear_is_life);
	tcase_add_test(all, test_silence_counts_from_the_last_datagram_anyone_received);
	tcase_add_test(all, test_a_called_observer_probes_and_tells);
	tcase_add_test(all, test_calls_do_not_echo);
	tcase_add_test(all, test_a_called_observer_concludes_with_its_own_silence);
	tcase_add_test(all, test_own_lag_starts_the_window_anew);
	tcase_add_test(all, test_who_hears_nobody_is_blind);
	tcase_add_test(all, test_too_many_silent_at_once_is_my_own_blindness);
	tcase_add_test(all, test_members_reports_count_when_mine_does_not);
	tcase_add_test(all, test_a_blind_observer_confirms_nothing);
	tcase_add_test(all, test_a_call_is_no_word);
	tcase_add_test(all, test_who_is_known_to_be_blocked_is_not_given_up_between_two_reports);
	tcase_add_test(all, test_tls_alive_is_an_alarm_not_a_death);
	tcase_add_test(all, test_tls_revives);
	tcase_add_test(all, test_a_word_that_comes_late_is_a_sign_of_life);
	tcase_add_test(all, test_tls_before_the_silence_proves_nothing);
	tcase_add_test(all, test_never_heard_is_judged_after_the_start);
	tcase_add_test(all, test_the_dead_are_probed_again_and_return);
	tcase_add_test(all, test_an_old_datagram_from_the_queue_does_not_revive);
	tcase_add_test(all, test_what_another_heard_of_the_kernel_is_told_on);
	tcase_add_test(all, test_an_agent_that_is_down_is_soon_looked_at_again);
	tcase_add_test(all, test_unheard_results_are_told_again);
	tcase_add_test(all, test_who_lived_through_a_silence_is_waited_for);
	tcase_add_test(all, test_a_death_that_was_none_is_waited_for);
	tcase_add_test(all, test_short_silences_and_hanging_agents_widen_nothing);
	tcase_add_test(all, test_own_deafness_widens_nothing);
	tcase_add_test(all, test_probes_wait_for_the_budget);
	tcase_add_test(all, test_who_was_heard_by_others_for_a_moment_dies_by_my_word);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
