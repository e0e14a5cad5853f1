/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TEST_WIRE_H
#define HOLDFAST_TEST_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"

/* Packets as tests send and see them. Sockets belong to the namespace that they were opened in. */

/* UDP, bound to an address (NULL: any) and port, with a mark (0: none). */
int wire_udp(uint8_t family, const char *address, uint16_t port, uint32_t mark);
int wire_send(int fd, const char *address, uint16_t port, const char *text); /* 0 or -errno */
/* The next datagram within wait_ms: its text into buffer, its source into *ret_from; false: none came. */
bool wire_receive(int fd, char *buffer, size_t size, struct endpoint *ret_from, int wait_ms);

/* All frames of an interface, from the network header on. */
struct wire_packet {
	uint16_t protocol; /* ETH_P_..., host order */
	bool outgoing, checksum_pending;
	uint8_t source_mac[6];
	size_t length;
	uint8_t bytes[2048];
};

int wire_tap(const char *interface);
bool wire_see(int fd, struct wire_packet *packet, int wait_ms);

/* Is the UDP checksum right? With offload (checksum_pending): is it the sum of the pseudo header, as a device wants. */
bool wire_udp_checksum_ok(const struct wire_packet *packet);

bool wire_wait(int fd, int wait_ms); /* readable within that time */
int64_t wire_now_ms(void);

#endif
