/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/seat/sleepers.h"

#include <check.h>
#include <string.h>

struct wake *wake;
struct wake_actions actions;
int64_t now;
size_t poked, recreated, restored, spins;
bool looking, telling;

void sleepers_begin(void)
{
	now = START;
	looking = telling = true;
	poked = recreated = restored = 0;
	wake = wake_new(now, 12345);
}

void sleepers_end(void)
{
	wake_free(wake);
}

struct wake_peer peer(uint32_t number)
{
	struct wake_peer p = {.tunnel = "wg0",
		.endpoint = {.addr = {.family = AF_INET, .bytes = {192, 0, 2, 1}}, .port = 1},
		.handshake_ms = START - 1000,
		.active_ms = START - 1000 - number,
		.stamp_ns = 5};

	memcpy(p.public_key.bytes, &number, sizeof(number));
	return p;
}

void add(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct wake_peer p = peer(i);
		ck_assert(wake_add(wake, &p));
	}
}

bool back(uint32_t number)
{
	struct wake_peer p = peer(number);

	return wake_handshake(wake, "wg0", &p.public_key, 6, now);
}

void step(void)
{
	wake_step(wake, now, &actions);
	for (size_t i = 0; i < actions.count; i++) {
		poked += actions.items[i].kind == WAKE_POKE;
		recreated += actions.items[i].kind == WAKE_RECREATE;
		restored += actions.items[i].kind == WAKE_RESTORE;
		if (telling)
			wake_told(wake, &actions.items[i], true, now);
	}
}

void look(void)
{
	if (looking)
		wake_looked(wake, "wg0", now);
}

void step_while_due(void)
{
	for (spins = 0; wake_deadline(wake) <= now; spins++) {
		ck_assert_uint_lt(spins, 100);
		step();
	}
}

void run_until(int64_t until)
{
	for (step_while_due(); now < until; step_while_due()) {
		now++;
		look();
	}
}
