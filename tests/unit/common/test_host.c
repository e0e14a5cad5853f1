/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/host.h"

/* count times 'a', then the rest. */
static char *long_name(size_t count, const char *rest)
{
	static char text[600];

	memset(text, 'a', count);
	strcpy(text + count, rest);
	return text;
}

START_TEST(names_of_hosts)
{
	static const char *const right[] = {"a", "site1.example.net", "site1.example.net.", "1and1.com",
		"a-b_c.d", "A.de", "x.1a", "_wg.example.net"};
	static const char *const wrong[] = {"", ".", "..", "a..b", "-a.b", "a-.b", "a.b-", "192.0.2.1", "a.1",
		"1", "a b", "a:b", "a/b", "[a]", "\xc3\xa4.de"};

	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++)
		ck_assert_msg(host_is_name(right[i]), "%s", right[i]);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_msg(!host_is_name(wrong[i]), "%s", wrong[i]);
}
END_TEST

START_TEST(limits)
{
	char name[300] = "";

	ck_assert(host_is_name(long_name(63, ".b")));
	ck_assert(!host_is_name(long_name(64, ".b")));
	for (int i = 0; i < 126; i++)
		strcat(name, "a.");
	strcat(name, "b");
	ck_assert_uint_eq(strlen(name), HOST_MAX);
	ck_assert(host_is_name(name));
	strcat(name, ".");
	ck_assert(!host_is_name(name));
}
END_TEST

static int parse(const char *text, struct err *err)
{
	char name[HOST_MAX + 1] = "as it was";
	uint16_t port = 7;
	int r = host_parse(text, name, &port, err);

	if (r < 0) {
		ck_assert_str_eq(name, "as it was");
		ck_assert_uint_eq(port, 7);
	}
	return r;
}

START_TEST(name_and_port)
{
	char name[HOST_MAX + 1];
	uint16_t port;
	struct err err;

	ck_assert_int_eq(host_parse("site1.example.net:51820", name, &port, NULL), 0);
	ck_assert_str_eq(name, "site1.example.net");
	ck_assert_uint_eq(port, 51820);
	ck_assert_int_eq(host_parse("a:65535", name, &port, NULL), 0);
	ck_assert_int_eq(parse("a:65536", &err), -EINVAL);
	ck_assert_int_eq(parse("a:0", &err), -EINVAL);
	ck_assert_int_eq(parse("a:", &err), -EINVAL);
	ck_assert_int_eq(parse(":1", &err), -EINVAL);
	ck_assert_int_eq(parse("a", &err), -EINVAL);
	ck_assert_int_eq(parse("", &err), -EINVAL);
	ck_assert_int_eq(parse("a:b:1", &err), -EINVAL);
	ck_assert_str_eq(err.text, "\"a:b\" is not the name of a host");
	ck_assert_int_eq(parse("192.0.2.1:1", &err), -EINVAL);
	ck_assert_int_eq(parse(long_name(500, ":1"), &err), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("host");
	TCase *tests = tcase_create("host");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, names_of_hosts);
	tcase_add_test(tests, limits);
	tcase_add_test(tests, name_and_port);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
