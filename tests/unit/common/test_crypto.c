/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mac and key_pair, against published vectors; clock beside them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/io/clock.h"
#include "common/io/key_pair.h"
#include "common/io/mac.h"
#include "common/io/signature.h"

static struct key key_of(const char *hex)
{
	struct key key;

	ck_assert_int_eq(key_parse_hex(hex, &key), 0);
	return key;
}

/* RFC 7748 6.1. */
START_TEST(public_keys_follow_rfc_7748)
{
	struct key private_key, expected, public_key;

	private_key = key_of("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
	expected = key_of("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
	key_pair_public(&private_key, &public_key);
	ck_assert(key_equal(&public_key, &expected));
}
END_TEST

START_TEST(new_keys_are_clamped_and_differ)
{
	struct key a, b;

	key_pair_generate(&a);
	key_pair_generate(&b);
	ck_assert(!key_equal(&a, &b));
	ck_assert_uint_eq(a.bytes[0] & 7, 0);
	ck_assert_uint_eq(a.bytes[31] & 0xc0, 0x40);
	key_random(&b);
	ck_assert(!key_is_zero(&b));
}
END_TEST

/* RFC 8032 7.1, test 2. */
START_TEST(signatures_follow_rfc_8032)
{
	static const uint8_t message[] = {0x72};
	struct key seed = key_of("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
	struct key expected = key_of("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
	struct key first = key_of("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da");
	struct key second = key_of("085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
	uint8_t signature[SIGNATURE_BYTES];
	struct key public_key;

	signature_public_key(&seed, &public_key);
	ck_assert(key_equal(&public_key, &expected));
	signature_make(&seed, message, sizeof message, signature);
	ck_assert_mem_eq(signature, first.bytes, KEY_BYTES);
	ck_assert_mem_eq(signature + KEY_BYTES, second.bytes, KEY_BYTES);
	ck_assert(signature_check(&public_key, message, sizeof message, signature));
	ck_assert(!signature_check(&public_key, message, 0, signature));
	ck_assert(!signature_check(&seed, message, sizeof message, signature));
	signature[63] ^= 1;
	ck_assert(!signature_check(&public_key, message, sizeof message, signature));
}
END_TEST

/* RFC 4231's keys are of other lengths; a shorter key padded with zeros to the block is the same key (RFC 2104 2), so test
 * case 2 ("Jefe") fits. */
START_TEST(macs_follow_rfc_4231)
{
	static const uint8_t expected[MAC_BYTES] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a,
		0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7};
	static const char data[] = "what do ya want for nothing?";
	struct key key = {.bytes = "Jefe"};
	uint8_t mac[MAC_BYTES];

	mac_compute(&key, data, sizeof data - 1, mac);
	ck_assert_mem_eq(mac, expected, MAC_BYTES);
	ck_assert(mac_check(&key, data, sizeof data - 1, mac));
	ck_assert(!mac_check(&key, data, sizeof data - 2, mac));
	mac[15] ^= 1;
	ck_assert(!mac_check(&key, data, sizeof data - 1, mac));
}
END_TEST

START_TEST(derived_keys_depend_on_label_and_context)
{
	struct key secret = {.bytes = {1}}, a, b;

	mac_derive(&secret, "pair", "x", &a);
	mac_derive(&secret, "pair", "x", &b);
	ck_assert(key_equal(&a, &b));
	mac_derive(&secret, "pai", "rx", &b);
	ck_assert(!key_equal(&a, &b));
	mac_derive(&secret, "pair", "y", &b);
	ck_assert(!key_equal(&a, &b));
}
END_TEST

/* FIPS 180-2 B.1 and the empty message. */
START_TEST(hashes_follow_fips_180)
{
	char hex[SHA256_HEX_MAX];

	ck_assert_str_eq(sha256_hex("abc", 3, hex),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_str_eq(
		sha256_hex("", 0, hex), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(clocks_go_forward)
{
	int64_t ms = clock_now_ms(), us = clock_now_us(), boot = clock_boottime_ms();

	ck_assert_int_ge(us / 1000, ms);
	ck_assert_int_ge(clock_now_us(), us);
	ck_assert_int_ge(clock_boottime_ms(), boot);
	ck_assert_int_gt(clock_wall_ms(), INT64_C(1577836800000)); /* 2020 */
	ck_assert_uint_ne(clock_boot_id(), 0);
	ck_assert_uint_ne(clock_boot_id(), clock_boot_id());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crypto");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, public_keys_follow_rfc_7748);
	tcase_add_test(tcase, new_keys_are_clamped_and_differ);
	tcase_add_test(tcase, macs_follow_rfc_4231);
	tcase_add_test(tcase, signatures_follow_rfc_8032);
	tcase_add_test(tcase, derived_keys_depend_on_label_and_context);
	tcase_add_test(tcase, hashes_follow_fips_180);
	tcase_add_test(tcase, clocks_go_forward);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
