/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/key.h"

/* Any 32 bytes. */
static const char hex[] = "77076d0a7318a57d3c16c17251b26645c6eb0c2ce6f2b7e8a4bb3d9e8d1c6b2a";

START_TEST(text_goes_there_and_back)
{
	char text[KEY_TEXT_MAX], back[KEY_HEX_MAX];
	struct key a, b;

	ck_assert_int_eq(key_parse_hex(hex, &a), 0);
	ck_assert_uint_eq(strlen(key_format(&a, text)), KEY_TEXT_LENGTH);
	ck_assert_int_eq(key_parse(text, &b, NULL), 0);
	ck_assert(key_equal(&a, &b));
	ck_assert_str_eq(key_format_hex(&b, back), hex);
}
END_TEST

START_TEST(every_byte_is_coded_as_base64_is)
{
	char text[KEY_TEXT_MAX];
	struct key key;

	for (size_t i = 0; i < KEY_BYTES; i++)
		key.bytes[i] = (uint8_t)(i * 8 + 3);
	ck_assert_str_eq(key_format(&key, text), "AwsTGyMrMztDS1NbY2tze4OLk5ujq7O7w8vT2+Pr8/s=");
	memset(key.bytes, 0xff, KEY_BYTES);
	ck_assert_str_eq(key_format(&key, text), "//////////////////////////////////////////8=");
	memset(key.bytes, 0, KEY_BYTES);
	ck_assert_str_eq(key_format(&key, text), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	ck_assert(key_is_zero(&key));
	key.bytes[31] = 1;
	ck_assert(!key_is_zero(&key));
}
END_TEST

START_TEST(what_is_no_key_is_refused_and_not_repeated)
{
	static const char *const texts[] = {"", "AAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* 43 */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", /* bits beyond the 256th */
		"AAAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAA=",
		"AAAAAAAAAAAAAAAAAAAAA-AAAAAAAAAAAAAAAAAAAAA=",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="};
	struct key key = {.bytes = {7}};
	struct err err;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		ck_assert_msg(key_parse(texts[i], &key, &err) == -EINVAL, "%s", texts[i]);
		ck_assert(texts[i][0] == '\0' || !strstr(err.text, texts[i]));
	}
	ck_assert_uint_eq(key.bytes[0], 7);
}
END_TEST

START_TEST(hex_is_64_digits)
{
	struct key key = {.bytes = {7}};

	ck_assert_int_eq(
		key_parse_hex("77076D0A7318A57D3C16C17251B26645C6EB0C2CE6F2B7E8A4BB3D9E8D1C6B2A", &key), 0);
	ck_assert_int_eq(key_parse_hex("", &key), -EINVAL);
	ck_assert_int_eq(key_parse_hex(hex + 1, &key), -EINVAL);
	ck_assert_int_eq(
		key_parse_hex("g7076d0a7318a57d3c16c17251b26645c6eb0c2ce6f2b7e8a4bb3d9e8d1c6b2a", &key),
		-EINVAL);
	ck_assert_int_eq(
		key_parse_hex("77076d0a7318a57d3c16c17251b26645c6eb0c2ce6f2b7e8a4bb3d9e8d1c6b2a0", &key),
		-EINVAL);
}
END_TEST

START_TEST(wiping_leaves_nothing)
{
	struct key key;

	ck_assert_int_eq(key_parse_hex(hex, &key), 0);
	key_wipe(&key);
	ck_assert(key_is_zero(&key));
	key_wipe(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("key");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, text_goes_there_and_back);
	tcase_add_test(tcase, every_byte_is_coded_as_base64_is);
	tcase_add_test(tcase, what_is_no_key_is_refused_and_not_repeated);
	tcase_add_test(tcase, hex_is_64_digits);
	tcase_add_test(tcase, wiping_leaves_nothing);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
