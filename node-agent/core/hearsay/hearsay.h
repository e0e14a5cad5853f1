/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_HEARSAY_HEARSAY_H
#define HOLDFAST_HEARSAY_HEARSAY_H

#include <stdbool.h>

#include "proto/hearsay.h"

/*
 * What one gateway knows of who served an endpoint last: to be passed on to a controller that does not hear that one itself
 * (FAILOVER rules 2 and 7). Pure. Of two that serve it is the one under the higher epoch; of its words none is taken back by
 * one that was overtaken on the way.
 */

/* A proven beat of another gateway for this endpoint. True: a controller should know at once. */
bool hearsay_hear(struct hearsay *hearsay, const char *from, const struct seat_state *heard);

/* Is it worth telling, of a gateway that served under `own` last itself? */
bool hearsay_is_news(const struct hearsay *hearsay, const struct epoch *own);

#endif
