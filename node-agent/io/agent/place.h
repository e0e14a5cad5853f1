/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_PLACE_H
#define HOLDFAST_AGENT_PLACE_H

#include <stdbool.h>

#include "common/base/err.h"
#include "node-agent/io/agent/underlay.h"
#include "node-agent/io/netns/netns.h"
#include "node-agent/io/quick/keep.h"
#include "node-agent/io/resolver/resolver.h"

struct agent;

/*
 * A network namespace other than the agent's, in which there are tunnels of `holdfast up`, or their sockets. What changes
 * there is heard as it is at home: routing netlink, nftables, the ways of the underlay.
 *
 * Being listened to keeps a namespace alive, with all that is in it. So it is listened to only as long as it is found by
 * its name; who holds one asks place_is_found() now and then.
 */
struct place;

/* The same for whoever asks for the same one, until each has left it. -ENOENT: it has lost its name; -EPERM. */
int place_visit(
	struct agent *agent, const struct quick_kept_space *space, struct place **ret_place, struct err *err);
void place_leave(struct place *place); /* NULL-safe */

bool place_is(const struct place *place, const struct quick_kept_space *space);
bool place_is_found(const struct place *place);
struct underlay *place_underlay(struct place *place);
struct resolver_place place_of_resolver(const struct place *place);

/* Calls it in there, in a thread that ends with it: nobody sees the agent itself in that namespace, which would keep it
 * from being removed. Its result, or why it cannot be called. */
typedef int place_work(void *context, struct err *err);
int place_do(const struct place *place, place_work *work, void *context, struct err *err);

#endif
