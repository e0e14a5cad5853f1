/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FORWARDING_TEST_PACKET_H
#define HOLDFAST_FORWARDING_TEST_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"

/*
 * A packet that is sent through this host to see whether it is forwarded, as an Ethernet frame. It carries a token by which it
 * is known again at its way out. A firewall that lets in some kinds only may still let in one of these. Pure.
 */
enum test_packet_kind { TEST_PACKET_ECHO /* an ICMP echo request */, TEST_PACKET_UDP, TEST_PACKET_KINDS };

enum {
	TEST_PACKET_SPORT = 33434, /* of UDP */
	TEST_PACKET_DPORT = 443,   /* QUIC: often let through, and what is no QUIC is not answered */
	TEST_PACKET_TOKEN_BYTES = 16,
	TEST_PACKET_MAC_BYTES = 6,
	TEST_PACKET_BYTES_MAX = 14 + 40 + 8 + TEST_PACKET_TOKEN_BYTES,
};

struct test_packet {
	enum test_packet_kind kind;
	uint8_t mac[TEST_PACKET_MAC_BYTES]; /* of the interface it comes in by; zeros: it has none */
	struct addr from, to;               /* one family */
	uint8_t token[TEST_PACKET_TOKEN_BYTES];
};

/* Returns its length. */
size_t test_packet_write(const struct test_packet *packet, uint8_t ret_frame[TEST_PACKET_BYTES_MAX]);

/* IPPROTO_ICMP, _ICMPV6 or _UDP. */
uint8_t test_packet_protocol(enum test_packet_kind kind, uint8_t family);

#endif
