/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/signature.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* Any 32 bytes are a seed: this fails only without memory or without Ed25519, and then nothing can be signed. */
static EVP_PKEY *load_seed(const struct key *seed)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed->bytes, KEY_BYTES);

	if (!key)
		abort();
	return key;
}

void signature_public_key(const struct key *seed, struct key *ret_public)
{
	EVP_PKEY *key = load_seed(seed);
	size_t size = KEY_BYTES;

	if (EVP_PKEY_get_raw_public_key(key, ret_public->bytes, &size) != 1 || size != KEY_BYTES)
		abort();
	EVP_PKEY_free(key);
}

void signature_make(
	const struct key *seed, const void *bytes, size_t size, uint8_t ret_signature[SIGNATURE_BYTES])
{
	EVP_PKEY *key = load_seed(seed);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t length = SIGNATURE_BYTES;

	if (!context || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
		EVP_DigestSign(context, ret_signature, &length, bytes, size) != 1 ||
		length != SIGNATURE_BYTES)
		abort();
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
}

bool signature_check(const struct key *public_key, const void *bytes, size_t size,
	const uint8_t signature[SIGNATURE_BYTES])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key->bytes, KEY_BYTES);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestVerify(context, signature, SIGNATURE_BYTES, bytes, size) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return good;
}
