/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_ICMP_H
#define HOLDFAST_ICMP_H

#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"

/*
 * Echo requests of both families (RFC 792, RFC 4443), to learn whether a kernel answers while its daemon does not.
 * Raw sockets, opened once; a cookie in each request keeps forged and foreign replies out.
 */
struct icmp;

enum { ICMP_FDS = 2 };

struct icmp_answer {
	struct addr from;
	uint16_t sequence;   /* as sent */
	int64_t received_us; /* CLOCK_MONOTONIC, from the kernel's time stamp of the packet */
};

int icmp_open(struct icmp **ret_icmp, struct err *err); /* needs CAP_NET_RAW */
void icmp_close(struct icmp *icmp);                     /* NULL-safe */

/* Sockets to watch for reading: IPv4 and IPv6 (-1 where the host has no IPv6). On either: icmp_read() until 0. */
void icmp_fds(const struct icmp *icmp, int ret_fds[ICMP_FDS]);

/* One request, without blocking. interface: NULL or "": wherever the route leads. source: NULL or without a family:
 * the kernel's choice. -ENODEV, -ENETUNREACH, -EHOSTUNREACH, -EAGAIN, -EPERM (a firewall) and the like; all mean only
 * that this request did not leave. */
int icmp_send(struct icmp *icmp, const struct addr *to, const char *interface, const struct addr *source,
	uint16_t sequence);

/* 1: an answer to a request of this struct; 0: none is waiting; -errno. */
int icmp_read(struct icmp *icmp, struct icmp_answer *ret_answer);

#endif
