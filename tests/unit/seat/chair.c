/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/seat/chair.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* '\0': it is not logged. */
static char letter_of(const struct seat_action *action)
{
	static const char letters[] = {
		[SEAT_ACTION_ACQUIRE] = 'A',
		[SEAT_ACTION_RENEW] = 'N',
		[SEAT_ACTION_CLEAR] = 'C',
		[SEAT_ACTION_TAKE] = 'T',
		[SEAT_ACTION_ANNOUNCE] = 'a',
		[SEAT_ACTION_RESIGN] = 'R',
		[SEAT_ACTION_PERSIST] = 'P',
		[SEAT_ACTION_REPORT] = 'r',
		[SEAT_ACTION_REFUSED] = 'x',
		[SEAT_ACTION_ALARM] = '!',
		[SEAT_ACTION_WAKE] = 'W',
		[SEAT_ACTION_REST] = 'Z',
		[SEAT_ACTION_PROMISE] = '\0', /* the highest */
	};

	if (action->kind == SEAT_ACTION_CHANGE)
		return action->announces ? '+' : '-';
	if (action->kind == SEAT_ACTION_STEER)
		return "OSB"[action->steer];
	return letters[action->kind];
}

static void log_action(struct chair *chair, const struct seat_action *action)
{
	size_t length = strlen(chair->log);

	if (length + 1 < sizeof(chair->log)) {
		chair->log[length] = letter_of(action);
		chair->log[length + 1] = '\0';
	}
}

static void expect_permit(const struct chair *chair)
{
	ck_assert_int_gt(chair->kernel_until_ms, chair->now);
}

static void set_permit(struct chair *chair, uint32_t timeout_ms)
{
	ck_assert_uint_gt(timeout_ms, 0);
	ck_assert_uint_le(timeout_ms, chair->seat.config.lease_ms);
	chair->kernel_until_ms = chair->now + timeout_ms;
	chair->timeout_ms = timeout_ms;
}

static void persist(struct chair *chair)
{
	ck_assert_int_ge(epoch_compare(&chair->seat.disk.highest, &chair->disk.highest), 0);
	chair->disk = chair->seat.disk;
	chair->persisted++;
}

static void claim(struct chair *chair, bool widely)
{
	seat_claim_fill(&chair->seat, &chair->claim);
	chair->claimed++;
	chair->claimed_ms = chair->now;
	chair->widely = widely;
}

static void act(struct chair *chair, const struct seat_action *action)
{
	log_action(chair, action);
	switch (action->kind) {
	case SEAT_ACTION_CHANGE:
		expect_permit(chair);
		chair->announces = action->announces;
		set_permit(chair, action->timeout_ms);
		return;
	case SEAT_ACTION_ACQUIRE:
		chair->acquired++;
		chair->announces = action->announces;
		set_permit(chair, action->timeout_ms);
		return;
	case SEAT_ACTION_RENEW:
		chair->renewed++;
		expect_permit(chair);
		set_permit(chair, action->timeout_ms);
		return;
	case SEAT_ACTION_CLEAR:
		chair->cleared++;
		chair->why = action->why;
		chair->kernel_until_ms = SEAT_NEVER;
		return;
	case SEAT_ACTION_ANNOUNCE:
		chair->announced++;
		expect_permit(chair);
		return;
	case SEAT_ACTION_STEER:
		chair->steer = action->steer;
		return;
	case SEAT_ACTION_TAKE:
		chair->taken++;
		return;
	case SEAT_ACTION_RESIGN:
		chair->resigned++;
		return;
	case SEAT_ACTION_PERSIST:
		persist(chair);
		return;
	case SEAT_ACTION_REPORT:
		chair->reported++;
		return;
	case SEAT_ACTION_WITNESS:
		chair->probed++;
		return;
	case SEAT_ACTION_REFUSED:
		chair->refused++;
		chair->why = action->why;
		return;
	case SEAT_ACTION_ALARM:
		chair->alarms++;
		return;
	case SEAT_ACTION_CLAIM:
		claim(chair, action->widely);
		return;
	case SEAT_ACTION_PROMISE:
		chair->promised++;
		return;
	case SEAT_ACTION_REST:
		chair->rested++;
		return;
	case SEAT_ACTION_WAKE:
		return; /* logged, that is all */
	}
}

static void carry_out(struct chair *chair, const struct seat_event *event)
{
	struct seat_actions actions = {0};
	unsigned resigned = chair->resigned;

	seat_step(&chair->seat, event, chair->now, &actions);
	ck_assert_uint_lt(actions.count, SEAT_ACTIONS_MAX);
	for (size_t i = 0; i < actions.count; i++)
		act(chair, &actions.items[i]);
	if (chair->resigned > resigned && !chair->slow)
		carry_out(chair, &(struct seat_event){.kind = SEAT_EVENT_FORGOTTEN});
}

void chair_step(struct chair *chair, struct seat_event event)
{
	unsigned probed = chair->probed;

	chair->log[0] = '\0';
	carry_out(chair, &event);
	if (chair->witness && chair->probed > probed)
		chair_step(chair, (struct seat_event){.kind = SEAT_EVENT_WITNESS, .at_ms = chair->now});
}

void chair_event(struct chair *chair, enum seat_event_kind kind)
{
	chair_step(chair, (struct seat_event){.kind = kind});
}

void chair_carrier(struct chair *chair, bool up)
{
	chair_step(chair, (struct seat_event){.kind = SEAT_EVENT_CARRIER, .up = up});
}

void chair_fit(struct chair *chair, bool fit)
{
	chair_step(chair, (struct seat_event){.kind = SEAT_EVENT_FIT, .up = fit});
}

void chair_floor(struct chair *chair, uint64_t generation, uint64_t floor, bool confirms)
{
	chair->generation = generation;
	floor_hear(&chair->floor, floor, confirms);
	chair_step(
		chair, (struct seat_event){
			       .kind = SEAT_EVENT_FLOOR, .generation = generation, .floor = &chair->floor});
}

void chair_prepare(struct chair *chair)
{
	chair_prepare_in(chair, false);
}

void chair_prepare_in(struct chair *chair, bool exclusive)
{
	struct seat_config config = {.endpoint = "vpn",
		.gateway = "gw-a",
		.lease_ms = 3000,
		.exclusive = exclusive,
		.other_count = 2,
		.others = {"gw-b", "gw-c"}};

	config.timing = timing_from_interval(50);
	*chair = (struct chair){.now = 50000, .contact = true, .kernel_until_ms = SEAT_NEVER};
	seat_init(&chair->seat, &config, chair->now);
}

void chair_start(struct chair *chair, const struct seat_disk *disk, uint32_t permit_left_ms)
{
	if (permit_left_ms > 0)
		chair->kernel_until_ms = chair->now + permit_left_ms;
	if (disk != NULL)
		chair->disk = *disk;
	chair_step(chair, (struct seat_event){
				  .kind = SEAT_EVENT_START, .disk = disk, .permit_left_ms = permit_left_ms});
}

void chair_init(struct chair *chair)
{
	chair_prepare(chair);
	chair_start(chair, NULL, 0);
	chair_carrier(chair, true);
	chair_fit(chair, true);
	chair_floor(chair, 1, 0, true);
	chair_pass(chair, 100);
	chair->reported = chair->persisted = chair->probed = 0;
}

void chair_order_guest(struct chair *chair, uint32_t n, const char *owner, const char *guest)
{
	struct order order = {.endpoint = "vpn", .epoch = {.term = 7, .n = n}, .cause = "move"};

	snprintf(order.owner, sizeof(order.owner), "%s", owner);
	snprintf(order.guest, sizeof(order.guest), "%s", guest);
	chair_step(chair, (struct seat_event){.kind = SEAT_EVENT_ORDER, .order = &order});
}

void chair_order(struct chair *chair, uint32_t n, const char *owner)
{
	struct order order = {.endpoint = "vpn", .epoch = {.term = 7, .n = n}, .cause = "test"};

	snprintf(order.owner, sizeof(order.owner), "%s", owner);
	chair_step(chair, (struct seat_event){.kind = SEAT_EVENT_ORDER, .order = &order});
}

void chair_hear(struct chair *chair, enum seat_role role, uint32_t epoch_n, uint32_t highest_n)
{
	struct seat_state heard = {
		.endpoint = "vpn",
		.role = role,
		.epoch = {.term = epoch_n ? 7 : 0, .n = epoch_n},
		.highest = {.term = highest_n ? 7 : 0, .n = highest_n},
	};

	chair_step(chair, (struct seat_event){.kind = SEAT_EVENT_HEARD, .from = "gw-b", .heard = &heard});
}

static void tick_until(struct chair *chair, int64_t until)
{
	unsigned spins = 0;

	while (seat_deadline(&chair->seat) <= until) {
		if (seat_deadline(&chair->seat) > chair->now) {
			chair->now = seat_deadline(&chair->seat);
			spins = 0;
		}
		ck_assert_uint_lt(spins++, 8);
		chair_event(chair, SEAT_EVENT_TICK);
	}
	chair->now = until;
}

void chair_pass(struct chair *chair, int64_t ms)
{
	int64_t end = chair->now + ms;

	while (chair->now < end) {
		tick_until(chair, chair->now + 50 < end ? chair->now + 50 : end);
		if (chair->contact)
			chair_step(chair,
				(struct seat_event){.kind = SEAT_EVENT_CONTACT, .at_ms = chair->now - 10});
	}
}

void chair_stall(struct chair *chair, int64_t ms)
{
	chair->now += ms;
	chair_event(chair, SEAT_EVENT_STALLED);
}
