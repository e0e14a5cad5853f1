/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/vigil.h"

void vigil_begin(struct vigil *vigil, int64_t now_ms)
{
	*vigil = (struct vigil){.sign_ms = now_ms};
}

void vigil_sent(struct vigil *vigil, uint64_t sent, uint64_t size, int64_t now_ms)
{
	if (sent > vigil->sent)
		vigil->sign_ms = now_ms;
	vigil->sent = sent;
	vigil->is_sent = sent >= size;
}

void vigil_look(struct vigil *vigil, int64_t generation, int64_t now_ms)
{
	if (!generation || !vigil->is_sent)
		return;
	if (!vigil->generation)
		vigil->generation = generation;
	if (generation == vigil->generation)
		vigil->sign_ms = now_ms;
}

bool vigil_is_over(const struct vigil *vigil, int64_t now_ms)
{
	return now_ms - vigil->sign_ms >= VIGIL_MS;
}
