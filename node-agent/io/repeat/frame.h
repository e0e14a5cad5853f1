/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_REPEAT_FRAME_H
#define HOLDFAST_AGENT_REPEAT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ethernet frames with a message of a WireGuard handshake in UDP over IPv4 or IPv6: initiation, response, and the empty data
 * packet with which the initiator confirms (whitepaper section 5.4). Pure. */
enum {
	HANDSHAKE_FRAME_MAX = 14 + 60 + 8 + 148, /* Ethernet, IPv4 with options, UDP, initiation */
	HANDSHAKE_INITIATION = 1,
	HANDSHAKE_RESPONSE = 2,
	HANDSHAKE_KEEPALIVE = 4,
};

/* Where a client is, and the index that it chose for a session: two may have chosen the same. Without padding, to be hashed. */
struct handshake_client {
	uint32_t index;
	uint16_t port, zero;
	uint8_t address[16]; /* IPv4: the first four, then zeros */
};

struct handshake_frame {
	size_t network, udp, payload; /* offsets */
	uint8_t kind;                 /* HANDSHAKE_* */
	uint16_t source_port, target_port;
	uint32_t index; /* the initiation's sender, the response's receiver: the same number */
	struct handshake_client client; /* of a response and of the keepalive that follows: the same */
};

/* False: it is none, or not whole. */
bool handshake_frame_parse(const uint8_t *bytes, size_t size, struct handshake_frame *ret_frame);

/* The UDP checksum anew (RFC 768, RFC 8200 section 8.1): a frame seen on its way out may still lack it, the
 * hardware was to add it. */
void handshake_frame_checksum(uint8_t *bytes, size_t size, const struct handshake_frame *frame);

#endif
