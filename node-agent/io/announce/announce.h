/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_ANNOUNCE_H
#define HOLDFAST_IO_ANNOUNCE_H

#include <stdbool.h>

#include "common/base/addr.h"
#include "common/base/err.h"

/*
 * Tells a segment that an address is here now. IPv4: an ARP request with sender and target the address (RFC 5227,
 * section 3, says why requests and not replies: every implementation takes its sender's address from a request, and
 * RFC 5798 does the same). IPv6: an unsolicited neighbour advertisement to all nodes with the override flag
 * (RFC 4861, section 7.2.6).
 *
 * It goes through a packet socket: it depends neither on the address being there yet nor on the firewall. So the
 * caller checks its lease before each one; pacing and repeating are the caller's too.
 */
struct announce;

int announce_open(struct announce **ret_announce, struct err *err); /* needs CAP_NET_RAW */
void announce_close(struct announce *announce);                     /* NULL-safe */

/* One announcement. is_router: the router flag of IPv6, true where the gateway forwards (it is unset on a host; hosts
 * that use the address as their router would drop it). -ENODEV: no such interface; -EPROTONOSUPPORT: not Ethernet;
 * -ENETDOWN; -EAGAIN or -ENOBUFS: the queue is full, try again with the next one. Never blocks. */
int announce_send(
	struct announce *announce, const char *interface, const struct addr *address, bool is_router);

#endif
