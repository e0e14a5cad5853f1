/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/token.h"

static struct token sample(void)
{
	struct token token = {.gateway = "gw-b", .controller = "https://10.8.0.20:7443"};

	memset(token.authority.bytes, 0xa5, KEY_BYTES);
	for (size_t i = 0; i < KEY_BYTES; i++)
		token.secret.bytes[i] = (uint8_t)(i * 7);
	return token;
}

static void check_arrives(const struct token *sent)
{
	char text[TOKEN_TEXT_MAX], spaced[TOKEN_TEXT_MAX + 8];
	struct token got = {0};
	struct err err = {0};

	token_encode(sent, text);
	snprintf(spaced, sizeof(spaced), "  %s\n", text);
	ck_assert_msg(token_decode(spaced, &got, &err) == 0, "%s", err.text);
	ck_assert(key_equal(&got.authority, &sent->authority) && key_equal(&got.secret, &sent->secret));
	ck_assert_str_eq(got.gateway, sent->gateway);
	ck_assert_str_eq(got.controller, sent->controller);
}

START_TEST(it_arrives)
{
	static const char *const controllers[] = {"https://c", "https://10.8.0.20:7443",
		"https://[2001:db8::20]:7443", "https://ctl.example.net:7443"};
	struct token token = sample();

	for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
		strcpy(token.controller, controllers[i]);
		check_arrives(&token);
	}
}
END_TEST

START_TEST(the_longest_arrives)
{
	struct token token = sample();

	memset(token.gateway, 'g', PROTO_NAME_MAX);
	memset(token.controller + 8, 'c', TOKEN_URL_MAX - 8);
	check_arrives(&token);
}
END_TEST

/* As an outside program (base64 and zlib of Python) writes it. */
START_TEST(its_text_is_this)
{
	static const char expected[] =
		"hf1_paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaUABw4VHCMqMTg_Rk1UW2JpcHd-hYyTmqGor7a9xMvS2Q"
		"Rndy1iFmh0dHBzOi8vMTAuOC4wLjIwOjc0NDNWlSB3";
	struct token token = sample();
	char text[TOKEN_TEXT_MAX];

	ck_assert_str_eq(token_encode(&token, text), expected);
}
END_TEST

static void check_refused(const char *text, const char *needle)
{
	struct token got;
	struct err err = {0};

	ck_assert_int_eq(token_decode(text, &got, &err), -EINVAL);
	ck_assert_msg(strstr(err.text, needle) != NULL, "%s", err.text);
}

START_TEST(every_damage_is_seen)
{
	struct token token = sample();
	char text[TOKEN_TEXT_MAX];
	size_t length = strlen(token_encode(&token, text));

	for (size_t i = 4; i < length; i++) {
		char kept = text[i];

		text[i] = kept == 'A' ? 'B' : 'A';
		check_refused(text, "damaged");
		text[i] = '\0';
		check_refused(text, "damaged");
		text[i] = kept;
	}
	strcat(text, "A");
	check_refused(text, "damaged");
}
END_TEST

START_TEST(other_words_are_no_tokens)
{
	char *longest = malloc(100000);

	check_refused("", "no token");
	check_refused("gw-b", "no token");
	check_refused("hf2_AAAA", "no token");
	check_refused("hf1_AAAA hf1_AAAA", "no token");
	check_refused("hf1_", "damaged");
	memset(longest, 'A', 99999);
	longest[99999] = '\0';
	memcpy(longest, "hf1_", 4);
	check_refused(longest, "damaged");
	free(longest);
}
END_TEST

/* It goes into a file of YAML. */
START_TEST(what_it_names_is_checked)
{
	static const char *const wrong[] = {
		"https://", "http://10.8.0.20", "https://a/b", "https://a\"b", "https://a\nb", ""};
	struct token token = sample();
	char text[TOKEN_TEXT_MAX];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		strcpy(token.controller, wrong[i]);
		check_refused(token_encode(&token, text), "does not name");
	}
	token = sample();
	strcpy(token.gateway, "../gw");
	check_refused(token_encode(&token, text), "does not name");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proto/token");
	TCase *test = tcase_create("token");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_add_test(test, it_arrives);
	tcase_add_test(test, the_longest_arrives);
	tcase_add_test(test, its_text_is_this);
	tcase_add_test(test, every_damage_is_seen);
	tcase_add_test(test, other_words_are_no_tokens);
	tcase_add_test(test, what_it_names_is_checked);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
