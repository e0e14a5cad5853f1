/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_KEY_PAIR_H
#define HOLDFAST_IO_KEY_PAIR_H

#include "common/base/key.h"

/* WireGuard's key pairs: Curve25519 (RFC 7748), by OpenSSL. */

/* The public key that belongs to a private one, as `wg pubkey` says. */
void key_pair_public(const struct key *private_key, struct key *ret_public_key);
/* A new private key, clamped as `wg genkey` does. */
void key_pair_generate(struct key *ret_private_key);
/* 32 random bytes: preshared keys, secrets. */
void key_random(struct key *ret_key);

#endif
