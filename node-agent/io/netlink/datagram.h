/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_NETLINK_DATAGRAM_H
#define HOLDFAST_AGENT_NETLINK_DATAGRAM_H

#include <linux/netlink.h>
#include <stddef.h>

/* What is left of a datagram: its messages lie one behind the other, each at a multiple of NLMSG_ALIGNTO (RFC 3549, 2.2). */
struct netlink_datagram {
	const void *messages; /* aligned to NLMSG_ALIGNTO */
	size_t size_bytes;
};

/* Take the next message off; NULL: none is left, or its length is shorter than a header or beyond the datagram. */
const struct nlmsghdr *netlink_datagram_next(struct netlink_datagram *datagram);

/*
 * Receive one from the kernel into the buffer; anybody may send to our port, and what others sent is skipped. -EAGAIN,
 * -ENOBUFS (some were lost), -EMSGSIZE (it was longer than the buffer, and is lost), or another -errno of recvfrom().
 */
int netlink_datagram_receive(int fd, void *buffer, size_t size_bytes, struct netlink_datagram *ret_datagram);

#endif
