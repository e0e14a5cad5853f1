/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_SWARM_PRIMITIVE_H
#define HOLDFAST_SWARM_PRIMITIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The functions that WireGuard is written in (whitepaper section 5.4: DH, AEAD, XAEAD, HASH, MAC, HMAC, KDF), by OpenSSL.
 * No I/O but the key generator's randomness. What OpenSSL refuses, out of memory say, ends the program.
 */
enum { HASH_BYTES = 32, MAC_BYTES = 16, TAG_BYTES = 16, XNONCE_BYTES = 24 };

struct piece {
	const void *bytes;
	size_t size;
};

void x25519_public(const uint8_t private_key[32], uint8_t ret_public[32]);
/* False: the other key is one of those that give zero. */
bool x25519_shared(const uint8_t private_key[32], const uint8_t public_key[32], uint8_t ret_shared[32]);

void hash_two(const void *a, size_t a_size, const void *b, size_t b_size, uint8_t ret_hash[HASH_BYTES]);
/* BLAKE2s with a key, 16 bytes of output. */
void mac_keyed(
	const uint8_t *key, size_t key_size, const void *data, size_t size, uint8_t ret_mac[MAC_BYTES]);
/* KDF_n of the whitepaper; outputs may be NULL from the right, and may be the key. */
void kdf(const uint8_t key[HASH_BYTES], const void *input, size_t size, uint8_t *first, uint8_t *second,
	uint8_t *third);

/* ChaCha20-Poly1305 under WireGuard's nonce of a counter; ret_sealed has room for size + TAG_BYTES. */
void aead_seal(const uint8_t key[32], uint64_t counter, const void *plain, size_t size, const void *ad,
	size_t ad_size, uint8_t *ret_sealed);
/* size: with the tag. False: it is not genuine. */
bool aead_open(const uint8_t key[32], uint64_t counter, const void *sealed, size_t size, const void *ad,
	size_t ad_size, uint8_t *ret_plain);
/* The same with XChaCha20-Poly1305, as cookies come. */
bool xaead_open(const uint8_t key[32], const uint8_t nonce[XNONCE_BYTES], const void *sealed, size_t size,
	const void *ad, size_t ad_size, uint8_t *ret_plain);

#endif
