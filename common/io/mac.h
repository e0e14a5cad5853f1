/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_MAC_H
#define HOLDFAST_IO_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/key.h"

/* Message authentication and hashes, by OpenSSL. */
enum { MAC_BYTES = 16, SHA256_HEX_MAX = 65 };

/* HMAC-SHA256 (RFC 2104, FIPS 198-1), its first 16 bytes. */
void mac_compute(const struct key *key, const void *bytes, size_t size, uint8_t ret_mac[MAC_BYTES]);
/* Compares in constant time. */
bool mac_check(const struct key *key, const void *bytes, size_t size, const uint8_t mac[MAC_BYTES]);
/* All 32 bytes of HMAC-SHA256(key, label || 0 || context): a key for one purpose from a secret (pair keys). */
void mac_derive(const struct key *secret, const char *label, const char *context, struct key *ret_key);
/* Lower-case hex of SHA-256. Returns buffer. */
char *sha256_hex(const void *bytes, size_t size, char buffer[SHA256_HEX_MAX]);

#endif
