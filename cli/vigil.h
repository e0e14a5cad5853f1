/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_VIGIL_H
#define HOLDFAST_CLI_VIGIL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How long a command waits for an apply: as long as the controller says that one is under way, which it ends by itself, and
 * VIGIL_MS after the last sign of that. Times are of one steady clock, in milliseconds.
 */
enum { VIGIL_MS = 60000 };

struct vigil {
	int64_t sign_ms;
};

void vigil_begin(struct vigil *vigil, int64_t now_ms);
/* What a look at the controller's status showed: under_way is false also where there was none to be had. */
void vigil_look(struct vigil *vigil, bool under_way, int64_t now_ms);
bool vigil_is_over(const struct vigil *vigil, int64_t now_ms);

#endif
