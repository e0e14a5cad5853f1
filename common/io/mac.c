/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/mac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

static void hmac_sha256(const struct key *key, const void *bytes, size_t size, uint8_t ret_whole[32])
{
	unsigned length = 0;

	/* Fails only without memory or without SHA-256: then nothing here can be trusted. */
	if (!HMAC(EVP_sha256(), key->bytes, sizeof key->bytes, bytes, size, ret_whole, &length) ||
		length != 32)
		abort();
}

void mac_compute(const struct key *key, const void *bytes, size_t size, uint8_t ret_mac[MAC_BYTES])
{
	uint8_t whole[32];

	hmac_sha256(key, bytes, size, whole);
	memcpy(ret_mac, whole, MAC_BYTES);
	mem_wipe(whole, sizeof whole);
}

bool mac_check(const struct key *key, const void *bytes, size_t size, const uint8_t mac[MAC_BYTES])
{
	uint8_t own[MAC_BYTES];

	mac_compute(key, bytes, size, own);
	return CRYPTO_memcmp(own, mac, MAC_BYTES) == 0;
}

void mac_derive(const struct key *secret, const char *label, const char *context, struct key *ret_key)
{
	struct text input = {0};

	text_add_bytes(&input, label, strlen(label) + 1);
	text_add_bytes(&input, context, strlen(context));
	hmac_sha256(secret, input.data, input.length, ret_key->bytes);
	text_clear(&input);
}

char *sha256_hex(const void *bytes, size_t size, char buffer[SHA256_HEX_MAX])
{
	struct key hash;

	if (EVP_Digest(bytes, size, hash.bytes, NULL, EVP_sha256(), NULL) != 1)
		abort();
	return key_format_hex(&hash, buffer);
}
