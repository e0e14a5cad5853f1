/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/flow.h"
#include "tests/unit/proto/sample.h"

static uint8_t bytes[512];
static size_t size;

static void setup(void)
{
	size = sample_hex("flows.hex", bytes, sizeof(bytes));
}

START_TEST(test_the_example)
{
	struct flow_page page;
	uint8_t *again;
	size_t again_size;

	ck_assert_int_eq(flow_page_decode(bytes, size, &page), 0);
	ck_assert_uint_eq(page.count, 2);
	ck_assert_uint_eq(page.last, 42);
	ck_assert(page.from_start && !page.more);
	ck_assert_uint_eq(page.items[0].flow.original.source_port, 40000);
	ck_assert_uint_eq(page.items[0].flow.reply.destination.bytes[3], 1);
	ck_assert_uint_eq(page.items[0].flow.timeout_s, 432000);
	ck_assert(!page.items[0].gone && page.items[1].gone);
	again = flow_page_encode(&page, &again_size);
	ck_assert_uint_eq(again_size, size);
	ck_assert(!memcmp(again, bytes, size));
	free(again);
	flow_page_clear(&page);
}
END_TEST

START_TEST(test_cut_short_anywhere)
{
	struct flow_page page;

	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *short_bytes =
			mem_copy(bytes, cut + 1); /* so that a sanitizer sees what is read beyond */

		ck_assert_int_eq(flow_page_decode(short_bytes, cut, &page), -EBADMSG);
		free(short_bytes);
	}
	ck_assert_int_eq(flow_page_decode(bytes, size + 1, &page), -EBADMSG);
}
END_TEST

static int decode_with(size_t offset, uint8_t value)
{
	struct flow_page page;
	int r;

	bytes[offset] = value;
	r = flow_page_decode(bytes, size, &page);
	if (!r)
		flow_page_clear(&page);
	return r;
}

START_TEST(test_what_is_not_in_the_format)
{
	ck_assert_int_eq(decode_with(0, 'X'), -EBADMSG);
	setup();
	ck_assert_int_eq(decode_with(2, 2), -EPROTONOSUPPORT);
	setup();
	ck_assert_int_eq(decode_with(3, 4), -EBADMSG);
	setup();
	ck_assert_int_eq(decode_with(24, 4), -EBADMSG); /* a flow's flags */
	setup();
	memset(bytes + 4, 0, 8); /* no run */
	ck_assert_int_eq(decode_with(3, 0), -EBADMSG);
}
END_TEST

static int decode_many(size_t count)
{
	struct flow_page page = {.run = 1, .count = count, .items = mem_new(count, sizeof(*page.items))};
	struct flow_page back = {0};
	uint8_t *text;
	size_t text_size;
	int r;

	for (size_t i = 0; i < count; i++) /* the longest there are */
		page.items[i].flow.original.source.family = page.items[i].flow.reply.source.family = AF_INET6;
	for (size_t i = 0; i < count; i++)
		page.items[i].flow.original.destination.family = page.items[i].flow.reply.destination.family =
			AF_INET6;
	text = flow_page_encode(&page, &text_size);
	r = flow_page_decode(text, text_size, &back);
	free(text);
	flow_page_clear(&page);
	flow_page_clear(&back);
	return r;
}

START_TEST(test_the_limit)
{
	ck_assert_int_eq(decode_many(FLOW_PAGE_ITEMS_MAX), 0);
	ck_assert_int_eq(decode_many(FLOW_PAGE_ITEMS_MAX + 1), -E2BIG);
}
END_TEST

START_TEST(test_what_makes_it_the_same)
{
	struct flow_page page;
	struct flow flow;
	struct flow_key key, other;

	ck_assert_int_eq(flow_page_decode(bytes, size, &page), 0);
	flow = page.items[0].flow;
	key = flow_key_of(&flow);
	flow.reply.destination_port++;
	flow.status++;
	flow.timeout_s++;
	other = flow_key_of(&flow);
	ck_assert(!memcmp(&key, &other, sizeof(key)));
	ck_assert(!flow_equal(&flow, &page.items[0].flow));
	flow.zone = 1;
	other = flow_key_of(&flow);
	ck_assert(memcmp(&key, &other, sizeof(key)));
	flow = page.items[0].flow;
	flow.protocol = FLOW_UDP;
	other = flow_key_of(&flow);
	ck_assert(memcmp(&key, &other, sizeof(key)));
	flow_page_clear(&page);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("flow");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_the_example);
	tcase_add_test(tcase, test_cut_short_anywhere);
	tcase_add_test(tcase, test_what_is_not_in_the_format);
	tcase_add_test(tcase, test_the_limit);
	tcase_add_test(tcase, test_what_makes_it_the_same);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
