/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/ownership/pool.h"

#include <stdio.h>
#include <string.h>

static void step(struct pool *pool, struct ownership_event event)
{
	struct ownership_actions actions = {0};

	ownership_step(&pool->ownership, &event, pool->now, &actions);
	pool_take_in(pool, &actions);
}

/* The owner hosts, and the guest has pulled at once. */
static void obey_guest(struct pool *pool, const struct order *order)
{
	size_t owner = ownership_find(&pool->ownership, order->owner);
	size_t guest = ownership_find(&pool->ownership, order->guest);

	if (pool->members[owner].alive && pool->members[owner].seat.role == SEAT_SERVING)
		pool->members[owner].seat.role = SEAT_HOSTING;
	if (pool->members[guest].alive)
		pool->members[guest].seat.role = SEAT_PULLED;
}

static void obey(struct pool *pool, const struct order *order)
{
	if (order->guest[0] != '\0') {
		obey_guest(pool, order);
		return;
	}
	for (size_t i = 0; i < POOL; i++) {
		struct seat_state *seat = &pool->members[i].seat;
		if (!pool->members[i].alive)
			continue;
		if (seat_role_serves(seat->role) &&
			strcmp(order->owner, pool->ownership.members[i].name) != 0) {
			seat->role = SEAT_STANDBY;
			seat->released = seat->epoch;
		}
		if (epoch_compare(&order->epoch, &seat->highest) > 0)
			seat->highest = order->epoch;
		if (strcmp(order->owner, pool->ownership.members[i].name) == 0) {
			seat->role = SEAT_SERVING;
			seat->epoch = order->epoch;
		}
	}
}

void pool_take_in(struct pool *pool, const struct ownership_actions *actions)
{
	for (size_t i = 0; i < actions->count; i++) {
		const struct ownership_action *action = &actions->items[i];
		pool->orders += action->kind == OWNERSHIP_ACTION_ORDER && action->order.guest[0] == '\0';
		pool->hosts += action->order.guest[0] != '\0';
		pool->releases += action->kind == OWNERSHIP_ACTION_RELEASE;
		pool->events += action->kind == OWNERSHIP_ACTION_EVENT;
		pool->alarms += action->kind == OWNERSHIP_ACTION_EVENT && action->severity == OWNERSHIP_ALARM;
		pool->grants += action->kind == OWNERSHIP_ACTION_GRANT;
		if (action->kind == OWNERSHIP_ACTION_EVENT || action->kind == OWNERSHIP_ACTION_GRANT)
			continue;
		pool->last = action->order;
		if (pool->obedient)
			obey(pool, &action->order);
	}
}

void pool_floor(struct pool *pool, uint64_t floor)
{
	step(pool, (struct ownership_event){.kind = OWNERSHIP_EVENT_FLOOR, .floor = floor});
}

void pool_say(struct pool *pool, size_t member)
{
	if (pool->members[member].generation)
		step(pool, (struct ownership_event){.kind = OWNERSHIP_EVENT_GENERATION,
				   .member = member,
				   .generation = pool->members[member].generation});
	step(pool,
		(struct ownership_event){
			.kind = OWNERSHIP_EVENT_SEAT, .member = member, .seat = &pool->members[member].seat});
	step(pool, (struct ownership_event){.kind = OWNERSHIP_EVENT_FITNESS,
			   .member = member,
			   .fit = pool->members[member].fit,
			   .why = "the test says so",
			   .impaired = pool->members[member].impaired});
	step(pool, (struct ownership_event){.kind = OWNERSHIP_EVENT_LEAVING,
			   .member = member,
			   .leaving = pool->members[member].leaving});
}

unsigned pool_claim(struct pool *pool, size_t member, struct epoch epoch, bool serves)
{
	struct claim claim = {.endpoint = "vpn", .epoch = epoch, .serves = serves};
	unsigned before = pool->grants;

	claim.terms = pool->ownership.terms;
	claim.nonce = (struct nonce){.boot = member + 1, .time_us = (uint64_t)pool->now * 1000};
	step(pool,
		(struct ownership_event){.kind = OWNERSHIP_EVENT_CLAIM, .member = member, .claim = &claim});
	return pool->grants - before;
}

void pool_init(struct pool *pool)
{
	pool_init_in(pool, false);
}

void pool_init_in(struct pool *pool, bool exclusive)
{
	struct ownership_config config = {.name = "vpn",
		.lease_ms = 3000,
		.exclusive = exclusive,
		.preempt_ms = -1,
		.member_count = POOL};
	uint32_t term = 0;

	*pool = (struct pool){.now = 100000, .obedient = true};
	for (size_t i = 0; i < POOL; i++) {
		snprintf(config.members[i], sizeof(config.members[i]), "gw-%c", (char)('a' + i));
		pool->members[i].alive = pool->members[i].fit = true;
	}
	epoch_source_init(&pool->source, 6);
	epoch_source_wants_term(&pool->source, 0, &term);
	epoch_source_claimed(&pool->source, term);
	ownership_init(&pool->ownership, &config, &pool->source, pool->now);
	for (size_t i = 0; i < POOL; i++)
		step(pool, (struct ownership_event){.kind = OWNERSHIP_EVENT_VERDICT,
				   .member = i,
				   .verdict = VERDICT_ALIVE,
				   .last_sign_ms = pool->now});
}

void pool_init_served(struct pool *pool)
{
	pool_init(pool);
	pool_pass(pool, 600);
	pool->orders = pool->releases = pool->events = pool->alarms = 0;
}

static void tick_until(struct pool *pool, int64_t until)
{
	while (ownership_deadline(&pool->ownership) <= until) {
		if (ownership_deadline(&pool->ownership) > pool->now)
			pool->now = ownership_deadline(&pool->ownership);
		int64_t before = ownership_deadline(&pool->ownership);
		step(pool, (struct ownership_event){.kind = OWNERSHIP_EVENT_TICK});
		if (ownership_deadline(&pool->ownership) == before)
			break;
	}
	pool->now = until;
}

void pool_pass(struct pool *pool, int64_t ms)
{
	int64_t end = pool->now + ms;

	while (pool->now < end) {
		tick_until(pool, pool->now + 50 < end ? pool->now + 50 : end);
		for (size_t i = 0; i < POOL; i++)
			if (pool->members[i].alive)
				pool_say(pool, i);
	}
}

void pool_serve(struct pool *pool, size_t member, struct epoch epoch)
{
	struct seat_state *seat = &pool->members[member].seat;

	seat->role = SEAT_SERVING;
	seat->epoch = epoch;
	if (epoch_compare(&epoch, &seat->highest) > 0)
		seat->highest = epoch;
}

void pool_stand_by(struct pool *pool, size_t member)
{
	pool->members[member].seat.role = SEAT_STANDBY;
}

void pool_fence(struct pool *pool, size_t member)
{
	pool->members[member].seat.role = SEAT_FENCED;
}

void pool_verdict(struct pool *pool, size_t member, enum verdict_kind kind)
{
	pool->members[member].alive = kind == VERDICT_ALIVE;
	step(pool, (struct ownership_event){.kind = OWNERSHIP_EVENT_VERDICT,
			   .member = member,
			   .verdict = kind,
			   .last_sign_ms = kind == VERDICT_ALIVE ? pool->now : pool->now - 158});
}

void pool_return(struct pool *pool, size_t member)
{
	pool_verdict(pool, member, VERDICT_ALIVE);
	pool_say(pool, member);
}

void pool_relay(struct pool *pool, size_t member, const char *about, const struct seat_state *seat)
{
	step(pool, (struct ownership_event){
			   .kind = OWNERSHIP_EVENT_RELAYED, .member = member, .about = about, .seat = seat});
}

int pool_move(struct pool *pool, size_t member, struct err *err)
{
	struct ownership_actions actions = {0};
	int rc = ownership_move(&pool->ownership, member, pool->now, &actions, err);

	pool_take_in(pool, &actions);
	return rc;
}
