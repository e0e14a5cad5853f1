/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_FRAME_H
#define HOLDFAST_IO_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"

/* ARP and neighbour discovery packets, written by hand and sent by a packet socket (packet(7), SOCK_DGRAM: the kernel
 * writes the Ethernet header). */
enum { FRAME_MAC_BYTES = 6, FRAME_BYTES_MAX = 128 };

struct frame {
	uint16_t protocol; /* ETH_P_..., host order */
	uint8_t destination[FRAME_MAC_BYTES];
	size_t length;
	uint8_t bytes[FRAME_BYTES_MAX];
};

struct frame_interface {
	unsigned index;
	uint8_t mac[FRAME_MAC_BYTES];
};

/* -ENODEV: no such interface; -EPROTONOSUPPORT: not Ethernet. fd: any socket. */
int frame_interface(int fd, const char *name, struct frame_interface *ret_interface);

/* ARP request to everybody. sender and target may be the same: an announcement; sender without a family: 0.0.0.0. */
void frame_arp_request(
	struct frame *frame, const uint8_t *mac, const struct addr *sender, const struct addr *target);
/* Unsolicited neighbour advertisement to all nodes, from the address itself, override set. */
void frame_advertisement(struct frame *frame, const uint8_t *mac, const struct addr *address, bool is_router);
/* Neighbour solicitation to the target's group. source without a family: as duplicate address detection asks. */
void frame_solicitation(
	struct frame *frame, const uint8_t *mac, const struct addr *source, const struct addr *target);

int frame_send(int fd, unsigned interface, const struct frame *frame); /* 0 or -errno; never blocks */

#endif
