/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_LOCK_H
#define HOLDFAST_AGENT_QUICK_LOCK_H

/* One lock a tunnel, one for what all tunnels of a network namespace share. */

#include <stdbool.h>

struct quick;

/* They wait, as long as quick->lock_timeout_ms lets them: then -EAGAIN, with an err. */
int quick_lock(struct quick *quick);
void quick_unlock(struct quick *quick);  /* both */
int quick_try_lock(struct quick *quick); /* -EAGAIN: a command has it */
/* While it is kept: was -EAGAIN that of a lock? A process that cannot be started says the same. */
bool quick_found_lock_taken(const struct quick *quick);
/* Marks, tables and parameters of the kernel are chosen and used under one lock for all interfaces of the namespace. */
int quick_lock_routes(struct quick *quick);
void quick_unlock_routes(struct quick *quick);

#endif
