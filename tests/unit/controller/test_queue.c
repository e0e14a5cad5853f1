/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/io/agents/queue.h"

static struct queue queue;

static void setup(void)
{
	memset(&queue, 0, sizeof queue);
}

static void teardown(void)
{
	queue_clear(&queue);
}

static struct instruction order(const char *endpoint, const char *owner)
{
	struct instruction instruction = {.kind = INSTRUCTION_ORDER, .order.epoch = {.term = 1, .n = 1}};
	strcpy(instruction.order.endpoint, endpoint);
	strcpy(instruction.order.owner, owner);
	return instruction;
}

static struct instruction stage(uint64_t generation)
{
	struct desired *desired = desired_new();
	desired->generation = generation;
	desired->store = 1;
	strcpy(desired->fleet, "edge");
	strcpy(desired->gateway, "gw-a");
	desired->liveness_ms = 50;
	struct instruction instruction = {.kind = INSTRUCTION_STAGE, .stage = desired_diff(NULL, desired)};
	desired_free(desired);
	return instruction;
}

static uint64_t add(struct instruction instruction)
{
	uint64_t seq = 0;
	ck_assert_int_eq(queue_add(&queue, &instruction, &seq), 0);
	return seq;
}

START_TEST(numbers_rise_and_acknowledging_forgets)
{
	ck_assert_uint_eq(add(order("vpn", "gw-a")), 1);
	ck_assert_uint_eq(add(order("lan", "gw-a")), 2);
	ck_assert_uint_eq(add(stage(2)), 3);
	queue_acknowledge(&queue, 0);
	ck_assert_uint_eq(queue.count, 3);
	queue_acknowledge(&queue, 2);
	ck_assert_uint_eq(queue.count, 1);
	ck_assert_uint_eq(queue.items[0].seq, 3);
	queue_acknowledge(&queue, 99);
	ck_assert_uint_eq(queue.count, 0);
	ck_assert_uint_eq(add(order("vpn", "gw-b")), 4);
}
END_TEST

START_TEST(a_newer_one_replaces_a_stale_one)
{
	add(order("vpn", "gw-a"));
	add(stage(2));
	add(order("lan", "gw-a"));
	add(order("vpn", "gw-b"));
	add(stage(3));
	ck_assert_uint_eq(queue.count, 3);
	ck_assert_str_eq(queue.items[0].order.endpoint, "lan");
	ck_assert_str_eq(queue.items[1].order.owner, "gw-b");
	ck_assert_uint_eq(queue.items[2].stage->head_and_set_peers->generation, 3);
	queue_drop(&queue, INSTRUCTION_STAGE);
	ck_assert(!queue_has(&queue, INSTRUCTION_STAGE));
	ck_assert(queue_has(&queue, INSTRUCTION_ORDER));
}
END_TEST

START_TEST(it_is_bounded)
{
	char name[16];
	for (int i = 0; i < QUEUE_MAX; i++) {
		snprintf(name, sizeof name, "e%d", i);
		add(order(name, "gw-a"));
	}
	struct instruction one_more = order("beyond", "gw-a"), replacing = order("e0", "gw-b");
	ck_assert_int_eq(queue_add(&queue, &one_more, NULL), -ENOSPC);
	ck_assert_int_eq(queue_add(&queue, &replacing, NULL), 0);
	ck_assert_uint_eq(queue.count, QUEUE_MAX);
}
END_TEST

START_TEST(an_answer_has_all_of_it)
{
	struct instruction_list list;
	add(order("vpn", "gw-b"));
	add(stage(4));
	char *text =
		queue_encode(&queue, (struct instruction_list){.run = 0xabcd, .store = 0xef01, .floor = 7});
	ck_assert_int_eq(instruction_list_decode(text, strlen(text), &list, NULL), 0);
	ck_assert_uint_eq(list.run, 0xabcd);
	ck_assert_uint_eq(list.store, 0xef01);
	ck_assert_uint_eq(list.floor, 7);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_str_eq(list.items[0].order.owner, "gw-b");
	ck_assert_uint_eq(list.items[1].seq, 2);
	instruction_list_clear(&list);
	free(text);
	ck_assert_uint_eq(queue.count, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("queue");
	TCase *tests = tcase_create("queue");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, numbers_rise_and_acknowledging_forgets);
	tcase_add_test(tests, a_newer_one_replaces_a_stale_one);
	tcase_add_test(tests, it_is_bounded);
	tcase_add_test(tests, an_answer_has_all_of_it);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
