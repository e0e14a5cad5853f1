/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/timeline/account.h"
#include "common/timeline/noticed.h"

static struct timeline ctl, gw_a, gw_b;

static struct moment moment(int64_t at_us, enum moment_kind kind, const char *endpoint, uint32_t n,
	const char *subject, const char *detail)
{
	struct moment moment = {.at_us = at_us, .kind = kind, .epoch = {n ? 60 : 0, n, 0}};

	text_copy(moment.endpoint, sizeof(moment.endpoint), endpoint);
	text_copy(moment.subject, sizeof(moment.subject), subject);
	text_copy(moment.detail, sizeof(moment.detail), detail);
	return moment;
}

static void add(struct timeline *to, int64_t at_us, enum moment_kind kind, const char *endpoint, uint32_t n,
	const char *subject, const char *detail)
{
	struct moment one = moment(at_us, kind, endpoint, n, subject, detail);

	timeline_add(to, &one);
}

static void end(void)
{
	timeline_clear(&ctl);
	timeline_clear(&gw_a);
	timeline_clear(&gw_b);
}

static const struct account_source sources[] = {{"ctl", &ctl}, {"gw-a", &gw_a}, {"gw-b", &gw_b}};

/* "ctl suspected; gw-b back; ..." The caller frees. */
static char *told(const char *id)
{
	char endpoint[PROTO_NAME_MAX + 1];
	struct text text = {0};
	struct account account;
	struct epoch epoch;
	struct err err = {0};

	ck_assert_int_eq(account_parse(id, endpoint, &epoch, &err), 0);
	if (account_make(sources, ARRAY_COUNT(sources), endpoint, &epoch, &account, &err) < 0) {
		text_add(&text, "%s", err.text);
		return text_take(&text);
	}
	for (size_t i = 0; i < account.row_count; i++)
		text_add(&text, "%s%s %s", i ? "; " : "", account.rows[i].who,
			moment_kind_name(account.rows[i].entry->moment.kind));
	account_clear(&account);
	return text_take(&text);
}

static void expect(const char *id, const char *expected)
{
	CLEANUP_FREE char *text = told(id);

	ck_assert_str_eq(text, expected);
}

/* gw-a has it under 60.1, dies, gw-b follows under 60.2; later it is moved to gw-a under 60.3. */
static void begin(void)
{
	add(&ctl, 100, MOMENT_DECIDED, "vpn", 1, "gw-a", "first");
	add(&gw_a, 110, MOMENT_ADDRESS, "vpn", 1, "", "");
	add(&gw_a, 120, MOMENT_ROLE, "vpn", 1, "", "serving");
	add(&ctl, 9000, MOMENT_SUSPECTED, "", 0, "gw-a", "");
	add(&gw_b, 9001, MOMENT_SUSPECTED, "", 0, "gw-a", "");
	add(&ctl, 9050, MOMENT_VERDICT, "", 0, "gw-a", "dead");
	add(&ctl, 9060, MOMENT_DECIDED, "vpn", 2, "gw-b", "host-dead");
	add(&gw_b, 9065, MOMENT_ORDERED, "vpn", 2, "gw-b", "host-dead");
	add(&gw_b, 9070, MOMENT_ADDRESS, "vpn", 2, "", "");
	add(&gw_b, 9075, MOMENT_BACK, "vpn", 2, "alice", "");
	add(&ctl, 9500, MOMENT_DECIDED, "other", 7, "gw-b", "first");
	add(&gw_b, 20000, MOMENT_ROLE, "vpn", 2, "", "hosting");
	add(&gw_a, 20010, MOMENT_ADDRESS, "vpn", 2, "", MOMENT_AS_GUEST);
	add(&gw_a, 20020, MOMENT_BACK, "vpn", 2, "alice", MOMENT_AS_GUEST);
	add(&ctl, 20030, MOMENT_DECIDED, "vpn", 3, "gw-a", "move");
	add(&gw_a, 20040, MOMENT_ROLE, "vpn", 3, "", "serving");
}

START_TEST(each_change_has_what_belongs_to_it)
{
	expect("vpn@60.1", "ctl decided; gw-a address; gw-a role");
	expect("vpn@60.2", "ctl suspected; gw-b suspected; ctl verdict; ctl decided; gw-b ordered; gw-b "
			   "address; gw-b back");
	expect("vpn@60.3", "gw-b role; gw-a address; gw-a back; ctl decided; gw-a role");
	expect("other@60.7", "ctl suspected; gw-b suspected; ctl verdict; ctl decided");
}
END_TEST

START_TEST(the_last_is_found_by_itself)
{
	expect("vpn", "gw-b role; gw-a address; gw-a back; ctl decided; gw-a role");
	expect("", "gw-b role; gw-a address; gw-a back; ctl decided; gw-a role");
	expect("other", "ctl suspected; gw-b suspected; ctl verdict; ctl decided");
}
END_TEST

START_TEST(what_nobody_remembers_is_said)
{
	expect("vpn@60.9", "nobody remembers vpn@60.9: 'holdfast events' shows what is longer ago");
	expect("nope", "nope has not moved since this daemon started");
	end();
	expect("", "nothing has moved since this daemon started");
}
END_TEST

START_TEST(an_id_is_read)
{
	static const char *const wrong[] = {"vpn@", "@60.1", "vpn@60", "v pn", "vpn@60.1@", "vpn@-1.2"};
	char endpoint[PROTO_NAME_MAX + 1], longest[PROTO_NAME_MAX + 2];
	struct epoch epoch;
	struct err err = {0};

	ck_assert_int_eq(account_parse("vpn@60.2.1", endpoint, &epoch, &err), 0);
	ck_assert_str_eq(endpoint, "vpn");
	ck_assert(epoch.term == 60 && epoch.n == 2 && epoch.minor == 1);
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
		ck_assert_msg(account_parse(wrong[i], endpoint, &epoch, &err) == -EINVAL, "%s", wrong[i]);
	memset(longest, 'a', sizeof(longest));
	longest[PROTO_NAME_MAX + 1] = '\0';
	ck_assert_int_eq(account_parse(longest, endpoint, &epoch, &err), -EINVAL);
	ck_assert_int_eq(account_parse(longest + 1, endpoint, &epoch, &err), 0);
}
END_TEST

/* Its clock began 5 s before the keeper's. */
START_TEST(another_s_moments_wait_for_its_clock)
{
	struct timeline theirs = {0};
	struct moment one = moment(5000123, MOMENT_ORDERED, "vpn", 4, "gw-c", "move");
	const struct account_source source = {"gw-c", &theirs};
	struct epoch epoch = {60, 4, 0};
	struct account account;

	one.seq = 1;
	ck_assert(timeline_take(&theirs, &one));
	ck_assert(!timeline_take(&theirs, &one)); /* told twice */
	ck_assert_int_eq(account_make(&source, 1, "vpn", &epoch, &account, NULL), -ENOENT);
	timeline_settle(&theirs, 5000000, 40);
	timeline_settle(&theirs, 7000000, 40); /* once is enough */
	ck_assert_int_eq(account_make(&source, 1, "vpn", &epoch, &account, NULL), 0);
	ck_assert_int_eq(account.rows[0].entry->moment.at_us, 123);
	ck_assert_uint_eq(account.rows[0].entry->uncertain_us, 40);
	account_clear(&account);
	one.seq = 2;
	ck_assert(timeline_take(&theirs, &one));
	timeline_begin_life(&theirs); /* numbers begin anew; what was settled stays */
	ck_assert_uint_eq(timeline_length(&theirs), 1);
	one.seq = 1;
	ck_assert(timeline_take(&theirs, &one));
	timeline_clear(&theirs);
}
END_TEST

START_TEST(the_oldest_make_room)
{
	struct timeline own = {0};
	const struct moment *since[4];

	for (int i = 0; i < TIMELINE_MAX + 3; i++)
		add(&own, i, MOMENT_BACK, "vpn", 1, "alice", "");
	ck_assert_uint_eq(timeline_length(&own), TIMELINE_MAX);
	ck_assert_uint_eq(timeline_at(&own, 0)->moment.seq, 4);
	ck_assert_uint_eq(timeline_since(&own, 0, since, 4), 4);
	ck_assert_uint_eq(since[0]->seq, 4);
	ck_assert_uint_eq(timeline_since(&own, TIMELINE_MAX + 1, since, 4), 2);
	ck_assert_uint_eq(since[1]->seq, TIMELINE_MAX + 3);
	ck_assert_uint_eq(timeline_since(&own, TIMELINE_MAX + 3, since, 4), 0);
	timeline_clear(&own);
}
END_TEST

START_TEST(a_word_said_again_is_no_news)
{
	struct moment vote = moment(9100, MOMENT_VOTE, "", 0, "gw-a", "gw-b: nothing answers");

	ck_assert(!timeline_repeats(&ctl, &vote, 1000));
	timeline_add(&ctl, &vote);
	vote.at_us += 1000;
	ck_assert(timeline_repeats(&ctl, &vote, 1000));
	vote.at_us++;
	ck_assert(!timeline_repeats(&ctl, &vote, 1000));
	vote.at_us = 9200;
	text_copy(vote.subject, sizeof(vote.subject), "gw-c");
	ck_assert(!timeline_repeats(&ctl, &vote, 1000));
}
END_TEST

START_TEST(people_read_it_from_the_first_moment_on)
{
	struct epoch epoch = {60, 2, 0};
	struct account account;
	json_t *root = json_object(), *rows;

	ck_assert_int_eq(account_make(sources, ARRAY_COUNT(sources), "vpn", &epoch, &account, NULL), 0);
	account_put(root, &account, 1000000);
	rows = json_object_get(root, "timeline");
	ck_assert_str_eq(json_string_value(json_object_get(root, "event")), "vpn@60.2");
	ck_assert_uint_eq(json_array_size(rows), 7);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(rows, 0), "time_ms")), 1009);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(rows, 6), "after_us")), 75);
	ck_assert_str_eq(
		json_string_value(json_object_get(json_array_get(rows, 6), "text")), "alice is back");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(rows, 3), "text")),
		"decides: to gw-b (host-dead)");
	account_clear(&account);
	json_decref(root);
}
END_TEST

START_TEST(what_is_noticed_is_written_once)
{
	struct timeline mine = {0};
	struct datagram_silence silence = {.suspect = "gw-a", .burst_done = true};

	timeline_note_verdict(&mine, "gw-a", VERDICT_SUSPECT, 5, 9000);
	ck_assert_uint_eq(timeline_length(&mine), 0); /* nothing has come of it */
	timeline_note_verdict(&mine, "gw-a", VERDICT_DEAD, 5, 9000);
	ck_assert_uint_eq(timeline_length(&mine), 2);
	ck_assert_int_eq(timeline_at(&mine, 0)->moment.kind, MOMENT_SUSPECTED);
	ck_assert_int_eq(timeline_at(&mine, 0)->moment.at_us, 5000);
	ck_assert_int_eq(timeline_at(&mine, 1)->moment.kind, MOMENT_VERDICT);
	timeline_note_verdict(&mine, "gw-a", VERDICT_AGENT_DOWN, VERDICT_NEVER, 9500);
	ck_assert_uint_eq(timeline_length(&mine), 3);
	timeline_note_vote(&mine, "gw-b", &silence, 10000);
	timeline_note_vote(&mine, "gw-b", &silence, 10000 + TIMELINE_REPEATS_US - 1);
	ck_assert_uint_eq(timeline_length(&mine), 4);
	silence.agent_answered = true;
	timeline_note_vote(&mine, "gw-c", &silence, 10000);
	ck_assert_uint_eq(timeline_length(&mine), 4);
	timeline_clear(&mine);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timeline");
	TCase *tcase = tcase_create("timeline");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, each_change_has_what_belongs_to_it);
	tcase_add_test(tcase, the_last_is_found_by_itself);
	tcase_add_test(tcase, what_nobody_remembers_is_said);
	tcase_add_test(tcase, an_id_is_read);
	tcase_add_test(tcase, another_s_moments_wait_for_its_clock);
	tcase_add_test(tcase, the_oldest_make_room);
	tcase_add_test(tcase, a_word_said_again_is_no_news);
	tcase_add_test(tcase, what_is_noticed_is_written_once);
	tcase_add_test(tcase, people_read_it_from_the_first_moment_on);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
