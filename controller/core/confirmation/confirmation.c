/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/confirmation/confirmation.h"

void confirmation_begin(struct confirmation *confirmation, uint64_t generation, uint64_t back_to,
	int64_t given_ms, int64_t now_ms)
{
	*confirmation = (struct confirmation){.awaited = true,
		.generation = generation,
		.back_to = back_to,
		.given_ms = given_ms,
		.due_ms = now_ms + given_ms,
		.next_ms = now_ms + given_ms};
}

void confirmation_resume(struct confirmation *confirmation, uint64_t generation, uint64_t back_to,
	int64_t given_ms, int64_t deadline_ms, int64_t wall_ms, int64_t now_ms)
{
	int64_t left_ms = wall_ms < deadline_ms ? deadline_ms - wall_ms : 0;

	confirmation_begin(
		confirmation, generation, back_to, left_ms < given_ms ? left_ms : given_ms, now_ms);
	confirmation->given_ms = given_ms;
}

void confirmation_end(struct confirmation *confirmation)
{
	*confirmation = (struct confirmation){0};
}

int64_t confirmation_left_ms(const struct confirmation *confirmation, int64_t now_ms)
{
	if (!confirmation->awaited || confirmation->due_ms <= now_ms)
		return 0;
	return confirmation->due_ms - now_ms;
}

bool confirmation_is_over(const struct confirmation *confirmation, int64_t now_ms)
{
	return confirmation->awaited && now_ms >= confirmation->due_ms;
}

bool confirmation_attempt(struct confirmation *confirmation, int64_t now_ms)
{
	if (!confirmation->awaited || now_ms < confirmation->next_ms)
		return false;
	confirmation->next_ms = now_ms + CONFIRMATION_RETRY_MS;
	return true;
}

int64_t confirmation_deadline(const struct confirmation *confirmation)
{
	return confirmation->awaited ? confirmation->next_ms : -1;
}
