/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "node-agent/core/firewall/range.h"

enum { CLAIMS_MAX = 32, TRIALS = 2000, BYTE = 256 };

static struct range_claim claim(const char *prefix, const char *whose)
{
	struct range_claim to = {.whose = whose};

	ck_assert_int_eq(prefix_parse(prefix, &to.prefix, NULL), 0);
	return to;
}

static void write_down(const struct addr *first, const struct addr *last, const void *whose, void *text)
{
	char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];

	text_add(text, "%s-%s %s\n", addr_format(first, from, sizeof(from)), addr_format(last, to, sizeof(to)),
		(const char *)whose);
}

static void expect(struct range_claim *claims, size_t count, const char *expected)
{
	struct text text = {0};
	char *found;

	range_flatten(claims, count, write_down, &text);
	found = text_take(&text);
	ck_assert_str_eq(found, expected);
	free(found);
}

START_TEST(the_innermost_has_it)
{
	struct range_claim claims[] = {claim("10.0.0.0/8", "a"), claim("10.1.0.0/16", "b"), claim("10.1.2.3/32", "c"),
		claim("10.255.0.0/16", "d"), claim("192.0.2.0/24", "e")};

	expect(claims, 5,
		"10.0.0.0-10.0.255.255 a\n10.1.0.0-10.1.2.2 b\n10.1.2.3-10.1.2.3 c\n10.1.2.4-10.1.255.255 b\n"
		"10.2.0.0-10.254.255.255 a\n10.255.0.0-10.255.255.255 d\n192.0.2.0-192.0.2.255 e\n");
}
END_TEST

START_TEST(the_ends_of_the_world)
{
	struct range_claim claims[] = {claim("::/0", "a"), claim("::/128", "b"), claim("ffff::/16", "c")};

	expect(claims, 3,
		"::-:: b\n::1-fffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff a\n"
		"ffff::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff c\n");
}
END_TEST

START_TEST(equal_ones_are_all_told)
{
	struct range_claim claims[] = {claim("10.0.0.0/8", "a"), claim("10.0.0.0/8", "a"), claim("10.0.0.0/9", "b")};

	expect(claims, 3,
		"10.0.0.0-10.127.255.255 b\n10.128.0.0-10.255.255.255 a\n10.128.0.0-10.255.255.255 a\n");
	expect(claims, 0, "");
}
END_TEST

static int owner[BYTE];

static void take(const struct addr *first, const struct addr *last, const void *whose, void *context)
{
	(void)context;
	for (unsigned i = first->bytes[3]; i <= last->bytes[3]; i++)
		owner[i] = *(const uint8_t *)whose;
}

/* Of the last byte, against each address' own longest prefix. */
START_TEST(any_nesting_is_as_a_look_up_says)
{
	srand(1);
	for (int trial = 0; trial < TRIALS; trial++) {
		struct range_claim claims[CLAIMS_MAX];
		size_t count = (size_t)rand() % CLAIMS_MAX;
		uint8_t lengths[CLAIMS_MAX];

		for (size_t i = 0; i < count; i++) {
			struct prefix prefix = {.addr = {.family = AF_INET, .bytes = {10, 0, 0, (uint8_t)rand()}},
				.length = (uint8_t)(24 + rand() % 9)};

			lengths[i] = prefix.length;
			claims[i] = (struct range_claim){prefix_mask(&prefix), &lengths[i]};
		}
		memset(owner, 0, sizeof(owner));
		range_flatten(claims, count, take, NULL);
		for (unsigned at = 0; at < BYTE; at++) {
			struct addr addr = {.family = AF_INET, .bytes = {10, 0, 0, (uint8_t)at}};
			int longest = 0;

			for (size_t i = 0; i < count; i++)
				if (prefix_contains(&claims[i].prefix, &addr) && claims[i].prefix.length > longest)
					longest = claims[i].prefix.length;
			ck_assert_int_eq(owner[at], longest);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ranges");
	TCase *tcase = tcase_create("ranges");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, the_innermost_has_it);
	tcase_add_test(tcase, the_ends_of_the_world);
	tcase_add_test(tcase, equal_ones_are_all_told);
	tcase_add_test(tcase, any_nesting_is_as_a_look_up_says);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
