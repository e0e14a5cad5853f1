/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_ALLOWED_H
#define HOLDFAST_QUICK_ALLOWED_H

#include "node-agent/core/quick/config.h"

/*
 * Who gets which allowed IP. A prefix belongs to one peer; in WireGuard it moves, without a word, to the last that
 * claims it, and a second [Peer] with the same key replaces what the first one claimed. This does the same for a whole
 * file, so that what the plan compares is what the device will hold. Disabled peers claim nothing.
 */
struct quick_allowed {
	struct prefix *prefixes; /* owned; sorted by peer */
	size_t *first;           /* owned; peer_count + 1: those of peer i are [first[i], first[i + 1]) */
	bool *superseded;        /* owned; a later [Peer] has the same key */
};

/* warnings (may be NULL): each prefix that moved, naming both peers. `file` is for them. */
void quick_allowed_init(struct quick_allowed *ret_allowed, const struct quick_config *config,
	const char *file, struct quick_texts *warnings);
void quick_allowed_clear(struct quick_allowed *allowed); /* NULL-safe */

#endif
