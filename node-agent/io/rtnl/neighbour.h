/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RTNL_NEIGHBOUR_H
#define HOLDFAST_AGENT_RTNL_NEIGHBOUR_H

#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/rtnl/rtnl.h"

/* The link-layer address of a neighbour, as the kernel knows it (rtnetlink(7), RTM_GETNEIGH). -ENOENT: it knows of
 * none, or is asking just now; -EAFNOSUPPORT: it is no Ethernet address. */
int rtnl_neighbour_get(struct rtnl *rtnl, unsigned ifindex, const struct addr *address,
	uint8_t ret_mac[RTNL_MAC_BYTES], struct err *err);

#endif
