/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/suspicion/suspicion.h"

#include <math.h>
#include <stdbool.h>

#include "common/cluster/budget.h"
#include "common/cluster/verdict.h"

enum { EVENTS_MAX = 1024, FLIGHT_MS = 1, ROUND_TRIP_MS = 2, HEARD_MS = 100000, OVER_MS = 2000 };

struct arrival {
	int64_t due_ms;
	size_t to;
	struct verdict_event event;
};

struct scene {
	const struct suspicion_setup *setup;
	uint64_t random;
	struct timing timing;
	int64_t now;
	int64_t beat_ms; /* the next */
	struct verdict verdicts[SUSPICION_OBSERVERS_MAX];
	bool answered; /* a probe of the first burst of the first observer */
	size_t arrival_count;
	struct arrival arrivals[EVENTS_MAX];
};

static double chance(struct scene *scene)
{
	scene->random ^= scene->random << 13;
	scene->random ^= scene->random >> 7;
	scene->random ^= scene->random << 17;
	return (double)(scene->random >> 11) * 0x1p-53;
}

static bool arrives(struct scene *scene)
{
	return chance(scene) >= scene->setup->loss;
}

static int64_t beat_gap_ms(struct scene *scene)
{
	return 45 + (int64_t)(chance(scene) * 11);
}

static void post(struct scene *scene, size_t to, int64_t after_ms, struct verdict_event event)
{
	if (scene->arrival_count < EVENTS_MAX)
		scene->arrivals[scene->arrival_count++] = (struct arrival){scene->now + after_ms, to, event};
}

static void post_heard(struct scene *scene, size_t to, int64_t after_ms)
{
	struct verdict_event event = {.kind = VERDICT_EVENT_HEARD, .at_ms = scene->now + after_ms};

	post(scene, to, after_ms, event);
}

static void probe(struct scene *scene, size_t from)
{
	bool reached = arrives(scene);

	for (uint32_t i = 0; i < scene->timing.answers; i++)
		if (arrives(scene) && reached) {
			scene->answered = scene->answered || from == 0;
			post_heard(scene, from, ROUND_TRIP_MS);
		}
}

static void probe_kernel(struct scene *scene, size_t from)
{
	bool reached = arrives(scene);

	if (arrives(scene) && reached)
		post(scene, from, ROUND_TRIP_MS, (struct verdict_event){.kind = VERDICT_EVENT_KERNEL});
}

static void tell(struct scene *scene, size_t from, bool result)
{
	struct verdict_event event = {.kind = VERDICT_EVENT_REPORT};
	struct datagram_silence silence = {0};

	verdict_report(&scene->verdicts[from], result, false, scene->now, &silence);
	event.report.observer = from;
	event.report.silent_ms = silence.silent_ms;
	event.report.burst_done = silence.burst_done;
	event.report.agent_answered = silence.agent_answered;
	event.report.kernel_answered = silence.kernel_answered;
	for (size_t to = 0; to < scene->setup->observers; to++)
		for (uint32_t copy = 0; copy < scene->timing.copies; copy++)
			if (to != from && arrives(scene))
				post(scene, to, FLIGHT_MS, event);
}

static void act(struct scene *scene, size_t observer, const struct verdict_action *action)
{
	switch (action->kind) {
	case VERDICT_ACTION_CALL:
	case VERDICT_ACTION_RESULT:
		tell(scene, observer, action->kind == VERDICT_ACTION_RESULT);
		return;
	case VERDICT_ACTION_PROBE:
		for (uint32_t i = 0; i < action->count; i++)
			probe(scene, observer);
		return;
	case VERDICT_ACTION_KERNEL_PROBE:
		for (uint32_t i = 0; i < action->count; i++)
			probe_kernel(scene, observer);
		return;
	case VERDICT_ACTION_CHANGED:
		return;
	}
}

static void step(struct scene *scene, size_t observer, struct verdict_event event)
{
	struct verdict_actions actions = {0};

	event.view = (struct verdict_view){.observers = scene->setup->observers - 1,
		.other_heard_ms = scene->now,
		.silent = 1,
		.watched = 1,
		.probes = BUDGET_PROBES};
	verdict_step(&scene->verdicts[observer], &event, scene->now, &actions);
	for (size_t i = 0; i < actions.count; i++)
		act(scene, observer, &actions.items[i]);
}

static void deliver(struct scene *scene)
{
	for (size_t i = 0; i < scene->arrival_count;) {
		struct arrival arrival = scene->arrivals[i];
		if (arrival.due_ms > scene->now) {
			i++;
			continue;
		}
		scene->arrivals[i] = scene->arrivals[--scene->arrival_count];
		step(scene, arrival.to, arrival.event);
	}
}

static void beat(struct scene *scene)
{
	if (scene->now < scene->beat_ms)
		return;
	scene->beat_ms += beat_gap_ms(scene);
	for (size_t i = 0; i < scene->setup->observers; i++)
		if (arrives(scene))
			post_heard(scene, i, 0);
}

static void tick(struct scene *scene)
{
	for (size_t i = 0; i < scene->setup->observers; i++)
		if (verdict_deadline(&scene->verdicts[i]) <= scene->now)
			step(scene, i, (struct verdict_event){.kind = VERDICT_EVENT_TICK});
}

static int64_t next_ms(const struct scene *scene)
{
	int64_t ms = scene->beat_ms;

	for (size_t i = 0; i < scene->setup->observers; i++) {
		int64_t deadline_ms = verdict_deadline(&scene->verdicts[i]);
		ms = deadline_ms < ms ? deadline_ms : ms;
	}
	for (size_t i = 0; i < scene->arrival_count; i++)
		ms = scene->arrivals[i].due_ms < ms ? scene->arrivals[i].due_ms : ms;
	return ms > scene->now ? ms : scene->now + 1;
}

static bool is_settled(const struct scene *scene)
{
	bool settled = true;

	for (size_t i = 0; i < scene->setup->observers; i++) {
		enum verdict_kind kind = scene->verdicts[i].kind;
		if (kind == VERDICT_DEAD || kind == VERDICT_AGENT_DOWN)
			return true;
		settled = settled && kind == VERDICT_ALIVE && !scene->verdicts[i].burst.running;
	}
	return settled;
}

/* Everybody heard it at HEARD_MS, and neither of the next two beats. */
static void begin(struct scene *scene)
{
	scene->now = HEARD_MS;
	scene->beat_ms = HEARD_MS + beat_gap_ms(scene) + beat_gap_ms(scene) + beat_gap_ms(scene);
	scene->arrival_count = 0;
	scene->answered = false;
	for (size_t i = 0; i < scene->setup->observers; i++) {
		verdict_init(&scene->verdicts[i], &scene->timing, HEARD_MS - 1000);
		step(scene, i, (struct verdict_event){.kind = VERDICT_EVENT_HEARD, .at_ms = HEARD_MS});
	}
	scene->now = HEARD_MS + (int64_t)scene->timing.suspect_ms;
}

static void run(struct scene *scene, struct suspicion_counts *counts)
{
	bool dead = false, down = false;

	begin(scene);
	tick(scene);
	while (!is_settled(scene) && scene->now < HEARD_MS + OVER_MS) {
		scene->now = next_ms(scene);
		beat(scene);
		deliver(scene);
		tick(scene);
	}
	for (size_t i = 0; i < scene->setup->observers; i++) {
		dead = dead || scene->verdicts[i].kind == VERDICT_DEAD;
		down = down || scene->verdicts[i].kind == VERDICT_AGENT_DOWN;
	}
	counts->dead += dead;
	counts->agent_down += down;
}

/* Whether all probes of a burst are lost, or all that answers them; apart from the beats that end most bursts early. */
static bool is_burst_unanswered(struct scene *scene)
{
	uint32_t probes = scene->setup->observers == 1 ? scene->timing.probes_lone : scene->timing.probes;

	scene->now = HEARD_MS;
	scene->arrival_count = 0;
	scene->answered = false;
	for (uint32_t i = 0; i < probes && !scene->answered; i++)
		probe(scene, 0);
	return !scene->answered;
}

static bool is_lost_for_all(struct scene *scene)
{
	bool lost = true;

	for (size_t i = 0; i < scene->setup->observers; i++)
		lost = !arrives(scene) && lost;
	return lost;
}

void suspicion_count(const struct suspicion_setup *setup, struct suspicion_counts *ret_counts)
{
	struct scene scene = {.setup = setup,
		.random = setup->seed * UINT64_C(0x9e3779b97f4a7c15) | 1,
		.timing = timing_from_interval(TIMING_INTERVAL_DEFAULT_MS)};
	unsigned lost = 0;

	for (unsigned long n = 0; n < setup->count; n++) {
		lost = is_lost_for_all(&scene) ? lost + 1 : 0;
		ret_counts->silences += lost == 2; /* 110 ms at most passed before the second */
		ret_counts->unanswered += is_burst_unanswered(&scene);
		run(&scene, ret_counts);
	}
}

/* A probe brings an answer if it arrives, and one of its answers does. A death takes that nothing answers all probes of
 * all observers, neither agents' nor kernels', and that the beat in between is lost to all. */
struct suspicion_odds suspicion_odds(const struct suspicion_setup *setup)
{
	const struct timing timing = timing_from_interval(TIMING_INTERVAL_DEFAULT_MS);
	double loss = setup->loss, all = pow(loss, (double)setup->observers);
	double silent = 1 - (1 - loss) * (1 - pow(loss, timing.answers));
	double kernel_silent = 1 - (1 - loss) * (1 - loss);
	uint32_t probes = setup->observers == 1 ? timing.probes_lone : timing.probes;
	double all_probes = (double)probes * (double)setup->observers;
	double a_silence = (1 - all) * all * all;

	return (struct suspicion_odds){
		.silences = a_silence * (double)setup->count,
		.a_year = a_silence * 365.25 * 86400 * 1000 / timing.interval_ms,
		.unanswered = pow(silent, probes),
		.dead = pow(silent * kernel_silent, all_probes) * all,
		.filtered = pow(silent, all_probes) * all,
	};
}
