/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_STAGING_H
#define HOLDFAST_CONTROLLER_IO_STAGING_H

struct apply;

/* The first phase of an apply: each connected gateway is asked whether it can, and may refuse, be late or be lost. Ends in
 * committing_store() or apply_fail(). What gateways answer comes in by apply.h. */

/* What a gateway lacks may be megabytes, which take a while to be found: one gateway in each turn of the loop, so that reports are
 * answered in between. Nobody waits for the last to be asked: who was asked answers meanwhile. */
void staging_ask_next(struct apply *apply);
/* Its timer is over: who takes too long, or does not come back, refuses. */
void staging_lose_patience(struct apply *apply);

#endif
