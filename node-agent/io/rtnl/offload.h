/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RTNL_OFFLOAD_H
#define HOLDFAST_AGENT_RTNL_OFFLOAD_H

#include <stdbool.h>

#include "common/base/err.h"

/*
 * Whether a device joins the UDP packets that it receives (generic receive offload), before nftables sees them: ethtool(8)'s
 * rx-gro-list and rx-udp-gro-forwarding, both off in a kernel that nobody has told otherwise. By ethtool's ioctl
 * (linux/ethtool.h); the device is looked up in the network namespace of the caller. Nothing is remembered between calls.
 */

/* -ENODEV: no such device. A kernel or device that knows neither joins nothing. */
int offload_joins_udp(const char *device, bool *ret_joins, struct err *err);
/* From now on it does not. -EPERM, -EOPNOTSUPP: it cannot be switched off there. */
int offload_stop_joining_udp(const char *device, struct err *err);

#endif
