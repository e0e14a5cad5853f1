/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_PING_H
#define HOLDFAST_AGENT_PING_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"

/*
 * Echo requests (RFC 792, RFC 4443) into a tunnel, and all echo replies that come out of it, whoever asked: a packet socket
 * takes them before any firewall of this host may drop what its connection tracking does not know.
 */
struct tunnel_ping;

enum { PING_PAYLOAD_MAX = 128 };

struct tunnel_ping_answer {
	struct addr from;
	size_t size; /* of the payload, which may have been longer */
	uint8_t payload[PING_PAYLOAD_MAX];
};

int tunnel_ping_open(
	const char *device, struct tunnel_ping **ret_ping, struct err *err); /* needs CAP_NET_RAW */
void tunnel_ping_close(struct tunnel_ping *ping);                            /* NULL-safe */
int tunnel_ping_fd(
	const struct tunnel_ping *ping); /* to watch for reading: then tunnel_ping_read() until 0 */
/* Without blocking; its source is the kernel's choice. -errno: it did not leave. */
int tunnel_ping_send(struct tunnel_ping *ping, const struct addr *to, const uint8_t *payload, size_t size);
/* 1: an answer; 0: none is waiting; -errno. */
int tunnel_ping_read(struct tunnel_ping *ping, struct tunnel_ping_answer *ret_answer);

#endif
