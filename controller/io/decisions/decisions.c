/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/decisions/decisions.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "controller/io/decisions/state.h"

enum { CLAIM_RETRY_MS = 1000, LOOK_AGAIN_MS = 100, TERM_SPREAD = 256 /* see spread() */ };
static const int64_t wall_2025_ms = 1735689600000;

struct decided *decided_find(const struct decisions *decisions, const char *endpoint)
{
	for (size_t i = 0; i < decisions->count; i++)
		if (strcmp(decisions->items[i]->setup.config.name, endpoint) == 0)
			return decisions->items[i];
	return NULL;
}

/* Time. */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t next_deadline(const struct decisions *decisions)
{
	int64_t deadline_ms = wishes_deadline(decisions);
	for (size_t i = 0; i < decisions->count; i++) {
		const struct decided *decided = decisions->items[i];
		deadline_ms = earlier(deadline_ms, ownership_deadline(&decided->ownership));
		if (decided->awaited.owner[0])
			deadline_ms = earlier(deadline_ms, decided->awaited_until_ms);
	}
	if (!decisions->claiming && decisions->claim_after_ms)
		deadline_ms = earlier(deadline_ms, decisions->claim_after_ms);
	return deadline_ms;
}

/* What is overdue although everything has just been looked at waits for something else than time. */
static int64_t wait_ms(int64_t deadline_ms, bool looked)
{
	int64_t left_ms = deadline_ms - clock_now_ms();

	if (left_ms > 0)
		return left_ms;
	return looked ? LOOK_AGAIN_MS : 0;
}

static void arm(struct decisions *decisions, bool looked)
{
	int64_t deadline_ms = next_deadline(decisions);
	if (deadline_ms == INT64_MAX) {
		evtimer_del(decisions->timer);
		return;
	}
	int64_t left_ms = wait_ms(deadline_ms, looked);
	const struct timeval after = {.tv_sec = left_ms / 1000, .tv_usec = (left_ms % 1000) * 1000};
	evtimer_add(decisions->timer, &after);
}

/* Two copies of one database that are started together would claim the same term, and give out the same epochs. */
static uint32_t spread(uint32_t term)
{
	return term < UINT32_MAX - TERM_SPREAD ? term + (uint32_t)(clock_boot_id() % TERM_SPREAD) : term;
}

static void claim_if_wanted(struct decisions *decisions)
{
	uint32_t term;
	int64_t now_ms = clock_now_ms();
	int64_t seconds = (clock_wall_ms() - wall_2025_ms) / 1000;
	if (decisions->claiming || now_ms < decisions->claim_after_ms ||
		!epoch_source_wants_term(&decisions->source, seconds, &term))
		return;
	decisions->claiming = true;
	decisions->hooks.claim(spread(term), decisions->hooks.context);
}

void decisions_stepped(struct decisions *decisions)
{
	claim_if_wanted(decisions);
	arm(decisions, false);
	if (decisions->wishes)
		event_active(decisions->timer, EV_TIMEOUT, 0);
}

static void step(struct decisions *decisions, struct decided *decided, const struct ownership_event *event)
{
	struct ownership_actions actions = {0};
	ownership_step(&decided->ownership, event, clock_now_ms(), &actions);
	decided_act(decisions, decided, &actions);
}

static void tick_all(struct decisions *decisions)
{
	for (size_t i = 0; i < decisions->count; i++)
		step(decisions, decisions->items[i], &(struct ownership_event){.kind = OWNERSHIP_EVENT_TICK});
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct decisions *decisions = context;
	int64_t now_ms = clock_now_ms();
	(void)fd;
	(void)what;
	tick_all(decisions);
	for (size_t i = 0; i < decisions->count; i++) {
		struct decided *decided = decisions->items[i];
		if (decided->awaited.owner[0] && now_ms >= decided->awaited_until_ms)
			decided_conclude(decisions, decided, NULL);
	}
	wishes_check(decisions, now_ms);
	claim_if_wanted(decisions);
	arm(decisions, true);
}

/* Life. */

struct decisions *decisions_new(struct event_base *base, struct journal *journal, uint32_t stored_term,
	const struct decisions_hooks *hooks)
{
	struct decisions *decisions = mem_new(1, sizeof *decisions);
	decisions->journal = journal;
	decisions->hooks = *hooks;
	decisions->timer = evtimer_new(base, on_timer, decisions);
	epoch_source_init(&decisions->source, stored_term);
	return decisions;
}

void decisions_start(struct decisions *decisions)
{
	claim_if_wanted(decisions);
}

void decisions_free(struct decisions *decisions)
{
	if (!decisions)
		return;
	while (decisions->wishes)
		wish_cancel(decisions->wishes);
	for (size_t i = 0; i < decisions->count; i++)
		free(decisions->items[i]);
	event_free(decisions->timer);
	free(decisions->items);
	free(decisions->drained);
	free(decisions);
}

void decisions_claimed(struct decisions *decisions, uint32_t term, bool on_disk)
{
	decisions->claiming = false;
	decisions->claim_after_ms = on_disk ? 0 : clock_now_ms() + CLAIM_RETRY_MS;
	if (on_disk) {
		epoch_source_claimed(&decisions->source, term);
		log_debug("decisions", "term", log_u64("term", term));
	}
	tick_all(decisions);
	decisions_stepped(decisions);
}

/* People's settings. */

static size_t find_drained(const struct decisions *decisions, const char *gateway)
{
	size_t i = 0;
	while (i < decisions->drained_count && strcmp(decisions->drained[i], gateway) != 0)
		i++;
	return i;
}

bool decisions_is_drained(const struct decisions *decisions, const char *gateway)
{
	return find_drained(decisions, gateway) < decisions->drained_count;
}

static void remember_drained(struct decisions *decisions, const char *gateway, bool drained)
{
	size_t at = find_drained(decisions, gateway);
	if (drained && at == decisions->drained_count) {
		decisions->drained = mem_grow(decisions->drained, &decisions->drained_capacity,
			decisions->drained_count + 1, sizeof decisions->drained[0]);
		text_copy(decisions->drained[decisions->drained_count++], sizeof decisions->drained[0],
			gateway);
	} else if (!drained && at < decisions->drained_count) {
		memmove(decisions->drained[at], decisions->drained[--decisions->drained_count],
			sizeof decisions->drained[0]);
	}
}

static void apply_drained(
	struct decisions *decisions, struct decided *decided, const char *gateway, bool drained)
{
	struct ownership_actions actions = {0};
	size_t member = ownership_find(&decided->ownership, gateway);
	if (member == OWNERSHIP_NOBODY || decided->ownership.members[member].drained == drained)
		return;
	if (drained)
		ownership_drain(&decided->ownership, member, clock_now_ms(), &actions);
	else
		ownership_resume(&decided->ownership, member, clock_now_ms(), &actions);
	decided_act(decisions, decided, &actions);
}

void decisions_set_drained(struct decisions *decisions, const char *gateway, bool drained)
{
	remember_drained(decisions, gateway, drained);
	for (size_t i = 0; i < decisions->count; i++)
		apply_drained(decisions, decisions->items[i], gateway, drained);
	decisions_stepped(decisions);
}

static void apply_frozen(struct decisions *decisions, struct decided *decided)
{
	struct ownership_actions actions = {0};
	if (decided->ownership.frozen == decisions->frozen)
		return;
	if (decisions->frozen)
		ownership_freeze(&decided->ownership, clock_now_ms(), &actions);
	else
		ownership_thaw(&decided->ownership, clock_now_ms(), &actions);
	decided_act(decisions, decided, &actions);
}

void decisions_set_frozen(struct decisions *decisions, bool frozen)
{
	decisions->frozen = frozen;
	for (size_t i = 0; i < decisions->count; i++)
		apply_frozen(decisions, decisions->items[i]);
	decisions_stepped(decisions);
}

bool decisions_is_frozen(const struct decisions *decisions)
{
	return decisions->frozen;
}

/* The fleet. */

static struct decided *take_decided(struct decided **items, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		struct decided *decided = items[i];
		if (decided && strcmp(decided->setup.config.name, name) == 0) {
			items[i] = NULL;
			return decided;
		}
	}
	return NULL;
}

static void configure(
	struct decisions *decisions, struct decided *decided, const struct decisions_endpoint *setup)
{
	struct ownership_actions actions = {0};
	decided->setup = *setup;
	ownership_configure(&decided->ownership, &setup->config, clock_now_ms(), &actions);
	decided_act(decisions, decided, &actions);
}

static struct decided *decided_new(struct decisions *decisions, const struct decisions_endpoint *setup)
{
	struct decided *decided = mem_new(1, sizeof *decided);
	struct ownership_actions none = {0};
	decided->setup = *setup;
	decided->owner = OWNERSHIP_NOBODY;
	decided->owned_since_ms = clock_now_ms();
	ownership_init(&decided->ownership, &setup->config, &decisions->source, clock_now_ms());
	ownership_step(&decided->ownership,
		&(struct ownership_event){.kind = OWNERSHIP_EVENT_FLOOR, .floor = decisions->floor},
		clock_now_ms(), &none); /* it has only begun to listen */
	return decided;
}

void decisions_set_endpoints(
	struct decisions *decisions, const struct decisions_endpoint *endpoints, size_t count)
{
	struct decided **old = decisions->items;
	size_t old_count = decisions->count;
	decisions->items = mem_new(count + 1, sizeof(struct decided *));
	decisions->count = count;
	for (size_t i = 0; i < count; i++) {
		struct decided *decided = take_decided(old, old_count, endpoints[i].config.name);
		decisions->items[i] = decided ? decided : decided_new(decisions, &endpoints[i]);
		if (decided)
			configure(decisions, decided, &endpoints[i]);
	}
	for (size_t i = 0; i < old_count; i++)
		free(old[i]);
	free(old);
	if (!decisions->recalled)
		decisions_recall(decisions);
	decisions->recalled = true;
	for (size_t i = 0; i < decisions->drained_count; i++)
		decisions_set_drained(decisions, decisions->drained[i], true);
	decisions_set_frozen(decisions, decisions->frozen);
}

/* What is heard. */

void decisions_seat(struct decisions *decisions, const char *gateway, const struct seat_state *seat)
{
	struct decided *decided = decided_find(decisions, seat->endpoint);
	if (!decided) {
		epoch_source_hear(&decisions->source, &seat->highest);
		return;
	}
	size_t member = ownership_find(&decided->ownership, gateway);
	if (member == OWNERSHIP_NOBODY)
		return;
	step(decisions, decided,
		&(struct ownership_event){.kind = OWNERSHIP_EVENT_SEAT, .member = member, .seat = seat});
	decisions_stepped(decisions);
}

void decisions_relayed(struct decisions *decisions, const char *via, const struct hearsay *heard)
{
	struct decided *decided = decided_find(decisions, heard->seat.endpoint);
	size_t member = decided ? ownership_find(&decided->ownership, via) : OWNERSHIP_NOBODY;
	if (member == OWNERSHIP_NOBODY)
		return;
	step(decisions, decided,
		&(struct ownership_event){.kind = OWNERSHIP_EVENT_RELAYED,
			.member = member,
			.about = heard->gateway,
			.seat = &heard->seat});
	decisions_stepped(decisions);
}

void decisions_claim(struct decisions *decisions, const char *via, const struct claim *claim)
{
	struct decided *decided = decided_find(decisions, claim->endpoint);
	size_t member = decided ? ownership_find(&decided->ownership, claim->gateway) : OWNERSHIP_NOBODY;
	if (member == OWNERSHIP_NOBODY || ownership_find(&decided->ownership, via) == OWNERSHIP_NOBODY)
		return;
	decided->claim = claim;
	decided->via = via;
	step(decisions, decided,
		&(struct ownership_event){.kind = OWNERSHIP_EVENT_CLAIM, .member = member, .claim = claim});
	decided->claim = NULL;
	decided->via = NULL;
	decisions_stepped(decisions);
}

void decisions_verdict(
	struct decisions *decisions, const char *gateway, enum verdict_kind verdict, int64_t last_sign_ms)
{
	for (size_t i = 0; i < decisions->count; i++) {
		struct decided *decided = decisions->items[i];
		size_t member = ownership_find(&decided->ownership, gateway);
		if (member != OWNERSHIP_NOBODY)
			step(decisions, decided,
				&(struct ownership_event){.kind = OWNERSHIP_EVENT_VERDICT,
					.member = member,
					.verdict = verdict,
					.last_sign_ms = last_sign_ms});
	}
	decisions_stepped(decisions);
}

/* NULL: nothing. */
static const char *find_impaired(const struct report *report, const char *endpoint)
{
	for (size_t i = 0; i < report->impaired_count; i++)
		if (strcmp(report->impaired[i].endpoint, endpoint) == 0)
			return report->impaired[i].why;
	return NULL;
}

static const char *why_unfit(const struct report *report)
{
	return report->reason_count ? report->reasons[0] : "unfit, without a reason";
}

/* By what it says itself, while this controller still listens who does. */
static bool owns(const struct decided *decided, size_t member, const struct report *report)
{
	if (decided->ownership.owner != OWNERSHIP_NOBODY)
		return decided->ownership.owner == member;
	for (size_t i = 0; i < report->seat_count; i++)
		if (strcmp(report->seats[i].endpoint, decided->setup.config.name) == 0)
			return seat_role_serves(report->seats[i].role);
	return false;
}

void decisions_fitness(
	struct decisions *decisions, const char *gateway, const struct report *report, const char *obstacle)
{
	for (size_t i = 0; i < decisions->count; i++) {
		struct decided *decided = decisions->items[i];
		struct ownership_event event = {.kind = OWNERSHIP_EVENT_FITNESS,
			.member = ownership_find(&decided->ownership, gateway),
			.fit = report->fit,
			.why = report->fit ? NULL : why_unfit(report),
			.impaired = find_impaired(report, decided->setup.config.name)};
		if (event.member == OWNERSHIP_NOBODY)
			continue;
		if (report->fit && obstacle && !owns(decided, event.member, report)) {
			event.fit = false;
			event.why = obstacle;
		}
		step(decisions, decided, &event);
	}
	decisions_stepped(decisions);
}

void decisions_generation(struct decisions *decisions, const char *gateway, uint64_t generation)
{
	for (size_t i = 0; i < decisions->count; i++) {
		struct decided *decided = decisions->items[i];
		size_t member = ownership_find(&decided->ownership, gateway);
		if (member == OWNERSHIP_NOBODY || decided->ownership.members[member].generation == generation)
			continue; /* as with nearly every beat */
		step(decisions, decided,
			&(struct ownership_event){.kind = OWNERSHIP_EVENT_GENERATION,
				.member = member,
				.generation = generation});
		decisions_stepped(decisions);
	}
}

void decisions_set_floor(struct decisions *decisions, uint64_t floor)
{
	decisions->floor = floor;
	for (size_t i = 0; i < decisions->count; i++)
		step(decisions, decisions->items[i],
			&(struct ownership_event){.kind = OWNERSHIP_EVENT_FLOOR, .floor = floor});
	decisions_stepped(decisions);
}

void decisions_holds(struct decisions *decisions, const char *gateway)
{
	for (size_t i = 0; i < decisions->count; i++) {
		struct decided *decided = decisions->items[i];
		size_t member = ownership_find(&decided->ownership, gateway);
		if (member != OWNERSHIP_NOBODY)
			step(decisions, decided,
				&(struct ownership_event){.kind = OWNERSHIP_EVENT_HOLDS, .member = member});
	}
	decisions_stepped(decisions);
}

int decisions_check(const struct decisions *decisions, const struct decisions_endpoint *endpoints,
	size_t count, struct err *err)
{
	int r = 0;
	for (size_t i = 0; i < count && r >= 0; i++) {
		const struct decided *decided = decided_find(decisions, endpoints[i].config.name);
		if (decided)
			r = ownership_check_change(
				&decided->ownership, &endpoints[i].config, clock_now_ms(), err);
	}
	return r;
}

void decisions_leaving(struct decisions *decisions, const char *gateway, bool leaving)
{
	for (size_t i = 0; i < decisions->count; i++) {
		struct decided *decided = decisions->items[i];
		size_t member = ownership_find(&decided->ownership, gateway);
		if (member != OWNERSHIP_NOBODY)
			step(decisions, decided,
				&(struct ownership_event){.kind = OWNERSHIP_EVENT_LEAVING,
					.member = member,
					.leaving = leaving});
	}
	decisions_stepped(decisions);
}

void decisions_takeover(struct decisions *decisions, const char *gateway, const struct takeover *takeover)
{
	struct decided *decided = takeover->endpoint[0] ? decided_find(decisions, takeover->endpoint) : NULL;
	if (decided && takeover->over && strcmp(takeover->cause, "no-controller") == 0)
		decided_succeeded(decided, gateway, takeover);
	if (!decided || !takeover->over || strcmp(decided->awaited.owner, gateway) != 0 ||
		epoch_compare(&decided->awaited.epoch, &takeover->epoch) != 0)
		return;
	decided_conclude(decisions, decided, takeover);
	decisions_stepped(decisions);
}

void decisions_repeat_orders(struct decisions *decisions, const char *gateway)
{
	for (size_t i = 0; i < decisions->count; i++) {
		const struct ownership *ownership = &decisions->items[i]->ownership;
		if (ownership_repeats_to(ownership, ownership_find(ownership, gateway)))
			decisions->hooks.order(gateway, &ownership->standing, decisions->hooks.context);
	}
}
