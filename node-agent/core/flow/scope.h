/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FLOW_SCOPE_H
#define HOLDFAST_FLOW_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/desired.h"
#include "proto/flow.h"

/*
 * Which flows are an endpoint's: those that go through its tunnels, or are translated to its inside addresses, and are
 * forwarded, not this gateway's own. The owner tells of no others, and a standby loads no others, whoever told of them.
 *
 * The networks of an endpoint are the addresses of its tunnels with the networks on them, the allowed IPs of their peers, and
 * its inside addresses. An allowed IP of everything (0.0.0.0/0) says nothing of where packets belong, and does not count.
 */
struct flow_scope;

/* own: addresses of this gateway. Those of the endpoint's tunnels and its inside addresses move with it, and do not count as
 * own; all others do, even within the endpoint's networks. */
struct flow_scope *flow_scope_new(const struct desired *desired, const struct desired_endpoint *endpoint,
	const struct addr *own, size_t own_count);
void flow_scope_free(struct flow_scope *scope); /* NULL-safe */

/* NULL: it is the endpoint's, and may be loaded. Else why not, in a few words. */
const char *flow_scope_refuse(const struct flow_scope *scope, const struct flow *flow);

#endif
