/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/swarm/primitive.h"

#include <endian.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { HMAC_BLOCK = 64, NONCE_BYTES = 12 };

static void must(int succeeded)
{
	if (succeeded != 1)
		abort();
}

/* Looked up once: OpenSSL would do so at each use otherwise, which takes longer than the hash. */
static const EVP_MD *blake2s(void)
{
	static EVP_MD *found;

	if (found == NULL)
		found = EVP_MD_fetch(NULL, "BLAKE2S-256", NULL);
	return found;
}

static EVP_MAC *blake2s_mac(void)
{
	static EVP_MAC *found;

	if (found == NULL)
		found = EVP_MAC_fetch(NULL, "BLAKE2SMAC", NULL);
	return found;
}

static const EVP_CIPHER *chacha20_poly1305(void)
{
	static EVP_CIPHER *found;

	if (found == NULL)
		found = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	return found;
}

/* ---- X25519 ---- */

void x25519_public(const uint8_t private_key[32], uint8_t ret_public[32])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, 32);
	size_t size = 32;

	must(key != NULL && EVP_PKEY_get_raw_public_key(key, ret_public, &size));
	EVP_PKEY_free(key);
}

bool x25519_shared(const uint8_t private_key[32], const uint8_t public_key[32], uint8_t ret_shared[32])
{
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, 32);
	EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key, 32);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(own, NULL);
	size_t size = 32;
	bool fine;

	must(own != NULL && other != NULL && context != NULL && EVP_PKEY_derive_init(context) == 1);
	fine = EVP_PKEY_derive_set_peer(context, other) == 1 &&
	       EVP_PKEY_derive(context, ret_shared, &size) == 1;
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(other);
	EVP_PKEY_free(own);
	return fine;
}

/* ---- BLAKE2s ---- */

void hash_two(const void *a, size_t a_size, const void *b, size_t b_size, uint8_t ret_hash[HASH_BYTES])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	must(context != NULL && EVP_DigestInit_ex(context, blake2s(), NULL));
	must(EVP_DigestUpdate(context, a, a_size));
	must(EVP_DigestUpdate(context, b, b_size));
	must(EVP_DigestFinal_ex(context, ret_hash, NULL));
	EVP_MD_CTX_free(context);
}

void mac_keyed(const uint8_t *key, size_t key_size, const void *data, size_t size, uint8_t ret_mac[MAC_BYTES])
{
	size_t length = MAC_BYTES;
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &length), OSSL_PARAM_construct_end()};
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(blake2s_mac());

	must(context != NULL && EVP_MAC_init(context, key, key_size, parameters));
	must(EVP_MAC_update(context, data, size));
	must(EVP_MAC_final(context, ret_mac, &length, MAC_BYTES));
	EVP_MAC_CTX_free(context);
}

/* RFC 2104; a key is never longer than a block here. */
static void hmac(const uint8_t key[HASH_BYTES], const void *data, size_t size, uint8_t ret[HASH_BYTES])
{
	uint8_t inner[HMAC_BLOCK], outer[HMAC_BLOCK], between[HASH_BYTES];

	memset(inner, 0x36, sizeof(inner));
	memset(outer, 0x5c, sizeof(outer));
	for (size_t i = 0; i < HASH_BYTES; i++) {
		inner[i] ^= key[i];
		outer[i] ^= key[i];
	}
	hash_two(inner, sizeof(inner), data, size, between);
	hash_two(outer, sizeof(outer), between, sizeof(between), ret);
}

void kdf(const uint8_t key[HASH_BYTES], const void *input, size_t size, uint8_t *first, uint8_t *second,
	uint8_t *third)
{
	uint8_t *outputs[] = {first, second, third}, secret[HASH_BYTES], chain[HASH_BYTES + 1];

	hmac(key, input, size, secret);
	for (uint8_t i = 0; i < 3 && outputs[i] != NULL; i++) {
		chain[i == 0 ? 0 : HASH_BYTES] = (uint8_t)(i + 1);
		hmac(secret, chain, i == 0 ? 1 : HASH_BYTES + 1, chain);
		memcpy(outputs[i], chain, HASH_BYTES);
	}
}

/* ---- ChaCha20-Poly1305 (RFC 8439) ---- */

static void set_nonce(uint64_t counter, uint8_t nonce[NONCE_BYTES])
{
	uint64_t little = htole64(counter);

	memset(nonce, 0, NONCE_BYTES);
	memcpy(nonce + 4, &little, sizeof(little));
}

void aead_seal(const uint8_t key[32], uint64_t counter, const void *plain, size_t size, const void *ad,
	size_t ad_size, uint8_t *ret_sealed)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint8_t nonce[NONCE_BYTES];
	int length = 0;

	set_nonce(counter, nonce);
	must(context != NULL && EVP_EncryptInit_ex(context, chacha20_poly1305(), NULL, key, nonce));
	must(ad_size == 0 || EVP_EncryptUpdate(context, NULL, &length, ad, (int)ad_size));
	must(size == 0 || EVP_EncryptUpdate(context, ret_sealed, &length, plain, (int)size));
	must(EVP_EncryptFinal_ex(context, ret_sealed + size, &length));
	must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, ret_sealed + size));
	EVP_CIPHER_CTX_free(context);
}

static bool open_under(const uint8_t key[32], const uint8_t nonce[NONCE_BYTES], const uint8_t *sealed,
	size_t size, const void *ad, size_t ad_size, uint8_t *ret_plain)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint8_t tag[TAG_BYTES];
	int length = 0;
	bool genuine;

	if (size < TAG_BYTES)
		return EVP_CIPHER_CTX_free(context), false;
	size -= TAG_BYTES;
	memcpy(tag, sealed + size, TAG_BYTES);
	must(context != NULL && EVP_DecryptInit_ex(context, chacha20_poly1305(), NULL, key, nonce));
	must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag));
	must(ad_size == 0 || EVP_DecryptUpdate(context, NULL, &length, ad, (int)ad_size));
	must(size == 0 || EVP_DecryptUpdate(context, ret_plain, &length, sealed, (int)size));
	genuine = EVP_DecryptFinal_ex(context, ret_plain + size, &length) == 1;
	EVP_CIPHER_CTX_free(context);
	return genuine;
}

bool aead_open(const uint8_t key[32], uint64_t counter, const void *sealed, size_t size, const void *ad,
	size_t ad_size, uint8_t *ret_plain)
{
	uint8_t nonce[NONCE_BYTES];

	set_nonce(counter, nonce);
	return open_under(key, nonce, sealed, size, ad, ad_size, ret_plain);
}

/* ---- XChaCha20 (draft-irtf-cfrg-xchacha section 2.2) ---- */

static uint32_t word(const uint8_t *bytes)
{
	uint32_t little;

	memcpy(&little, bytes, sizeof(little));
	return le32toh(little);
}

static void subtract(uint8_t *from, const uint8_t *what, uint8_t *ret)
{
	uint32_t difference = htole32(word(from) - word(what));

	memcpy(ret, &difference, sizeof(difference));
}

/* OpenSSL has no HChaCha20. A block of ChaCha20 is the same rounds, and then what they began with is added: taken off again
 * here, for the first and the last four words. */
static void hchacha20(const uint8_t key[32], const uint8_t nonce[16], uint8_t ret_key[32])
{
	static const uint8_t zeros[64], constants[] = "expand 32-byte k";
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint8_t block[64];
	int length = 0;

	must(context != NULL && EVP_EncryptInit_ex(context, EVP_chacha20(), NULL, key, nonce));
	must(EVP_EncryptUpdate(context, block, &length, zeros, sizeof(zeros)));
	EVP_CIPHER_CTX_free(context);
	for (size_t i = 0; i < 16; i += 4) {
		subtract(block + i, constants + i, ret_key + i);
		subtract(block + 48 + i, nonce + i, ret_key + 16 + i);
	}
}

bool xaead_open(const uint8_t key[32], const uint8_t nonce[XNONCE_BYTES], const void *sealed, size_t size,
	const void *ad, size_t ad_size, uint8_t *ret_plain)
{
	uint8_t subkey[32], rest[NONCE_BYTES] = {0};

	hchacha20(key, nonce, subkey);
	memcpy(rest + 4, nonce + 16, 8);
	return open_under(subkey, rest, sealed, size, ad, ad_size, ret_plain);
}
