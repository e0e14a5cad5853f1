/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FLOW_STATUS_H
#define HOLDFAST_FLOW_STATUS_H

/* Of a flow's status (IPS_*, linux/netfilter/nf_conntrack_common.h) what another kernel can be told. */
enum {
	FLOW_STATUS_SEEN_REPLY = 1 << 1,
	FLOW_STATUS_ASSURED = 1 << 2,
	FLOW_STATUS_SRC_NAT = 1 << 4,
	FLOW_STATUS_DST_NAT = 1 << 5,
	FLOW_STATUS_MASK =
		FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED | FLOW_STATUS_SRC_NAT | FLOW_STATUS_DST_NAT,
};

enum {
	FLOW_TIMEOUT_MAX_S =
		432000 * 2, /* twice the kernel's longest default: 5 days, of an established TCP connection */
};

#endif
