/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gateways of an apply, and which of them takes in megabytes, under a virtual clock. Less than a second. */
#include <check.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/io/agents/registry.h"
#include "controller/io/apply/members.h"

enum { SENT_MS = 5000, TAKES_MS = 26000 };

static struct event_base *base;
static struct agents *agents;
static struct agent *gw_a, *gw_b;
static struct members members;
static struct http_request *const poll = (struct http_request *)&base; /* only whether there is one counts */

static void nothing(struct agent *agent, void *context)
{
	(void)agent;
	(void)context;
}

static void setup(void)
{
	static struct generation_gateway gateways[] = {{.name = "gw-a"}, {.name = "gw-b"}, {.name = "gw-c"}};
	struct generation generation = {.gateway_count = ARRAY_COUNT(gateways), .gateways = gateways};

	base = event_base_new();
	agents = agents_new(base, 1, 2,
		&(struct agents_hooks){.added = nothing, .removed = nothing, .disconnected = nothing});
	gw_a = agents_admit(agents, "gw-a");
	gw_b = agents_admit(agents, "gw-b");
	gw_a->connected = gw_b->connected = true;
	gw_a->boot = 7;
	members_make(&members, &generation, agents);
}

static void teardown(void)
{
	gw_a->poll = gw_b->poll = NULL;
	members_clear(&members);
	agents_free(agents);
	event_base_free(base);
}

static bool any_takes_in(int64_t now_ms)
{
	return members_any_takes_in(&members, agents, now_ms);
}

static void send_megabytes(struct agent *agent)
{
	agent->poll = NULL;
	agent->answered_ms = SENT_MS;
	agent->takes_in_ms = TAKES_MS;
}

START_TEST(who_is_connected_takes_part)
{
	ck_assert_int_eq(members_find(&members, "gw-a")->state, APPLY_STAGING);
	ck_assert_uint_eq(members_find(&members, "gw-a")->boot, 7);
	ck_assert_int_eq(members_find(&members, "gw-c")->state, APPLY_UNREACHABLE);
	ck_assert_ptr_null(members_find(&members, "gw-d"));
	ck_assert_uint_eq(members_count_in(&members, APPLY_STAGING), 2);
	ck_assert(!members_any_in(&members, APPLY_STAGED) && !members_any_lost(&members));
	members_find(&members, "gw-b")->lost_ms = SENT_MS;
	ck_assert(members_any_lost(&members));
}
END_TEST

START_TEST(one_takes_in_for_as_long_as_its_size_says)
{
	ck_assert(!any_takes_in(SENT_MS));
	send_megabytes(gw_b);
	ck_assert(any_takes_in(SENT_MS));
	ck_assert(any_takes_in(SENT_MS + TAKES_MS - 1));
	ck_assert(!any_takes_in(SENT_MS + TAKES_MS));
}
END_TEST

/* It is away, and may still be at it. */
START_TEST(one_without_a_connection_may_take_in)
{
	send_megabytes(gw_b);
	gw_b->connected = false;
	members_find(&members, "gw-b")->lost_ms = SENT_MS + 10;
	ck_assert(any_takes_in(SENT_MS + TAKES_MS - 1));
}
END_TEST

START_TEST(who_has_answered_or_takes_no_part_is_not_waited_for)
{
	static const enum apply_state states[] = {
		APPLY_STAGED, APPLY_REFUSED, APPLY_UNREACHABLE, APPLY_COMMITTED, APPLY_PENDING};

	send_megabytes(gw_b);
	for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
		members_find(&members, "gw-b")->state = states[i];
		ck_assert(!any_takes_in(SENT_MS));
	}
}
END_TEST

/* The stages of others leave first. */
START_TEST(one_that_is_still_to_be_sent_its_stage_takes_in)
{
	struct instruction stage = {.kind = INSTRUCTION_STAGE};
	struct instruction commit = {.kind = INSTRUCTION_COMMIT, .commit = 2};

	gw_b->poll = poll;
	ck_assert(!any_takes_in(SENT_MS));
	ck_assert_int_eq(queue_add(&gw_b->queue, &commit, NULL), 0);
	ck_assert(!any_takes_in(SENT_MS));
	ck_assert_int_eq(queue_add(&gw_b->queue, &stage, NULL), 0);
	ck_assert(any_takes_in(SENT_MS));
}
END_TEST

/* It patches, hashes and loads the whole, however little travels. */
START_TEST(one_changed_peer_is_work_for_all_of_them)
{
	struct instruction stage = {.kind = INSTRUCTION_STAGE};
	struct instruction commit = {.kind = INSTRUCTION_COMMIT, .commit = 2};
	struct instruction sessions = {.kind = INSTRUCTION_SESSIONS};

	gw_b->generation_bytes = (size_t)TAKES_MS * AGENT_TAKES_IN_BYTES_PER_MS;
	ck_assert_int_eq(queue_add(&gw_b->queue, &sessions, NULL), 0);
	ck_assert_int_eq(agent_takes_in_ms(gw_b, 2000), 2000 / AGENT_TAKES_IN_BYTES_PER_MS);
	ck_assert_int_eq(queue_add(&gw_b->queue, &stage, NULL), 0);
	ck_assert_int_eq(agent_takes_in_ms(gw_b, 2000), TAKES_MS);
	queue_clear(&gw_b->queue);
	ck_assert_int_eq(queue_add(&gw_b->queue, &commit, NULL), 0);
	ck_assert_int_eq(agent_takes_in_ms(gw_b, 2000), TAKES_MS);
	gw_b->generation_bytes = 1000;
	ck_assert_int_eq(agent_takes_in_ms(gw_b, 2000), 2000 / AGENT_TAKES_IN_BYTES_PER_MS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("members");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, who_is_connected_takes_part);
	tcase_add_test(all, one_takes_in_for_as_long_as_its_size_says);
	tcase_add_test(all, one_without_a_connection_may_take_in);
	tcase_add_test(all, who_has_answered_or_takes_no_part_is_not_waited_for);
	tcase_add_test(all, one_that_is_still_to_be_sent_its_stage_takes_in);
	tcase_add_test(all, one_changed_peer_is_work_for_all_of_them);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
