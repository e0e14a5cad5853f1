/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/report.h"
#include "tests/unit/proto/sample.h"

static int decode(char *text, struct err *err)
{
	struct report report = {0};
	int r = report_decode(text, strlen(text), &report, err);

	report_clear(&report);
	free(text);
	return r;
}

START_TEST(the_fields_arrive)
{
	struct report report;
	size_t size;
	char *text = sample_text("report-takeover.json", &size);

	ck_assert_int_eq(report_decode(text, size, &report, NULL), 0);
	ck_assert_str_eq(report.gateway, "gw-b");
	ck_assert_uint_eq(report.generation, 8);
	ck_assert_uint_eq(strlen(report.hash), 64);
	ck_assert(report.fit && !report.sessions_whole);
	ck_assert_int_eq(report.seats[0].role, SEAT_SERVING);
	ck_assert_uint_eq(report.seats[0].permit_left_ms, 2875);
	ck_assert_uint_eq(report.session_count, 1);
	ck_assert_uint_eq(report.sessions[0].rx_bytes, 18446744);
	ck_assert_uint_eq(report.sessions[0].tx_bytes, 92);
	ck_assert_str_eq(report.takeover.endpoint, "vpn");
	ck_assert_uint_eq(report.takeover.sessions, 2);
	ck_assert(!report.takeover.over);
	report_clear(&report);
	free(text);
}
END_TEST

START_TEST(a_host_that_goes_down_says_so)
{
	struct report report;
	struct err err = {0};
	size_t size;
	char *text = sample_text("report-leaving.json", &size);

	ck_assert_int_eq(report_decode(text, size, &report, NULL), 0);
	ck_assert(report.leaving && report.fit);
	report_clear(&report);
	free(text);
	text = sample_text("report-takeover.json", &size);
	ck_assert_int_eq(report_decode(text, size, &report, NULL), 0);
	ck_assert(!report.leaving);
	report_clear(&report);
	free(text);
	ck_assert_int_eq(decode(sample_with("report-leaving.json", "leaving", "1"), &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "leaving"));
}
END_TEST

START_TEST(a_report_may_tell_of_no_takeover)
{
	struct report report;
	size_t size;
	char *text = sample_text("report-unfit.json", &size);

	ck_assert_int_eq(report_decode(text, size, &report, NULL), 0);
	ck_assert_str_eq(report.takeover.endpoint, "");
	ck_assert_uint_eq(report.reason_count, 1);
	ck_assert_str_eq(report.reasons[0], "/etc/holdfast/wg0.key: no such file or directory");
	ck_assert_uint_eq(report.event_count, 1);
	ck_assert_str_eq(report.events[0].event, "repaired");
	ck_assert_str_eq(
		report.events[0].text, "ip route replace 192.168.77.0/24 dev wg0: wg0 went down (53 ms)");
	ck_assert_uint_eq(report.seats[0].released.n, 1);
	report_clear(&report);
	free(text);
}
END_TEST

START_TEST(a_standby_tells_how_ready_it_is)
{
	struct report report;
	size_t size;
	char *text = sample_text("report-standby.json", &size);

	ck_assert_int_eq(report_decode(text, size, &report, NULL), 0);
	ck_assert_uint_eq(report.standing_count, 2);
	ck_assert(report.standings[0].ready && !report.standings[1].ready);
	ck_assert_uint_eq(report.standings[0].proved_ago_ms, 412);
	ck_assert_uint_eq(report.standings[1].proved_ago_ms, STANDING_NEVER);
	ck_assert_str_eq(report.standings[1].reasons[0], "eth1 is down, has no carrier, or is not there");
	ck_assert_str_eq(report.standings[0].alone, "");
	ck_assert_ptr_nonnull(strstr(report.standings[1].alone, "witness"));
	report_clear(&report);
	free(text);
}
END_TEST

START_TEST(a_standby_tells_whom_it_heard)
{
	struct report report;
	size_t size;
	char *text = sample_text("report-standby.json", &size);

	ck_assert_int_eq(report_decode(text, size, &report, NULL), 0);
	ck_assert_uint_eq(report.heard_count, 1);
	ck_assert_str_eq(report.heard[0].gateway, "gw-a");
	ck_assert_str_eq(report.heard[0].seat.endpoint, "vpn");
	ck_assert_int_eq(report.heard[0].seat.role, SEAT_FENCED);
	ck_assert_uint_eq(report.heard[0].seat.released.n, 2);
	report_clear(&report);
	free(text);
}
END_TEST

static char *with_heard(size_t count)
{
	char *text = sample_with_items("report-standby.json", "heard", count), endpoint[16];
	json_t *root = json_loads(text, 0, NULL);

	for (size_t i = 0; i < count; i++) {
		json_t *item = json_deep_copy(json_array_get(json_object_get(root, "heard"), i));

		snprintf(endpoint, sizeof(endpoint), "vpn%zu", i);
		json_object_set_new(json_object_get(item, "seat"), "endpoint", json_string(endpoint));
		json_array_set_new(json_object_get(root, "heard"), i, item);
	}
	free(text);
	text = json_dumps(root, 0);
	json_decref(root);
	return text;
}

START_TEST(what_is_heard_at_and_beyond_the_limit)
{
	struct err err = {0};

	ck_assert_int_eq(decode(with_heard(PROTO_ENDPOINTS_MAX), NULL), 0);
	ck_assert_int_eq(decode(with_heard(PROTO_ENDPOINTS_MAX + 1), NULL), -EINVAL);
	ck_assert_int_eq(decode(sample_with_items("report-standby.json", "heard", 2), &err), -EINVAL);
	ck_assert_str_eq(err.text, "heard[1]: endpoint vpn is there twice");
	ck_assert_int_eq(
		decode(sample_with("report-standby.json", "heard.0.gateway", "\"gw a\""), &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "heard[0].gateway: "));
	ck_assert_int_eq(
		decode(sample_with("report-standby.json", "heard.0.seat.role", "\"host\""), &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "heard[0].seat.role: "));
	ck_assert_int_eq(decode(sample_with("report-standby.json", "heard.0.seat", NULL), &err), -EINVAL);
	ck_assert_str_eq(err.text, "heard[0].seat: missing");
}
END_TEST

START_TEST(a_drill_s_result_at_and_beyond_its_limit)
{
	struct err err = {0};

	ck_assert_int_eq(
		decode(sample_with_items("report-drill.json", "drill.rows", DRILL_ROWS_MAX), NULL), 0);
	ck_assert_int_eq(
		decode(sample_with_items("report-drill.json", "drill.rows", DRILL_ROWS_MAX + 1), NULL),
		-EINVAL);
	ck_assert_int_eq(
		decode(sample_with("report-drill.json", "drill.id", "\"0000000000000000\""), &err), -EINVAL);
	ck_assert_str_eq(err.text, "drill: an id of 0");
	ck_assert_int_eq(
		decode(sample_with("report-drill.json", "drill.rows.1.target", "\"here\""), &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "drill.rows[1].target"));
	ck_assert_int_eq(
		decode(sample_with("report-drill.json", "drill.rows.1.received", "4294967296"), &err),
		-EINVAL);
}
END_TEST

static char *with_moments(size_t count)
{
	char *text = sample_with_items("report-takeover.json", "moments", count);
	json_t *root = json_loads(text, 0, NULL);

	for (size_t i = 0; i < count; i++)
		json_object_set_new(json_array_get(json_object_get(root, "moments"), i), "seq",
			json_integer((json_int_t)i + 1));
	free(text);
	text = json_dumps(root, 0);
	json_decref(root);
	return text;
}

START_TEST(moments_at_and_beyond_the_limit)
{
	char *at = sample_long(MOMENT_DETAIL_MAX), *beyond = sample_long(MOMENT_DETAIL_MAX + 1);

	ck_assert_int_eq(decode(with_moments(MOMENTS_REPORT_MAX), NULL), 0);
	ck_assert_int_eq(decode(with_moments(MOMENTS_REPORT_MAX + 1), NULL), -EINVAL);
	ck_assert_int_eq(decode(sample_with("report-takeover.json", "moments.1.detail", at), NULL), 0);
	ck_assert_int_eq(
		decode(sample_with("report-takeover.json", "moments.1.detail", beyond), NULL), -EINVAL);
	free(at);
	free(beyond);
}
END_TEST

/* A newer agent's. */
START_TEST(a_moment_of_a_kind_nobody_knows_is_passed_over)
{
	struct report report;
	char *text = sample_with("report-takeover.json", "moments.1.kind", "\"waltz\"");

	ck_assert_int_eq(report_decode(text, strlen(text), &report, NULL), 0);
	ck_assert_uint_eq(report.moment_count, 5);
	ck_assert_uint_eq(report.moments[1].seq, 9);
	ck_assert_str_eq(report.moments[4].subject, "alice");
	report_clear(&report);
	free(text);
}
END_TEST

static char *with_reasons(size_t count)
{
	return sample_with_items("report-standby.json", "standings.1.reasons", count);
}

START_TEST(standings_at_and_beyond_the_limit)
{
	struct err err = {0};
	char *at = sample_long(PROTO_REASON_MAX), *beyond = sample_long(PROTO_REASON_MAX + 1);

	ck_assert_int_eq(decode(with_reasons(STANDING_REASONS_MAX), NULL), 0);
	ck_assert_int_eq(decode(with_reasons(STANDING_REASONS_MAX + 1), NULL), -EINVAL);
	ck_assert_int_eq(decode(sample_with("report-standby.json", "standings.0.alone", at), NULL), 0);
	ck_assert_int_eq(
		decode(sample_with("report-standby.json", "standings.0.alone", beyond), NULL), -EINVAL);
	ck_assert_int_eq(decode(sample_with_items("report-standby.json", "standings", 3), &err), -EINVAL);
	ck_assert_str_eq(err.text, "standings[2]: endpoint lan is there twice");
	ck_assert_int_eq(
		decode(sample_with_items("report-standby.json", "standings", PROTO_ENDPOINTS_MAX + 1), &err),
		-EINVAL);
	ck_assert_int_eq(
		decode(sample_with("report-standby.json", "standings.1.reasons", "[]"), &err), -EINVAL);
	ck_assert_str_eq(err.text, "standings[1]: not ready, without a reason");
	free(at);
	free(beyond);
}
END_TEST

static const struct {
	const char *path, *value, *error;
} wrong[] = {
	{"boot", "\"XYZ\"", "boot: "},
	{"hash", "\"abc\"", "hash: expected 64 lower-case hex digits, or nothing"},
	{"fit", "1", "fit: expected true or false, found 1"},
	{"wall_ms", "\"now\"", "wall_ms: "},
	{"seats.0.role", "\"host\"", "seats[0].role: "},
	{"seats.0.highest", "\"00.1\"", "seats[0].highest: expected an epoch"},
	{"seats.0.permit_left_ms", "null", "seats[0].permit_left_ms: missing"},
	{"sessions.0.rx_bytes", "-1", "sessions[0].rx_bytes: "},
	{"sessions.0.public_key", "\"x\"", "sessions[0].public_key: "},
	{"unanswered.0.tunnel", "\"\"", "unanswered[0].tunnel: expected a name"},
	{"unanswered.0.prefix", "\"192.168.77.0/33\"", "unanswered[0].prefix: "},
	{"takeover.endpoint", "\"\"", "takeover.endpoint: expected a name"},
	{"takeover.took_ms", "-1", "takeover.took_ms: "},
	{"takeover", "[]", "takeover: expected an object, found an array"},
	{"reasons", "[7]", "reasons[0]: "},
	{"events", "[{\"event\": \"a b\", \"text\": \"\"}]", "events[0].event: "},
	{"events", "[{\"event\": \"repaired\"}]", "events[0].text: missing"},
	{"moments.0.seq", "0", "moments[0].seq: "},
	{"moments.1.seq", "7", "moments[1]: its seq does not rise"},
	{"moments.1.at_us", "-1", "moments[1].at_us: "},
	{"moments.1.at_us", "4000000000000001", "moments[1].at_us: "},
	{"moments.1.kind", "7", "moments[1].kind: "},
	{"moments.3.epoch", "\"now\"", "moments[3].epoch: expected an epoch"},
	{"moments.3.subject", "\"gw b\"", "moments[3].subject: "},
};

START_TEST(a_wrong_value_is_refused_by_its_place)
{
	struct err err = {0};

	ck_assert_int_eq(
		decode(sample_with("report-takeover.json", wrong[_i].path, wrong[_i].value), &err), -EINVAL);
	ck_assert_msg(!strncmp(err.text, wrong[_i].error, strlen(wrong[_i].error)), "%s\nnot\n%s", err.text,
		wrong[_i].error);
}
END_TEST

START_TEST(reasons_at_and_beyond_the_limit)
{
	char *at = sample_long(PROTO_REASON_MAX), *beyond = sample_long(PROTO_REASON_MAX + 1);

	ck_assert_int_eq(
		decode(sample_with_items("report-unfit.json", "reasons", PROTO_REASONS_MAX), NULL), 0);
	ck_assert_int_eq(
		decode(sample_with_items("report-unfit.json", "events", REPORT_EVENTS_MAX), NULL), 0);
	ck_assert_int_eq(
		decode(sample_with_items("report-unfit.json", "events", REPORT_EVENTS_MAX + 1), NULL),
		-EINVAL);
	ck_assert_int_eq(
		decode(sample_with_items("report-unfit.json", "impaired", PROTO_ENDPOINTS_MAX), NULL), 0);
	ck_assert_int_eq(
		decode(sample_with_items("report-unfit.json", "impaired", PROTO_ENDPOINTS_MAX + 1), NULL),
		-EINVAL);
	ck_assert_int_eq(
		decode(sample_with_items("report-unfit.json", "reasons", PROTO_REASONS_MAX + 1), NULL),
		-EINVAL);
	ck_assert_int_eq(decode(sample_with("report-unfit.json", "reasons.0", at), NULL), 0);
	ck_assert_int_eq(decode(sample_with("report-unfit.json", "reasons.0", beyond), NULL), -EINVAL);
	free(at);
	free(beyond);
}
END_TEST

static char *encode_seats(size_t count)
{
	char *text = sample_with_items("report-takeover.json", "seats", count);
	json_t *root = json_loads(text, 0, NULL);

	for (size_t i = 0; i < count; i++)
		json_object_set_new(json_array_get(json_object_get(root, "seats"), i), "endpoint",
			json_sprintf("e%zu", i));
	free(text);
	text = json_dumps(root, 0);
	json_decref(root);
	return text;
}

START_TEST(seats_at_and_beyond_the_limit)
{
	struct err err = {0};

	ck_assert_int_eq(decode(encode_seats(PROTO_ENDPOINTS_MAX), NULL), 0);
	ck_assert_int_eq(decode(encode_seats(PROTO_ENDPOINTS_MAX + 1), &err), -EINVAL);
	ck_assert_int_eq(decode(sample_with_items("report-takeover.json", "seats", 2), &err), -EINVAL);
	ck_assert_str_eq(err.text, "seats[1]: endpoint vpn is there twice");
}
END_TEST

static int decode_staged(char *text, struct err *err)
{
	struct staged staged;
	int r = staged_decode(text, strlen(text), &staged, err);

	free(text);
	return r;
}

START_TEST(an_answer_to_stage_is_ok_or_says_why)
{
	struct err err = {0};

	ck_assert_int_eq(decode_staged(sample_with("staged-ok.json", "ok", "false"), &err), -EINVAL);
	ck_assert_str_eq(err.text, "(root): ok with an error, or an error without one");
	ck_assert_int_eq(decode_staged(sample_with("staged-refused.json", "ok", "true"), &err), -EINVAL);
	ck_assert_int_eq(decode_staged(sample_with("staged-ok.json", "generation", "0"), &err), -EINVAL);
}
END_TEST

START_TEST(an_error_may_be_long_and_no_longer)
{
	char *at = sample_long(1023), *beyond = sample_long(1024);

	ck_assert_int_eq(decode_staged(sample_with("staged-refused.json", "error", at), NULL), 0);
	ck_assert_int_eq(decode_staged(sample_with("staged-refused.json", "error", beyond), NULL), -EINVAL);
	free(at);
	free(beyond);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report");
	TCase *tcase = tcase_create("report");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, the_fields_arrive);
	tcase_add_test(tcase, a_report_may_tell_of_no_takeover);
	tcase_add_test(tcase, a_host_that_goes_down_says_so);
	tcase_add_test(tcase, a_standby_tells_how_ready_it_is);
	tcase_add_test(tcase, a_standby_tells_whom_it_heard);
	tcase_add_test(tcase, what_is_heard_at_and_beyond_the_limit);
	tcase_add_test(tcase, a_drill_s_result_at_and_beyond_its_limit);
	tcase_add_test(tcase, moments_at_and_beyond_the_limit);
	tcase_add_test(tcase, a_moment_of_a_kind_nobody_knows_is_passed_over);
	tcase_add_test(tcase, standings_at_and_beyond_the_limit);
	tcase_add_loop_test(tcase, a_wrong_value_is_refused_by_its_place, 0, ARRAY_COUNT(wrong));
	tcase_add_test(tcase, reasons_at_and_beyond_the_limit);
	tcase_add_test(tcase, seats_at_and_beyond_the_limit);
	tcase_add_test(tcase, an_answer_to_stage_is_ok_or_says_why);
	tcase_add_test(tcase, an_error_may_be_long_and_no_longer);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
