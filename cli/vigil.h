/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_VIGIL_H
#define HOLDFAST_CLI_VIGIL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How long a command waits for its apply: as long as the request leaves, then as long as the controller says that this apply is
 * under way, which it ends by itself, and VIGIL_MS after the last sign of either. There is one apply at a time, and who asks for
 * one meanwhile is refused at once: what is under way before all of the request has arrived is another's, and the first that is
 * afterwards is ours. Times are of one steady clock, in milliseconds.
 */
enum { VIGIL_MS = 60000 };

struct vigil {
	int64_t sign_ms;
	uint64_t sent;      /* bytes of the request that have arrived */
	bool is_sent;       /* all of them */
	int64_t generation; /* ours; 0: it was not seen yet */
};

void vigil_begin(struct vigil *vigil, int64_t now_ms);
/* So many bytes of the request have arrived, of so many. */
void vigil_sent(struct vigil *vigil, uint64_t sent, uint64_t size, int64_t now_ms);
/* What a look at the controller's status showed: the generation of the apply under way; 0: there is none, or no status was to be
 * had. */
void vigil_look(struct vigil *vigil, int64_t generation, int64_t now_ms);
bool vigil_is_over(const struct vigil *vigil, int64_t now_ms);

#endif
