/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/vigil.h"

void vigil_begin(struct vigil *vigil, int64_t now_ms)
{
	vigil->sign_ms = now_ms;
}

void vigil_look(struct vigil *vigil, bool under_way, int64_t now_ms)
{
	if (under_way)
		vigil->sign_ms = now_ms;
}

bool vigil_is_over(const struct vigil *vigil, int64_t now_ms)
{
	return now_ms - vigil->sign_ms >= VIGIL_MS;
}
