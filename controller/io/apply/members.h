/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_MEMBERS_H
#define HOLDFAST_CONTROLLER_IO_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/io/apply/apply.h"

struct agents;

/* The gateways of an apply, and how far each is. */
struct members {
	size_t count;
	struct apply_member *items; /* owned */
};

/* One for each gateway of the generation, in its order: who is connected takes part. */
void members_make(struct members *members, const struct generation *generation, struct agents *agents);
void members_clear(struct members *members);

struct apply_member *members_find(const struct members *members, const char *gateway); /* NULL */
size_t members_count_in(const struct members *members, enum apply_state state);
bool members_any_in(const struct members *members, enum apply_state state);
/* Is any away for a moment, and not given up yet? */
bool members_any_lost(const struct members *members);
/* Is any of those that prepare still to be sent its stage, or may it be busy with it? now_ms: monotonic. */
bool members_any_takes_in(const struct members *members, struct agents *agents, int64_t now_ms);

#endif
