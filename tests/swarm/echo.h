/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_SWARM_ECHO_H
#define HOLDFAST_SWARM_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An echo request in IPv4 (RFC 792), padded as WireGuard pads. Addresses in host order. Pure. */
enum { ECHO_BYTES = 28, ECHO_PADDED_BYTES = 32 };

void echo_write(uint32_t from, uint32_t to, uint16_t number, uint8_t ret[ECHO_PADDED_BYTES]);
bool echo_is_answer(const uint8_t *packet, size_t size, uint32_t from, uint32_t to);

#endif
