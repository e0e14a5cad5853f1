/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "node-agent/core/repair/way.h"

static struct addr addr(const char *text)
{
	struct addr result = {0};

	if (addr_parse(text, &result, NULL))
		abort();
	return result;
}

static struct way way(const char *to, const char *via, const char *device, uint32_t mtu)
{
	struct way result = {
		.to = addr(to), .reachable = true, .via = addr(via), .src = addr("10.0.0.2"), .mtu = mtu};

	text_copy(result.device, sizeof(result.device), device);
	return result;
}

static struct ways before, now;

static void setup(void)
{
	before = (struct ways){.count = 2};
	before.items[0] = way("203.0.113.7", "10.0.0.1", "eth0", 1500);
	before.items[1] = way("203.0.113.8", "10.0.0.1", "eth0", 1500);
	now = before;
}

static const struct way *change(void)
{
	const struct way *was;

	return ways_first_change(&before, &now, &was);
}

START_TEST(what_is_as_it_was_is_no_change)
{
	ck_assert_ptr_null(change());
	now.items[0] = before.items[1];
	now.items[1] = before.items[0];
	ck_assert_ptr_null(change());
}
END_TEST

START_TEST(gateway_device_source_and_mtu_count)
{
	now.items[1].via = addr("10.0.0.254");
	ck_assert_ptr_eq(change(), &now.items[1]);
	setup();
	text_copy(now.items[1].device, sizeof(now.items[1].device), "eth1");
	ck_assert_ptr_eq(change(), &now.items[1]);
	setup();
	now.items[0].src = addr("10.0.0.3");
	ck_assert_ptr_eq(change(), &now.items[0]);
	setup();
	now.items[0].mtu = 1400;
	ck_assert_ptr_eq(change(), &now.items[0]);
	setup();
	now.items[0].reachable = false;
	ck_assert_ptr_eq(change(), &now.items[0]);
}
END_TEST

START_TEST(of_a_way_that_is_none_nothing_else_counts)
{
	before.items[0].reachable = now.items[0].reachable = false;
	now.items[0].mtu = 1;
	ck_assert_ptr_null(change());
}
END_TEST

START_TEST(a_new_peer_is_no_change_of_the_underlay)
{
	before.count = 1;
	ck_assert_ptr_null(change());
	before.count = 0;
	ck_assert_ptr_null(change());
}
END_TEST

START_TEST(it_reads_as_ip_says_it)
{
	char text[WAY_TEXT_MAX];

	ck_assert_str_eq(way_format(&now.items[0], text), "via 10.0.0.1 dev eth0 src 10.0.0.2 mtu 1500");
	now.items[0].via = now.items[0].src = (struct addr){0};
	ck_assert_str_eq(way_format(&now.items[0], text), "dev eth0 mtu 1500");
	now.items[0].reachable = false;
	ck_assert_str_eq(way_format(&now.items[0], text), "none");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("way");
	TCase *tests = tcase_create("way");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, what_is_as_it_was_is_no_change);
	tcase_add_test(tests, gateway_device_source_and_mtu_count);
	tcase_add_test(tests, of_a_way_that_is_none_nothing_else_counts);
	tcase_add_test(tests, a_new_peer_is_no_change_of_the_underlay);
	tcase_add_test(tests, it_reads_as_ip_says_it);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
