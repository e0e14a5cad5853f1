/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_SIGNATURE_H
#define HOLDFAST_IO_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/key.h"

/* Ed25519 (RFC 8032), by OpenSSL. A seed is the private key; it is the caller's to wipe. */
enum { SIGNATURE_BYTES = 64 };

void signature_public_key(const struct key *seed, struct key *ret_public);
void signature_make(
	const struct key *seed, const void *bytes, size_t size, uint8_t ret_signature[SIGNATURE_BYTES]);
bool signature_check(const struct key *public_key, const void *bytes, size_t size,
	const uint8_t signature[SIGNATURE_BYTES]);

#endif
