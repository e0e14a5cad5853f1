/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/ownership/holddown.h"

#include <string.h>

/* The last HOLDDOWN_LOSSES, the oldest first. */
static void note(struct holddown *holddown, int64_t now_ms)
{
	if (holddown->count == HOLDDOWN_LOSSES)
		memmove(holddown->losses_ms, holddown->losses_ms + 1,
			--holddown->count * sizeof(holddown->losses_ms[0]));
	holddown->losses_ms[holddown->count++] = now_ms;
}

static bool is_flapping(const struct holddown *holddown, int64_t now_ms)
{
	return holddown->count == HOLDDOWN_LOSSES && now_ms - holddown->losses_ms[0] <= HOLDDOWN_WINDOW_MS;
}

/* Doubling goes on as long as it was lost again while it was held down, or within the window after that. */
static bool is_again(const struct holddown *holddown, int64_t now_ms)
{
	return holddown->until_ms && now_ms - holddown->until_ms <= HOLDDOWN_WINDOW_MS;
}

int64_t holddown_lose(struct holddown *holddown, int64_t now_ms)
{
	bool again = is_again(holddown, now_ms);
	int64_t length_ms;

	note(holddown, now_ms);
	if (!again && !is_flapping(holddown, now_ms))
		return 0;
	length_ms = (int64_t)HOLDDOWN_FIRST_MS << (again ? ++holddown->doublings : (holddown->doublings = 0));
	if (length_ms >= HOLDDOWN_LONGEST_MS) {
		length_ms = HOLDDOWN_LONGEST_MS;
		holddown->doublings--;
	}
	holddown->until_ms = now_ms + length_ms;
	return length_ms;
}

bool holddown_is_fault(const char *cause)
{
	static const char *const faults[] = {"host-dead", "agent-down", "fenced", "lost", "unfit", "impaired"};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (!strcmp(cause, faults[i]))
			return true;
	return false;
}

bool holddown_is_on(const struct holddown *holddown, int64_t now_ms)
{
	return now_ms < holddown->until_ms;
}

void holddown_forgive(struct holddown *holddown)
{
	*holddown = (struct holddown){0};
}
