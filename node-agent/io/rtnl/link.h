/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RTNL_LINK_H
#define HOLDFAST_AGENT_RTNL_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "node-agent/io/rtnl/rtnl.h"

/* Network interfaces: RTM_*LINK (linux/if_link.h). */

enum { RTNL_KIND_MAX = 16, RTNL_MAC_BYTES = 6 };

struct rtnl_link {
	char name[IFNAMSIZ];
	char kind[RTNL_KIND_MAX]; /* "wireguard", "tun", "veth" ...; "" for hardware and lo */
	unsigned ifindex;
	unsigned flags;  /* IFF_* of linux/if.h */
	unsigned master; /* ifindex of the bridge, bond, VRF it is in; 0: none */
	uint32_t mtu;
	uint8_t operstate; /* IF_OPER_*, RFC 2863 */
	bool up;           /* IFF_UP: the administrator's will */
	bool carrier;      /* IFF_LOWER_UP: the wire's; false while down */
	bool has_mac;      /* an Ethernet address of 6 bytes is in mac */
	uint8_t mac[RTNL_MAC_BYTES];
};

/* Can the text be the name of an interface? 1 to 15 bytes, no slash, colon or white space. NULL: no. */
bool rtnl_is_device_name(const char *name);

/* -ENODEV if there is none. */
int rtnl_link_get(struct rtnl *rtnl, const char *name, struct rtnl_link *ret_link, struct err *err);
int rtnl_link_get_index(struct rtnl *rtnl, unsigned ifindex, struct rtnl_link *ret_link, struct err *err);
/* All of a kind, or all (kind NULL). The caller frees *ret_links with free(). */
int rtnl_link_list(struct rtnl *rtnl, const char *kind, struct rtnl_link **ret_links, size_t *ret_count,
	struct err *err);

/* Create a link of the kind; it starts down. -EEXIST: a link has that name; -EOPNOTSUPP: the kernel (and its
 * modules) have no such kind. */
int rtnl_link_create(struct rtnl *rtnl, const char *name, const char *kind, struct err *err);
/* The same in the network namespace of netns_fd. What the kind remembers of where it was made (a WireGuard device's
 * UDP socket) is the handle's. */
int rtnl_link_create_in(struct rtnl *rtnl, const char *name, const char *kind, int netns_fd, struct err *err);
/* To the network namespace of netns_fd: it is down there and without addresses, and may get another index; name and MTU
 * stay. -EEXIST: a link there has its name. */
int rtnl_link_move(struct rtnl *rtnl, const char *name, int netns_fd, struct err *err);
int rtnl_link_delete(struct rtnl *rtnl, const char *name, struct err *err);

/* What to change on a link; everything in one message, as the kernel applies it together. */
enum rtnl_link_set {
	RTNL_LINK_UP = 1 << 0,
	RTNL_LINK_DOWN = 1 << 1,
	RTNL_LINK_MTU = 1 << 2,
	RTNL_LINK_MULTICAST_ON = 1 << 3,
	RTNL_LINK_MULTICAST_OFF = 1 << 4,
};
struct rtnl_link_change {
	char name[IFNAMSIZ];
	unsigned set; /* enum rtnl_link_set */
	uint32_t mtu;
};
/* Kernel WireGuard binds its UDP port when it is set up: -EADDRINUSE then means that the port is taken. */
int rtnl_link_change(struct rtnl *rtnl, const struct rtnl_link_change *change, struct err *err);

#endif
