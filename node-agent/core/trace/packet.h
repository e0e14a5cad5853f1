/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TRACE_PACKET_H
#define HOLDFAST_TRACE_PACKET_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/addr.h"

/*
 * A packet that nobody sends: what of it is known. Everything else (lengths, TTL, who sent it ...) is not, and whatever
 * depends on that is not known either.
 */
enum trace_ct {
	TRACE_CT_NEW,
	TRACE_CT_ESTABLISHED,
	TRACE_CT_UNTRACKED,
	TRACE_CT_NONE /* not seen by it yet */
};

struct trace_mark {
	uint32_t value;
	bool unknown;
};

struct trace_packet {
	struct addr from; /* without a family: not known */
	struct addr to;   /* always has a family */
	uint8_t protocol; /* IPPROTO_TCP (a SYN), _UDP, _ICMP, _ICMPV6 (an echo request; with reply, its answer) */
	uint16_t sport, dport;             /* of TCP and UDP; 0: not known */
	char iif[IFNAMSIZ], oif[IFNAMSIZ]; /* "": has none here */
	unsigned iif_index, oif_index;
	struct trace_mark mark, ct_mark;
	enum trace_ct ct;
	bool reply;                 /* goes against the direction of its connection */
	uint8_t from_type, to_type; /* RTN_* as the routing tables see the addresses; RTN_UNSPEC: not known */
};

/* Its network header and the first bytes of its transport header, as far as they are known. */
enum { TRACE_HEADER_MAX = 40 };

struct trace_header {
	uint8_t length;
	uint8_t bytes[TRACE_HEADER_MAX];
	uint64_t unknown; /* a bit a byte */
};

void trace_network_header(const struct trace_packet *packet, struct trace_header *ret_header);
void trace_transport_header(const struct trace_packet *packet, struct trace_header *ret_header);

/* Write into the network header. Only a source or a destination as a whole changes the packet; bytes NULL: it is no longer known. */
void trace_write_network(struct trace_packet *packet, uint32_t offset, uint32_t length, const uint8_t *bytes);

/* "an ICMP echo request", "a TCP SYN to port 22". Returns buffer. */
enum { TRACE_PACKET_TEXT_MAX = 64 };
char *trace_packet_format(const struct trace_packet *packet, char buffer[TRACE_PACKET_TEXT_MAX]);

#endif
