/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "proto/desired.h"
#include "proto/instruction.h"
#include "proto/report.h"
#include "tests/unit/proto/sample.h"

/* The documentation's examples: each is decoded, and what the value encodes to is the example again. */

static char *desired_again(const char *text, size_t size, struct err *err)
{
	struct desired *desired = NULL;
	char *again = desired_decode(text, size, &desired, err) ? NULL : desired_encode(desired);

	desired_free(desired);
	return again;
}

static char *delta_again(const char *text, size_t size, struct err *err)
{
	struct desired_delta *delta = NULL;
	char *again = desired_delta_decode(text, size, &delta, err) ? NULL : desired_delta_encode(delta);

	desired_delta_free(delta);
	return again;
}

static char *orders_again(const char *text, size_t size, struct err *err)
{
	struct instruction_list list = {0};
	char *again = instruction_list_decode(text, size, &list, err) ? NULL : instruction_list_encode(&list);

	instruction_list_clear(&list);
	return again;
}

static char *report_again(const char *text, size_t size, struct err *err)
{
	struct report report = {0};
	char *again = report_decode(text, size, &report, err) ? NULL : report_encode(&report);

	report_clear(&report);
	return again;
}

static char *staged_again(const char *text, size_t size, struct err *err)
{
	struct staged staged;

	return staged_decode(text, size, &staged, err) ? NULL : staged_encode(&staged);
}

static const struct {
	const char *name;
	char *(*again)(const char *text, size_t size, struct err *err);
} examples[] = {
	{"desired.json", desired_again},
	{"delta.json", delta_again},
	{"orders-none.json", orders_again},
	{"orders-stage.json", orders_again},
	{"orders-commit.json", orders_again},
	{"orders-failover.json", orders_again},
	{"orders-move.json", orders_again},
	{"orders-sessions.json", orders_again},
	{"orders-unanswered.json", orders_again},
	{"orders-drill.json", orders_again},
	{"report-takeover.json", report_again},
	{"report-unfit.json", report_again},
	{"report-leaving.json", report_again},
	{"report-standby.json", report_again},
	{"report-drill.json", report_again},
	{"staged-ok.json", staged_again},
	{"staged-refused.json", staged_again},
};

START_TEST(an_example_encodes_to_itself)
{
	struct err err = {0};
	size_t size;
	char *text = sample_text(examples[_i].name, &size);
	char *again = examples[_i].again(text, size, &err);
	json_t *before = json_loadb(text, size, 0, NULL), *after;

	ck_assert_msg(again != NULL, "%s: %s", examples[_i].name, err.text);
	after = json_loads(again, 0, NULL);
	ck_assert_msg(json_equal(before, after), "%s became %s", examples[_i].name, again);
	json_decref(before);
	json_decref(after);
	free(text);
	free(again);
}
END_TEST

/* A newer minor version may say more. */
START_TEST(a_member_nobody_knows_is_ignored)
{
	struct err err = {0};
	char *text = sample_with(examples[_i].name, "novelty", "[1, {\"x\": null}]");
	char *again = examples[_i].again(text, strlen(text), &err);

	ck_assert_msg(again != NULL, "%s: %s", examples[_i].name, err.text);
	free(text);
	free(again);
}
END_TEST

START_TEST(another_version_is_refused)
{
	struct err err = {0};
	char *text = sample_with(examples[_i].name, "version", "2");

	ck_assert_ptr_null(examples[_i].again(text, strlen(text), &err));
	ck_assert_str_eq(
		err.text, "the other side speaks version 2 of the protocol, this one 1: upgrade the older");
	free(text);
}
END_TEST

START_TEST(a_message_of_no_version_is_refused)
{
	struct err err = {0};
	char *text = sample_with(examples[_i].name, "version", NULL);

	ck_assert_ptr_null(examples[_i].again(text, strlen(text), &err));
	free(text);
}
END_TEST

static bool may_be_absent(const char *example, const char *name)
{
	bool orders = !strncmp(example, "orders", 6);

	return !strcmp(name, "takeover") || !strcmp(name, "events") || !strcmp(name, "leaving") ||
	       !strcmp(name, "standings") || !strcmp(name, "moments") || !strcmp(name, "impaired") ||
	       !strcmp(name, "drill") || !strcmp(name, "groups") || !strcmp(name, "heard") ||
	       (!orders && !strcmp(name, "unanswered")) ||
	       (orders && (!strcmp(name, "store") || !strcmp(name, "floor")));
}

/* Each member of the first level is needed, but for those that say "none" by being absent. */
START_TEST(a_missing_member_is_refused)
{
	size_t size;
	char *text = sample_text(examples[_i].name, &size);
	json_t *root = json_loadb(text, size, 0, NULL), *value;
	const char *name;

	json_object_foreach(root, name, value)
	{
		struct err err = {0};
		char *without = sample_with(examples[_i].name, name, NULL);
		char *again = examples[_i].again(without, strlen(without), &err);

		ck_assert_msg(!again == !may_be_absent(examples[_i].name, name), "%s without %s",
			examples[_i].name, name);
		if (!again)
			ck_assert_msg(strstr(err.text, name) != NULL, "%s does not name %s", err.text, name);
		free(without);
		free(again);
	}
	json_decref(root);
	free(text);
}
END_TEST

START_TEST(a_cut_example_is_refused)
{
	size_t size;
	char *text = sample_text(examples[_i].name, &size);

	for (size_t cut = 0; cut + 2 < size; cut += 7)
		ck_assert_ptr_null(examples[_i].again(text, cut, NULL));
	free(text);
}
END_TEST

START_TEST(what_is_too_large_is_not_even_looked_at)
{
	struct err err = {0};

	ck_assert_ptr_null(examples[_i].again("", (size_t)PROTO_JSON_MAX + 1, &err));
	ck_assert_str_ne(err.text, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("examples");
	TCase *tcase = tcase_create("examples");
	SRunner *runner = srunner_create(suite);
	int failed, count = (int)(sizeof(examples) / sizeof(examples[0]));

	tcase_add_loop_test(tcase, an_example_encodes_to_itself, 0, count);
	tcase_add_loop_test(tcase, a_member_nobody_knows_is_ignored, 0, count);
	tcase_add_loop_test(tcase, another_version_is_refused, 0, count);
	tcase_add_loop_test(tcase, a_message_of_no_version_is_refused, 0, count);
	tcase_add_loop_test(tcase, a_missing_member_is_refused, 0, count);
	tcase_add_loop_test(tcase, a_cut_example_is_refused, 0, count);
	tcase_add_loop_test(tcase, what_is_too_large_is_not_even_looked_at, 0, count);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
