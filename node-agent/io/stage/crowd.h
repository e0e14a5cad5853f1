/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_STAGE_CROWD_H
#define HOLDFAST_AGENT_STAGE_CROWD_H

#include <stdbool.h>

#include "common/base/err.h"
#include "proto/desired.h"

/* Does the tunnel's device take all of its peers (node-agent/io/wireguard/capacity.h)? -E2BIG, with an err that says how many there
 * are, the limit, and what to do. */
int crowd_check(const struct desired *desired, const struct desired_tunnel *tunnel, bool userspace,
	const char *implementation, struct err *err);

#endif
