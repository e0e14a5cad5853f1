/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RTNL_ADDRESS_H
#define HOLDFAST_AGENT_RTNL_ADDRESS_H

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "node-agent/io/rtnl/rtnl.h"

/* Addresses of interfaces, both families: RTM_*ADDR (linux/if_addr.h). */

#define RTNL_LIFETIME_FOREVER UINT32_MAX

struct rtnl_address {
	struct prefix
		prefix;   /* the local address with its host bits, and the length (with a peer, the peer's) */
	struct addr peer; /* the far end of a point-to-point address; none: an ordinary one */
	char device[IFNAMSIZ]; /* in requests: or ifindex; either will do */
	unsigned ifindex;      /* in requests 0: look the device up */
	uint8_t scope;         /* RT_SCOPE_UNIVERSE (0), RT_SCOPE_LINK, RT_SCOPE_HOST */
	uint32_t flags; /* IFA_F_*: in requests NODAD, NOPREFIXROUTE; in answers also TENTATIVE, DADFAILED ...
			 */
	/* Seconds. In requests valid_lft_s 0 means that neither is given: forever. Otherwise both count, and
	 * a preferred_lft_s of 0 is a deprecated address: never chosen as a source (IPv6). Answers have both,
	 * FOREVER included. The kernel removes an address whose valid_lft_s has run out. */
	uint32_t valid_lft_s, preferred_lft_s;
};

/* Addresses of one device (NULL: of all), of one family (0: both). The caller frees *ret_addresses with
 * free(). */
int rtnl_address_list(struct rtnl *rtnl, const char *device, int family, struct rtnl_address **ret_addresses,
	size_t *ret_count, struct err *err);

/* One request. RTNL_REPLACE sets lifetimes and flags of an address that is there. Deleting compares address,
 * length and device only. */
int rtnl_address_request(
	struct rtnl *rtnl, enum rtnl_op op, const struct rtnl_address *address, struct err *err);

#endif
