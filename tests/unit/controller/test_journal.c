/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/read.h"
#include "controller/io/journal/journal.h"
#include "scratch.h"

static struct scratch scratch;
static struct event_base *base;
static struct store *store;
static struct journal *journal;

static void open_all(void)
{
	ck_assert_int_eq(store_open(scratch_path(&scratch, "controller.db"), &store, NULL), 0);
	ck_assert_int_eq(journal_new(base, store, &journal, NULL), 0);
}

static void close_all(void)
{
	journal_free(journal);
	store_close(store);
}

static void setup(void)
{
	scratch_make(&scratch);
	base = event_base_new();
	open_all();
}

static void teardown(void)
{
	close_all();
	event_base_free(base);
	scratch_remove(&scratch);
}

static void add(const char *text)
{
	journal_add(journal, &(struct journal_entry){.event = "alarm", .text = text});
}

static json_t *ask(uint64_t after, size_t max)
{
	char *text = journal_answer(journal, after, max);
	json_t *json;
	ck_assert_int_eq(json_parse_bytes(text, strlen(text), &json_limits_message, &json, NULL), 0);
	free(text);
	return json;
}

static json_int_t number(const json_t *json, const char *name)
{
	return json_integer_value(json_object_get(json, name));
}

static const char *text_of(const json_t *json, size_t index)
{
	return json_string_value(
		json_object_get(json_array_get(json_object_get(json, "events"), index), "text"));
}

START_TEST(an_entry_tells_what_it_means)
{
	struct epoch epoch = {.term = 6, .n = 2};
	journal_add(journal, &(struct journal_entry){.event = "takeover",
				     .text = "it \"moved\"",
				     .endpoint = "vpn",
				     .epoch = &epoch,
				     .from = "gw-a",
				     .to = "gw-b",
				     .cause = "host-dead",
				     .detected = true,
				     .detect_ms = 102,
				     .taken = true,
				     .sessions = 31,
				     .back = 30,
				     .took_ms = 39,
				     .first_ms = 12});
	json_t *json = ask(0, 10);
	const json_t *event = json_array_get(json_object_get(json, "events"), 0);
	ck_assert_int_eq(number(event, "seq"), 1);
	ck_assert_int_gt(number(event, "time_ms"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(event, "epoch")), "6.2");
	ck_assert_str_eq(json_string_value(json_object_get(event, "cause")), "host-dead");
	ck_assert_int_eq(number(event, "detect_ms"), 102);
	ck_assert_int_eq(number(event, "back"), 30);
	ck_assert_int_eq(number(event, "took_ms"), 39);
	ck_assert_int_eq(number(event, "first_ms"), 12);
	ck_assert_str_eq(text_of(json, 0), "it \"moved\"");
	ck_assert_ptr_null(json_object_get(event, "gateway"));
	json_decref(json);
}
END_TEST

START_TEST(answers_begin_after_a_number)
{
	add("one");
	add("two");
	add("three");
	json_t *json = ask(1, 1);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "events")), 1);
	ck_assert_str_eq(text_of(json, 0), "two");
	ck_assert_int_eq(number(json, "next"), 2);
	ck_assert_int_eq(number(json, "oldest"), 1);
	json_decref(json);
	json = ask(journal_before_last(journal, 2), 10);
	ck_assert_str_eq(text_of(json, 0), "two");
	json_decref(json);
	ck_assert_uint_eq(journal_before_last(journal, 3), 0);
	json = ask(99, 10);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "events")), 0);
	ck_assert_int_eq(number(json, "next"), 3);
	json_decref(json);
}
END_TEST

START_TEST(the_oldest_make_room)
{
	for (int i = 0; i <= STORE_EVENTS_KEPT; i++)
		add("x");
	ck_assert_uint_eq(journal_oldest(journal), 2);
	ck_assert_uint_eq(journal_newest(journal), STORE_EVENTS_KEPT + 1);
}
END_TEST

START_TEST(entries_outlive_the_process_and_numbers_go_on)
{
	struct writer *writer;
	ck_assert_int_eq(writer_new(base, store, &writer, NULL), 0);
	add("before the writer");
	journal_set_writer(journal, writer);
	add("with it");
	journal_set_writer(journal, NULL);
	writer_free(writer);
	ck_assert_uint_eq(journal_lost(journal), 0);
	close_all();
	open_all();
	add("after");
	json_t *json = ask(0, 10);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "events")), 3);
	ck_assert_str_eq(text_of(json, 0), "before the writer");
	ck_assert_str_eq(text_of(json, 1), "with it");
	ck_assert_str_eq(text_of(json, 2), "after");
	ck_assert_int_gt(number(json, "next"), 3);
	json_decref(json);
}
END_TEST

static void count_up(void *context)
{
	++*(int *)context;
}

START_TEST(a_watcher_is_told)
{
	int count = 0;
	journal_watch(journal, count_up, &count);
	add("x");
	add("y");
	ck_assert_int_eq(count, 2);
	journal_watch(journal, NULL, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("journal");
	TCase *tests = tcase_create("journal");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, an_entry_tells_what_it_means);
	tcase_add_test(tests, answers_begin_after_a_number);
	tcase_add_test(tests, the_oldest_make_room);
	tcase_add_test(tests, entries_outlive_the_process_and_numbers_go_on);
	tcase_add_test(tests, a_watcher_is_told);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
