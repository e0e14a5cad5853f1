/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/addr.h"

static struct prefix prefix(const char *text)
{
	struct prefix p;

	ck_assert_int_eq(prefix_parse(text, &p, NULL), 0);
	return p;
}

static struct addr addr(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a, NULL), 0);
	return a;
}

START_TEST(addresses_go_there_and_back)
{
	static const char *const texts[] = {"0.0.0.0", "192.0.2.255", "::", "2001:db8::1", "::ffff:1.2.3.4",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
	char buffer[ADDR_TEXT_MAX];

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct addr a = addr(texts[i]);

		ck_assert_str_eq(addr_format(&a, buffer, sizeof buffer), texts[i]);
	}
}
END_TEST

START_TEST(what_is_no_address_is_named)
{
	static const char *const texts[] = {"", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "::g",
		":::", "fe80::1%eth0", "localhost", "1.2.3.4/8"};
	struct addr a = {.family = 99};
	struct err err;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		ck_assert_int_eq(addr_parse(texts[i], &a, &err), -EINVAL);
		ck_assert_ptr_nonnull(strstr(err.text, texts[i]));
	}
	ck_assert_int_eq(a.family, 99);
}
END_TEST

START_TEST(prefixes_have_lengths_of_their_family)
{
	static const char *const good[] = {"10.0.0.1/0", "10.0.0.1/32", "2001:db8::1/0", "2001:db8::1/128"};
	static const char *const bad[] = {"10.0.0.1/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8",
		"/8", "10.0.0.0/ 8", "10.0.0.0/0008", ""};
	char buffer[PREFIX_TEXT_MAX];
	struct prefix p;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		p = prefix(good[i]);
		ck_assert_str_eq(prefix_format(&p, buffer, sizeof buffer), good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(prefix_parse(bad[i], &p, NULL) == -EINVAL, "%s", bad[i]);
	p = prefix("10.0.0.1");
	ck_assert_uint_eq(p.length, 32);
	p = prefix("::1");
	ck_assert_uint_eq(p.length, 128);
}
END_TEST

START_TEST(endpoints_need_brackets_around_ipv6)
{
	static const char *const good[] = {"192.0.2.1:51820", "[2001:db8::1]:0", "[::]:65535",
		"[fe80::1%3]:51820", "[2001:db8::1%4294967295]:1"};
	static const char *const bad[] = {"192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "[192.0.2.1]:1",
		"2001:db8::1:1", "[2001:db8::1]", "[2001:db8::1:1", "[]:1", "[:1", ":1", "", "a:1",
		"192.0.2.1:+1", "192.0.2.1:000001",
		"192.0.2.1%3:1", "[fe80::1%0]:1", "[fe80::1%4294967296]:1", "[fe80::1%]:1", "[fe80::1%eth0]:1",
		"[fe80::1%3%3]:1", "[fe80::1]%3:1"};
	char buffer[ENDPOINT_TEXT_MAX];
	struct endpoint e;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		ck_assert_int_eq(endpoint_parse(good[i], &e, NULL), 0);
		ck_assert_str_eq(endpoint_format(&e, buffer, sizeof buffer), good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(endpoint_parse(bad[i], &e, NULL) == -EINVAL, "%s", bad[i]);
}
END_TEST

START_TEST(the_longest_texts_fit)
{
	struct endpoint e;
	struct prefix p = prefix("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128");
	char buffer[ENDPOINT_TEXT_MAX], small[PREFIX_TEXT_MAX];

	e = (struct endpoint){.addr = p.addr, .port = 65535};
	endpoint_format(&e, buffer, sizeof buffer);
	ck_assert_str_eq(buffer, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	e.scope = UINT32_MAX;
	endpoint_format(&e, buffer, sizeof buffer);
	ck_assert_str_eq(buffer, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
	endpoint_format_zone(&e, "abcdefghijklmno", buffer, sizeof buffer);
	ck_assert_str_eq(buffer, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%abcdefghijklmno]:65535");
	ck_assert_str_eq(
		prefix_format(&p, small, sizeof small), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	e = (struct endpoint){0};
	ck_assert_str_eq(endpoint_format(&e, buffer, sizeof buffer), "(none)");
	ck_assert_str_eq(addr_format(&e.addr, buffer, sizeof buffer), "(none)");
}
END_TEST

START_TEST(masks_clear_host_bits)
{
	static const char *const pairs[][2] = {{"10.1.2.3/8", "10.0.0.0/8"},
		{"10.1.2.255/31", "10.1.2.254/31"}, {"10.1.2.3/32", "10.1.2.3/32"},
		{"255.255.255.255/0", "0.0.0.0/0"}, {"2001:db8:ffff::1/33", "2001:db8:8000::/33"},
		{"::1/128", "::1/128"}, {"ffff::1/0", "::/0"}};

	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		struct prefix from = prefix(pairs[i][0]), to = prefix(pairs[i][1]),
			      masked = prefix_mask(&from);

		ck_assert_msg(prefix_equal(&masked, &to), "%s", pairs[i][0]);
	}
}
END_TEST

START_TEST(prefixes_cover_what_they_hold)
{
	struct prefix wide = prefix("10.50.9.9/16"), narrow = prefix("10.50.3.0/24"),
		      all4 = prefix("0.0.0.0/0"), all6 = prefix("::/0"), none = {0};
	struct addr inside = addr("10.50.255.255"), outside = addr("10.51.0.0"), six = addr("::1");

	ck_assert(prefix_covers(&wide, &narrow));
	ck_assert(prefix_covers(&wide, &wide));
	ck_assert(!prefix_covers(&narrow, &wide));
	ck_assert(prefix_covers(&all4, &wide));
	ck_assert(!prefix_covers(&all6, &wide));
	ck_assert(!prefix_covers(&none, &none));
	ck_assert(prefix_contains(&wide, &inside));
	ck_assert(!prefix_contains(&wide, &outside));
	ck_assert(prefix_contains(&all6, &six));
	ck_assert(!prefix_contains(&all4, &six));
}
END_TEST

START_TEST(order_is_family_then_bytes_then_length)
{
	struct prefix sorted[] = {
		prefix("9.0.0.0/8"), prefix("10.0.0.0/7"), prefix("10.0.0.0/8"), prefix("::/0")};

	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++) {
			int order = prefix_compare(&sorted[i], &sorted[j]);

			ck_assert_int_eq((order > 0) - (order < 0), (i > j) - (i < j));
		}
}
END_TEST

START_TEST(link_local_is_known)
{
	static const char *const yes[] = {"169.254.0.1", "fe80::1", "febf::1"};
	static const char *const no[] = {"169.253.0.1", "10.0.0.1", "fec0::1", "::1"};

	for (size_t i = 0; i < 3; i++) {
		struct addr a = addr(yes[i]);

		ck_assert(addr_is_link_local(&a));
	}
	for (size_t i = 0; i < 4; i++) {
		struct addr a = addr(no[i]);

		ck_assert(!addr_is_link_local(&a));
	}
}
END_TEST

START_TEST(a_scope_that_is_not_told_matches)
{
	struct endpoint one, other, none;

	endpoint_parse("[fe80::1%3]:1", &one, NULL);
	endpoint_parse("[fe80::1%4]:1", &other, NULL);
	endpoint_parse("[fe80::1]:1", &none, NULL);
	ck_assert(endpoint_matches(&one, &none) && endpoint_matches(&none, &one));
	ck_assert(!endpoint_equal(&one, &none) && endpoint_equal(&one, &one));
	ck_assert(!endpoint_matches(&one, &other));
	other.port = 2;
	ck_assert(!endpoint_matches(&none, &other));
}
END_TEST

START_TEST(sockaddrs_go_there_and_back)
{
	static const char *const texts[] = {"192.0.2.1:51820", "[2001:db8::1]:7443", "[fe80::1%7]:7443"};
	struct sockaddr_storage storage;
	struct endpoint there, back;

	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(endpoint_parse(texts[i], &there, NULL), 0);
		ck_assert_uint_eq(endpoint_to_sockaddr(&there, &storage),
			i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		ck_assert_int_eq(endpoint_from_sockaddr((struct sockaddr *)&storage, &back), 0);
		ck_assert(endpoint_equal(&there, &back));
	}
	there = (struct endpoint){0};
	ck_assert_uint_eq(endpoint_to_sockaddr(&there, &storage), 0);
	storage.ss_family = AF_UNIX;
	ck_assert_int_eq(endpoint_from_sockaddr((struct sockaddr *)&storage, &back), -EAFNOSUPPORT);
}
END_TEST

START_TEST(a_source_is_an_address_or_a_64)
{
	static const char *const cases[][2] = {{"192.0.2.7", "192.0.2.7"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"}, {"2001:db8:1:3::", "2001:db8:1:3::"}};
	char text[ADDR_TEXT_MAX];
	struct addr addr = {0}, source = addr_source(&addr);

	ck_assert(!addr_is_set(&source));
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(addr_parse(cases[i][0], &addr, NULL), 0);
		source = addr_source(&addr);
		ck_assert_str_eq(addr_format(&source, text, sizeof text), cases[i][1]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("addr");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, addresses_go_there_and_back);
	tcase_add_test(tcase, what_is_no_address_is_named);
	tcase_add_test(tcase, prefixes_have_lengths_of_their_family);
	tcase_add_test(tcase, endpoints_need_brackets_around_ipv6);
	tcase_add_test(tcase, the_longest_texts_fit);
	tcase_add_test(tcase, masks_clear_host_bits);
	tcase_add_test(tcase, prefixes_cover_what_they_hold);
	tcase_add_test(tcase, order_is_family_then_bytes_then_length);
	tcase_add_test(tcase, link_local_is_known);
	tcase_add_test(tcase, a_scope_that_is_not_told_matches);
	tcase_add_test(tcase, sockaddrs_go_there_and_back);
	tcase_add_test(tcase, a_source_is_an_address_or_a_64);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
