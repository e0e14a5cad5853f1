/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/instruction.h"
#include "tests/unit/proto/sample.h"

static int decode(char *text, struct instruction_list *list, struct err *err)
{
	int r = instruction_list_decode(text, strlen(text), list, err);

	free(text);
	return r;
}

static struct instruction_list load(const char *name)
{
	struct instruction_list list;
	struct err err = {0};
	size_t size;
	char *text = sample_text(name, &size);

	ck_assert_msg(!decode(text, &list, &err), "%s", err.text);
	return list;
}

START_TEST(a_move_arrives_in_its_three_parts)
{
	struct instruction_list list = load("orders-move.json");

	ck_assert_uint_eq(list.run, 0x9b74c9897bac770f);
	ck_assert_uint_eq(list.count, 3);
	ck_assert_str_eq(list.items[0].order.owner, "gw-b");
	ck_assert_str_eq(list.items[0].order.guest, "gw-a");
	ck_assert_uint_eq(list.items[0].order.next.n, 4);
	ck_assert(epoch_is_zero(&list.items[2].order.next));
	ck_assert_int_eq(list.items[1].kind, INSTRUCTION_ORDER);
	ck_assert_str_eq(list.items[1].order.owner, "");
	ck_assert_str_eq(list.items[1].order.from, "gw-b");
	ck_assert_str_eq(list.items[2].order.owner, "gw-a");
	ck_assert_uint_eq(list.items[2].order.epoch.n, 4);
	ck_assert_str_eq(list.items[2].order.cause, "move");
	instruction_list_clear(&list);
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

static void set_stage(struct instruction *instruction, uint64_t generation, size_t peers)
{
	struct desired *desired = sample_desired(generation, peers);

	*instruction = (struct instruction){
		.seq = generation, .kind = INSTRUCTION_STAGE, .stage = desired_diff(NULL, desired)};
	desired_free(desired);
}

START_TEST(each_stage_has_its_own_peers)
{
	static const size_t peers[] = {2, 0, 3};
	struct instruction items[4], commit = {.seq = 9, .kind = INSTRUCTION_COMMIT, .commit = 9};
	struct instruction_list list = {.run = 1, .count = 4, .items = items}, back;

	for (size_t i = 0; i < 3; i++)
		set_stage(&items[i], i + 1, peers[i]);
	items[3] = commit;
	ck_assert_int_eq(decode(instruction_list_encode(&list), &back, NULL), 0);
	ck_assert_uint_eq(back.count, 4);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(back.items[i].stage->head_and_set_peers->peer_count, peers[i]);
		instruction_clear(&items[i]);
	}
	ck_assert_uint_eq(back.items[3].commit, 9);
	instruction_list_clear(&back);
}
END_TEST

START_TEST(stage_commit_and_sessions_arrive)
{
	struct instruction_list list = load("orders-stage.json");

	ck_assert_uint_eq(list.items[0].stage->base, 7);
	ck_assert_uint_eq(list.items[0].stage->head_and_set_peers->generation, 8);
	instruction_list_clear(&list);
	list = load("orders-commit.json");
	ck_assert_uint_eq(list.items[0].commit, 8);
	instruction_list_clear(&list);
	list = load("orders-sessions.json");
	ck_assert_uint_eq(list.items[0].sessions.count, 2);
	ck_assert_uint_eq(list.items[0].sessions.items[0].endpoint.port, 40112);
	ck_assert_uint_eq(list.items[0].sessions.items[1].age_ms, 90000);
	instruction_list_clear(&list);
}
END_TEST

/* A newer controller's: an agent that refused the list would never come to what it does know. */
START_TEST(a_kind_nobody_knows_is_passed_over)
{
	struct instruction_list list = {0};
	struct err err = {0};

	ck_assert_int_eq(
		decode(sample_with("orders-move.json", "instructions.0.kind", "\"dance\""), &list, &err), 0);
	ck_assert_int_eq(list.items[0].kind, INSTRUCTION_NOVELTY);
	ck_assert_uint_gt(list.items[0].seq, 0);
	ck_assert_int_eq(list.items[1].kind, INSTRUCTION_ORDER);
	instruction_list_clear(&list);
}
END_TEST

static const struct {
	const char *example, *path, *value, *error;
} wrong[] = {
	{"orders-move.json", "run", "7", "run: "},
	{"orders-move.json", "instructions.0.seq", "0", "instructions[0].seq: expected a number from 1 to "},
	{"orders-move.json", "instructions.1.seq", "3", "instructions[1]: its seq does not rise"},
	{"orders-move.json", "instructions.0.kind", "\"a dance\"", "instructions[0].kind: "},
	{"orders-move.json", "instructions.0.kind", "\"stage\"", "instructions[0].stage: missing"},
	{"orders-move.json", "instructions.0.order.endpoint", "\"\"",
		"instructions[0].order.endpoint: expected a name"},
	{"orders-move.json", "instructions.0.order.epoch", "\"1\"",
		"instructions[0].order.epoch: expected an epoch (TERM.N or TERM.N.MINOR)"},
	{"orders-move.json", "instructions.0.order.owner", "\"gw b\"",
		"instructions[0].order.owner: expected a name"},
	{"orders-move.json", "instructions.0.order.guest", "\"gw a\"",
		"instructions[0].order.guest: expected a name"},
	{"orders-move.json", "instructions.0.order.next", "7",
		"instructions[0].order.next: expected text, found 7"},
	{"orders-move.json", "instructions.0.order.detect_ms", "4294967296",
		"instructions[0].order.detect_ms: "},
	{"orders-drill.json", "instructions.0.drill.id", "\"0000000000000000\"",
		"instructions[0].drill: an id of 0"},
	{"orders-drill.json", "instructions.0.drill.for_ms", "60001", "instructions[0].drill.for_ms: "},
	{"orders-commit.json", "instructions.0.commit", "0", "instructions[0].commit: "},
	{"orders-stage.json", "instructions.0.stage.to.store", "\"\"", "instructions[0].stage.to.store: "},
	{"orders-sessions.json", "instructions.0.sessions.1.endpoint", "\"198.51.100.20\"",
		"instructions[0].sessions[1].endpoint: "},
	{"orders-sessions.json", "instructions.0.sessions.0.age_ms", "-1",
		"instructions[0].sessions[0].age_ms: "},
	{"orders-unanswered.json", "instructions.0.unanswered.tunnels.1", "\"wg 2\"",
		"instructions[0].unanswered.tunnels[1]: expected a name"},
	{"orders-unanswered.json", "instructions.0.unanswered.claims.1.prefix", "\"fd77::/129\"",
		"instructions[0].unanswered.claims[1].prefix: "},
};

START_TEST(a_wrong_value_is_refused_by_its_place)
{
	struct instruction_list list = {.run = 1};
	struct err err = {0};
	char *text = sample_with(wrong[_i].example, wrong[_i].path, wrong[_i].value);

	ck_assert_int_eq(decode(text, &list, &err), -EINVAL);
	ck_assert_msg(!strncmp(err.text, wrong[_i].error, strlen(wrong[_i].error)), "%s\nnot\n%s", err.text,
		wrong[_i].error);
	ck_assert_uint_eq(list.run, 1);
}
END_TEST

static char *encode_commits(size_t count)
{
	struct instruction_list list = {.run = 1, .count = count};
	char *text;

	list.items = mem_new(count, sizeof(*list.items));
	for (size_t i = 0; i < count; i++)
		list.items[i] = (struct instruction){.seq = i + 1, .kind = INSTRUCTION_COMMIT, .commit = 1};
	text = instruction_list_encode(&list);
	instruction_list_clear(&list);
	return text;
}

START_TEST(instructions_at_and_beyond_the_limit)
{
	struct instruction_list list;
	struct err err = {0};

	ck_assert_int_eq(decode(encode_commits(PROTO_INSTRUCTIONS_MAX), &list, NULL), 0);
	ck_assert_uint_eq(list.count, PROTO_INSTRUCTIONS_MAX);
	instruction_list_clear(&list);
	ck_assert_int_eq(decode(encode_commits(PROTO_INSTRUCTIONS_MAX + 1), &list, &err), -EINVAL);
	ck_assert_str_eq(err.text, "instructions: 1025 items are too many: at most 1024");
}
END_TEST

static char *encode_sessions(size_t count)
{
	struct instruction_list list = {.run = 1, .count = 1};
	struct instruction *instruction = list.items = mem_new(1, sizeof(*list.items));
	char *text;

	*instruction = (struct instruction){.seq = 1, .kind = INSTRUCTION_SESSIONS};
	instruction->sessions.count = count;
	instruction->sessions.items = mem_new(count, sizeof(struct session));
	for (size_t i = 0; i < count; i++) {
		struct session *session = &instruction->sessions.items[i];

		strcpy(session->tunnel, "wg0");
		session->public_key = sample_key((uint32_t)i);
		ck_assert_int_eq(endpoint_parse("192.0.2.1:1", &session->endpoint, NULL), 0);
	}
	text = instruction_list_encode(&list);
	instruction_list_clear(&list);
	return text;
}

START_TEST(sessions_at_and_beyond_the_limit)
{
	struct instruction_list list;
	struct err err = {0};

	ck_assert_int_eq(decode(encode_sessions(PROTO_SESSIONS_MAX), &list, NULL), 0);
	instruction_list_clear(&list);
	ck_assert_int_eq(decode(encode_sessions(PROTO_SESSIONS_MAX + 1), &list, &err), -EINVAL);
	ck_assert_str_eq(err.text, "instructions[0].sessions: 200001 items are too many: at most 200000");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("instruction");
	TCase *tcase = tcase_create("instruction");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 150);
	tcase_add_test(tcase, a_move_arrives_in_its_three_parts);
	tcase_add_test(tcase, each_stage_has_its_own_peers);
	tcase_add_test(tcase, stage_commit_and_sessions_arrive);
	tcase_add_test(tcase, a_kind_nobody_knows_is_passed_over);
	tcase_add_loop_test(tcase, a_wrong_value_is_refused_by_its_place, 0, ARRAY_COUNT(wrong));
	tcase_add_test(tcase, instructions_at_and_beyond_the_limit);
	tcase_add_test(tcase, sessions_at_and_beyond_the_limit);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
