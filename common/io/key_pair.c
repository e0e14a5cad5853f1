/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/key_pair.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>

/* X25519 clamps the private key itself (RFC 7748 5), as WireGuard does, so any 32 bytes will do. The calls fail only
 * without memory or without the algorithm. */
void key_pair_public(const struct key *private_key, struct key *ret_public_key)
{
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key->bytes, KEY_BYTES);
	size_t size = KEY_BYTES;

	if (!pair || EVP_PKEY_get_raw_public_key(pair, ret_public_key->bytes, &size) != 1 ||
		size != KEY_BYTES)
		abort();
	EVP_PKEY_free(pair);
}

void key_random(struct key *ret_key)
{
	if (RAND_priv_bytes(ret_key->bytes, KEY_BYTES) != 1)
		abort();
}

void key_pair_generate(struct key *ret_private_key)
{
	key_random(ret_private_key);
	ret_private_key->bytes[0] &= 248;
	ret_private_key->bytes[31] = (ret_private_key->bytes[31] & 127) | 64;
}
