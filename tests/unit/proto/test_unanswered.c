/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/instruction.h"
#include "proto/report.h"
#include "tests/unit/proto/sample.h"

static int decode_orders(char *text, struct instruction_list *list, struct err *err)
{
	int r = instruction_list_decode(text, strlen(text), list, err);

	free(text);
	return r;
}

static int decode_report(char *text, struct err *err)
{
	struct report report = {0};
	int r = report_decode(text, strlen(text), &report, err);

	free(text);
	report_clear(&report);
	return r;
}

static struct instruction_list load(void)
{
	struct instruction_list list;
	size_t size;

	ck_assert_int_eq(decode_orders(sample_text("orders-unanswered.json", &size), &list, NULL), 0);
	return list;
}

START_TEST(an_owners_word_arrives)
{
	struct instruction_list list = load();
	const struct unanswered_news *news = list.items[0].unanswered;
	struct unanswered_news *copy;

	ck_assert_int_eq(list.items[0].kind, INSTRUCTION_UNANSWERED);
	ck_assert(unanswered_news_is_of(news, "wg2") && !unanswered_news_is_of(news, "wg1"));
	ck_assert_uint_eq(news->count, 2);
	ck_assert_uint_eq(news->items[1].prefix.length, 64);
	copy = unanswered_news_copy(news);
	ck_assert(unanswered_news_equal(copy, news));
	copy->items[1].prefix.length = 63;
	ck_assert(!unanswered_news_equal(copy, news));
	copy->items[1].prefix.length = 64;
	copy->tunnel_count--;
	ck_assert(!unanswered_news_equal(copy, news));
	unanswered_news_free(copy);
	instruction_list_clear(&list);
}
END_TEST

START_TEST(of_instructions_at_and_beyond_the_limit)
{
	static const struct {
		const char *path, *error;
		size_t most;
	} lists[] = {
		{"instructions.0.unanswered.tunnels",
			"instructions[0].unanswered.tunnels: 65 items are too many: at most 64",
			PROTO_TUNNELS_MAX},
		{"instructions.0.unanswered.claims",
			"instructions[0].unanswered.claims: 4097 items are too many: at most 4096",
			UNANSWERED_TOLD_MAX},
	};
	struct instruction_list list;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
		ck_assert_int_eq(decode_orders(sample_with_items("orders-unanswered.json", lists[i].path,
						       lists[i].most),
					 &list, NULL),
			0);
		instruction_list_clear(&list);
		ck_assert_int_eq(decode_orders(sample_with_items("orders-unanswered.json", lists[i].path,
						       lists[i].most + 1),
					 &list, &err),
			-EINVAL);
		ck_assert_str_eq(err.text, lists[i].error);
	}
}
END_TEST

START_TEST(of_a_report_at_and_beyond_the_limit)
{
	struct err err = {0};

	ck_assert_int_eq(
		decode_report(
			sample_with_items("report-takeover.json", "unanswered", UNANSWERED_REPORT_MAX), NULL),
		0);
	ck_assert_int_eq(decode_report(sample_with_items("report-takeover.json", "unanswered",
					       UNANSWERED_REPORT_MAX + 1),
				 &err),
		-EINVAL);
	ck_assert_str_eq(err.text, "unanswered: 257 items are too many: at most 256");
}
END_TEST

/* Whose word counts. */
START_TEST(a_report_says_what_its_gateway_serves)
{
	struct report report;
	size_t size;
	char *text = sample_text("report-takeover.json", &size);

	ck_assert_int_eq(report_decode(text, size, &report, NULL), 0);
	ck_assert(report_serves(&report, "vpn") && !report_serves(&report, "lan"));
	report.seats[0].role = SEAT_FENCED;
	ck_assert(!report_serves(&report, "vpn"));
	report_clear(&report);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unanswered");
	TCase *tcase = tcase_create("unanswered");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, an_owners_word_arrives);
	tcase_add_test(tcase, of_instructions_at_and_beyond_the_limit);
	tcase_add_test(tcase, of_a_report_at_and_beyond_the_limit);
	tcase_add_test(tcase, a_report_says_what_its_gateway_serves);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
