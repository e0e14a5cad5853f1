/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "tests/swarm/noise.h"

static void count_up(uint8_t *bytes, size_t size, uint8_t from)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(from + i);
}

/* draft-irtf-cfrg-xchacha, appendix A.3.1 */
START_TEST(xchacha_as_published)
{
	static const char plain[] =
		"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
		"future, sunscreen would be it.";
	static const char sealed_hex[] = "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731"
					 "c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c2"
					 "16cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f7"
					 "6b2383565d3fff921f9664c97637da9768812f615c6"
					 "8b13b52ec0875924c1c7987947deafd8780acf49";
	static const uint8_t ad[] = {0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7};
	uint8_t key[32], nonce[XNONCE_BYTES], sealed[sizeof(plain) - 1 + TAG_BYTES], opened[sizeof(plain)];

	count_up(key, sizeof(key), 0x80);
	count_up(nonce, sizeof(nonce), 0x40);
	ck_assert_uint_eq(strlen(sealed_hex), 2 * sizeof(sealed));
	for (size_t i = 0; i < sizeof(sealed); i++)
		sealed[i] =
			(uint8_t)strtoul((char[]){sealed_hex[2 * i], sealed_hex[2 * i + 1], '\0'}, NULL, 16);
	ck_assert(xaead_open(key, nonce, sealed, sizeof(sealed), ad, sizeof(ad), opened));
	ck_assert_mem_eq(opened, plain, sizeof(plain) - 1);
	sealed[3] ^= 1;
	ck_assert(!xaead_open(key, nonce, sealed, sizeof(sealed), ad, sizeof(ad), opened));
}
END_TEST

/* HKDF (RFC 5869) over HMAC-BLAKE2s, by OpenSSL's own HMAC. */
START_TEST(kdf_is_hkdf)
{
	uint8_t key[32], secret[32], expected[32], again[33], first[32], second[32];
	unsigned size;

	count_up(key, sizeof(key), 1);
	HMAC(EVP_blake2s256(), key, sizeof(key), (const uint8_t *)"input", 5, secret, &size);
	HMAC(EVP_blake2s256(), secret, sizeof(secret), (const uint8_t *)"\1", 1, expected, &size);
	kdf(key, "input", 5, first, second, NULL);
	ck_assert_mem_eq(first, expected, 32);
	memcpy(again, expected, 32);
	again[32] = 2;
	HMAC(EVP_blake2s256(), secret, sizeof(secret), again, sizeof(again), expected, &size);
	ck_assert_mem_eq(second, expected, 32);
}
END_TEST

struct pair {
	struct identity left, right;
	struct handshake left_handshake, right_handshake;
	uint8_t initiation[INITIATION_BYTES], response[RESPONSE_BYTES], stamp[STAMP_BYTES];
	struct keys left_keys, right_keys;
};

static void introduce(struct pair *pair)
{
	uint8_t left[32], right[32], left_public[32], right_public[32], psk[32];

	memset(pair, 0, sizeof(*pair));
	count_up(left, 32, 1);
	count_up(right, 32, 101);
	count_up(psk, 32, 7);
	x25519_public(left, left_public);
	x25519_public(right, right_public);
	ck_assert(identity_make(&pair->left, left, right_public, psk));
	ck_assert(identity_make(&pair->right, right, left_public, psk));
}

static void initiate(struct pair *pair)
{
	uint8_t secret[32], stamp[STAMP_BYTES];

	introduce(pair);
	count_up(secret, 32, 50);
	count_up(stamp, sizeof(stamp), 9);
	initiation_write(&pair->left, &pair->left_handshake, 77, secret, stamp, NULL, pair->initiation);
}

START_TEST(both_sides_agree)
{
	struct pair pair;
	uint8_t secret[32], packet[32] = "a packet", message[128], plain[64];
	uint64_t counter;
	size_t size;

	initiate(&pair);
	ck_assert(initiation_read(&pair.right, &pair.right_handshake, pair.initiation, pair.stamp));
	ck_assert_uint_eq(pair.stamp[0], 9);
	count_up(secret, 32, 60);
	response_write(&pair.right, &pair.right_handshake, 88, secret, NULL, pair.response, &pair.right_keys);
	ck_assert(response_read(&pair.left, &pair.left_handshake, pair.response, &pair.left_keys));
	ck_assert_mem_eq(pair.left_keys.send, pair.right_keys.receive, 32);
	ck_assert_mem_eq(pair.left_keys.receive, pair.right_keys.send, 32);
	ck_assert_uint_eq(pair.left_handshake.peer_index, 88);
	size = data_write(&pair.left_keys, 88, 5, packet, sizeof(packet), message);
	ck_assert_int_eq(data_read(&pair.right_keys, message, size, &counter, plain), sizeof(packet));
	ck_assert_uint_eq(counter, 5);
	ck_assert_mem_eq(plain, packet, sizeof(packet));
	ck_assert_int_eq(data_read(&pair.left_keys, message, size, &counter, plain), -1);
}
END_TEST

START_TEST(one_wrong_bit_is_refused)
{
	struct pair pair;
	uint8_t secret[32] = {60};

	initiate(&pair);
	for (size_t i = 0; i < INITIATION_BYTES - MAC_BYTES; i++) {
		pair.initiation[i] ^= 4;
		ck_assert(!initiation_read(&pair.right, &pair.right_handshake, pair.initiation, pair.stamp));
		pair.initiation[i] ^= 4;
	}
	ck_assert(initiation_read(&pair.right, &pair.right_handshake, pair.initiation, pair.stamp));
	response_write(&pair.right, &pair.right_handshake, 88, secret, NULL, pair.response, &pair.right_keys);
	for (size_t i = 0; i < RESPONSE_BYTES - MAC_BYTES; i++) {
		pair.response[i] ^= 4;
		ck_assert(!response_read(&pair.left, &pair.left_handshake, pair.response, &pair.left_keys));
		pair.response[i] ^= 4;
	}
	ck_assert(response_read(&pair.left, &pair.left_handshake, pair.response, &pair.left_keys));
}
END_TEST

START_TEST(another_preshared_key_is_refused)
{
	struct pair pair;
	uint8_t secret[32] = {60};

	initiate(&pair);
	pair.right.psk[0] ^= 1;
	ck_assert(initiation_read(&pair.right, &pair.right_handshake, pair.initiation, pair.stamp));
	response_write(&pair.right, &pair.right_handshake, 88, secret, NULL, pair.response, &pair.right_keys);
	ck_assert(!response_read(&pair.left, &pair.left_handshake, pair.response, &pair.left_keys));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("noise");
	TCase *tcase = tcase_create("noise");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, xchacha_as_published);
	tcase_add_test(tcase, kdf_is_hkdf);
	tcase_add_test(tcase, both_sides_agree);
	tcase_add_test(tcase, one_wrong_bit_is_refused);
	tcase_add_test(tcase, another_preshared_key_is_refused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
