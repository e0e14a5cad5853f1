/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RTNL_NETLINK_H
#define HOLDFAST_AGENT_RTNL_NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#include "node-agent/io/netlink/datagram.h"

/*
 * A netlink socket that asks and waits for the answer: netlink(7), RFC 3549. What rtnetlink and WireGuard's generic
 * netlink have in common. Messages are libmnl's. Errors are -errno; the kernel's own words for the last one, if it had
 * any (extended acknowledgements), are in netlink_why().
 */
struct netlink;

enum {
	NETLINK_BUFFER_BYTES = 65536, /* the kernel's dumps use at most 32 KiB of it per message */
	NETLINK_DUMP_TRIES = 10,      /* how often an interrupted dump is started anew */
	NETLINK_WHY_MAX = 160,
};

/* protocol: NETLINK_ROUTE, NETLINK_GENERIC. */
int netlink_open(int protocol, int timeout_ms, struct netlink **ret_netlink);
void netlink_close(struct netlink *netlink); /* NULL-safe; wipes its buffer */

/* Called for each message of an answer. Not 0: the rest of the answer is read, but not given to it, and that is the
 * result. */
typedef int netlink_callback(const struct nlmsghdr *message, void *context);

/* One request, acknowledged. The callback (NULL: none) gets the answer's messages. Sequence number and NLM_F_ACK are
 * set here. */
int netlink_talk(
	struct netlink *netlink, struct nlmsghdr *request, netlink_callback *callback, void *context);

/* A dump. When a change interrupts it (NLM_F_DUMP_INTR) restart is called, which forgets what there was, and it begins
 * anew; -EAGAIN after NETLINK_DUMP_TRIES. */
typedef void netlink_restart(void *context);
int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, netlink_callback *callback,
	netlink_restart *restart, void *context);

/* What the kernel said about the last error; "" if nothing. */
const char *netlink_why(const struct netlink *netlink);

/* Overwrite what was received last: it held keys. */
void netlink_wipe(struct netlink *netlink);

/* The pieces, for who sends many requests at once. Sequence numbers: `count` successive ones, the first is returned. */
uint32_t netlink_sequence(struct netlink *netlink, uint32_t count);
int netlink_send(struct netlink *netlink, const void *messages, size_t size_bytes);
/* The messages of one datagram of the kernel's, valid until the next receive. -ETIMEDOUT, -ENOBUFS, -EMSGSIZE. */
int netlink_receive(struct netlink *netlink, struct netlink_datagram *ret_datagram);
/* The code of an NLMSG_ERROR message: 0 (an acknowledgement) or -errno; -EPROTO if it is malformed. The kernel's words
 * go to why (of NETLINK_WHY_MAX bytes). */
int netlink_error(const struct nlmsghdr *message, char why[NETLINK_WHY_MAX]);

#endif
