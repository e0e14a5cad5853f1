/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose answers are told, and who is talked to, with controllers of two stores. */
#include <check.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/io/log.h"
#include "node-agent/io/control/control.h"
#include "proto/store_header.h"
#include "tests/unit/common/pki.h"

enum { OURS = 1, THEIRS = 2, WAIT_MS = 20000 };

/* A controller: what it says, and what was asked of it. */
struct place {
	struct http_server *server;
	char header[STORE_HEADER_LINE_MAX], url[64];
	uint64_t store;
	bool holds_polls, knows_nobody, is_broken, has_no_header;
	int polls, reports;
};

/* What was told by the one that talks to them. */
struct told {
	int by[3]; /* answers, by store; [0]: who knows whose */
	int instructions, strangers;
};

static char dir[64];
static struct event_base *base;
static struct place ours, theirs;
static struct told told;
static struct control *control;

static void on_gone(struct http_request *request, void *context)
{
	(void)request;
	(void)context;
}

/* Is it answered with an error? */
static bool is_refused(struct http_request *request, const struct place *place)
{
	struct stranger stranger = {.store = place->store, .gateway = "gw-a"};
	char *text;

	if (place->is_broken) {
		http_reply_problem(request, 500, "disk full");
	} else if (place->knows_nobody) {
		text = stranger_encode(&stranger);
		http_reply(request, 404, "application/problem+json", text, strlen(text));
		free(text);
	}
	return place->is_broken || place->knows_nobody;
}

static void handle_poll(struct http_request *request, void *context)
{
	struct place *place = context;
	struct instruction commit = {.seq = 1, .kind = INSTRUCTION_COMMIT, .commit = 7};
	struct instruction_list list = {
		.run = place->store, .store = place->store, .count = 1, .items = &commit};

	place->polls++;
	if (is_refused(request, place))
		return;
	if (place->holds_polls || place->polls > 1)
		http_request_hold(request, on_gone, place);
	else
		http_reply_json(request, 200, instruction_list_encode(&list));
}

static void handle_report(struct http_request *request, void *context)
{
	struct place *place = context;

	place->reports++;
	if (!is_refused(request, place))
		http_reply(request, 204, NULL, NULL, 0);
}

static void open_place(struct place *place, uint64_t store)
{
	struct http_server_options options = {
		.reply_headers = place->has_no_header ? NULL : store_header_line(store, place->header)};
	const struct http_route routes[] = {
		{.methods = HTTP_GET, .path = "/v1/agent/orders", .handle = handle_poll, .context = place},
		{.methods = HTTP_POST,
			.path = "/v1/agent/report",
			.handle = handle_report,
			.context = place}};
	struct pki_files files;
	SSL_CTX *tls;

	place->store = store;
	place->server = http_server_new(base, &options);
	for (size_t i = 0; i < 2; i++)
		http_server_route(place->server, &routes[i]);
	pki_files(&files, dir, "ca", "ctl");
	ck_assert_int_eq(tls_server_new(&files.files, &tls, NULL, NULL), 0);
	ck_assert_int_eq(http_server_listen(place->server, "127.0.0.1:0", tls, NULL), 0);
	SSL_CTX_free(tls);
	snprintf(place->url, sizeof(place->url), "https://127.0.0.1:%u", http_server_port(place->server));
}

static bool on_answered(void *context, uint64_t store)
{
	(void)context;
	ck_assert(store <= THEIRS);
	told.by[store]++;
	return store != THEIRS;
}

static void on_floor(void *context, uint64_t store, uint64_t floor)
{
	(void)context;
	(void)store;
	(void)floor;
}

static void on_instruction(void *context, struct instruction *instruction)
{
	(void)context;
	ck_assert_int_eq(instruction->kind, INSTRUCTION_COMMIT);
	told.instructions++;
}

static void on_report(void *context, struct report *report)
{
	(void)context;
	strcpy(report->gateway, "gw-a");
	report->boot = 1;
}

static void on_reported(void *context, bool arrived)
{
	(void)context;
	(void)arrived;
}

static void on_stranger(void *context, const struct stranger *stranger)
{
	(void)context;
	(void)stranger;
	told.strangers++;
}

static void talk_to(const struct place *first, const struct place *second)
{
	static const struct control_ops ops = {.floor = on_floor,
		.instruction = on_instruction,
		.report = on_report,
		.reported = on_reported,
		.stranger = on_stranger,
		.answered = on_answered};
	const char *urls[] = {first->url, second ? second->url : NULL};
	struct control_options options = {.urls = urls, .url_count = second ? 2 : 1, .boot = 1};
	struct pki_files files;

	options.tls = pki_files(&files, dir, "ca", "gw-a")->files;
	ck_assert_int_eq(control_new(base, &options, &ops, NULL, &control, NULL), 0);
}

static void turn(void)
{
	struct timeval soon = {.tv_usec = 10000};

	event_base_loopexit(base, &soon);
	event_base_loop(base, EVLOOP_ONCE);
}

static void wait_for(const int *count, int value)
{
	int64_t end_ms = clock_now_ms() + WAIT_MS;

	while (*count < value) {
		ck_assert_msg(clock_now_ms() < end_ms, "waited in vain for %d (is %d): %s", value, *count,
			control_failure(control));
		turn();
	}
}

static void setup(void)
{
	log_set_output(open("/dev/null", O_WRONLY | O_CLOEXEC), false);
	signal(SIGPIPE, SIG_IGN);
	pki_directory(dir, sizeof(dir));
	pki_authority(dir, "ca");
	pki_issue(dir, "ca", "ctl", "holdfast:controller:ctl", -60, 3600);
	pki_issue(dir, "ca", "gw-a", "holdfast:gateway:gw-a", -60, 3600);
	base = event_base_new();
	open_place(&ours, OURS);
	open_place(&theirs, THEIRS);
}

static void teardown(void)
{
	control_free(control);
	http_server_free(ours.server);
	http_server_free(theirs.server);
	event_base_free(base);
	libevent_global_shutdown();
	pki_remove(dir);
}

START_TEST(an_answer_tells_whose_it_is_before_any_poll_is_answered)
{
	ours.holds_polls = true;
	talk_to(&ours, NULL);
	wait_for(&told.by[OURS], 2);
	ck_assert_int_eq(told.instructions, 0);
	ck_assert_int_eq(told.by[0], 0);
}
END_TEST

START_TEST(an_error_tells_it_too)
{
	theirs.is_broken = _i == 0;
	theirs.knows_nobody = _i == 1;
	talk_to(&theirs, NULL);
	wait_for(&told.by[THEIRS], 2);
	ck_assert_int_eq(told.by[0], 0);
	ck_assert(!control_is_connected(control));
	ck_assert((told.strangers > 0) == theirs.knows_nobody);
}
END_TEST

/* Whether its first answer is to a poll or to a report. */
START_TEST(of_several_one_of_another_store_has_failed)
{
	theirs.holds_polls = _i == 1;
	theirs.knows_nobody = _i == 2;
	talk_to(&theirs, &ours);
	wait_for(&told.instructions, 1);
	wait_for(&ours.reports, 2);
	ck_assert(control_is_connected(control));
	ck_assert_str_eq(control_url(control), ours.url);
	ck_assert_int_gt(told.by[THEIRS], 0);
	ck_assert_int_eq(told.instructions, 1); /* nothing of the other's */
	ck_assert_int_eq(told.strangers, 0);
}
END_TEST

START_TEST(where_all_are_of_another_store_it_says_so)
{
	talk_to(&theirs, &theirs);
	wait_for(&told.by[THEIRS], 3);
	ck_assert(!control_is_connected(control));
	ck_assert_ptr_nonnull(strstr(control_failure(control), "has the store 0000000000000002, not ours"));
	ck_assert_int_eq(told.instructions, 0);
}
END_TEST

/* There is no other: what it says is told, and whoever hears it knows whose it is. */
START_TEST(a_single_one_of_another_store_is_listened_to)
{
	talk_to(&theirs, NULL);
	wait_for(&told.instructions, 1);
	ck_assert_int_gt(told.by[THEIRS], 0);
	ck_assert(control_is_connected(control));
}
END_TEST

static void open_without_header(struct place *place, uint64_t store)
{
	http_server_free(place->server);
	place->has_no_header = true;
	open_place(place, store);
}

/* An older controller: its lists of instructions tell it. */
START_TEST(without_the_header_the_last_list_tells_whose_an_answer_is)
{
	open_without_header(&ours, OURS);
	talk_to(&ours, NULL);
	wait_for(&told.instructions, 1);
	ck_assert_int_gt(told.by[0], 0); /* that list, and what was asked before */
	wait_for(&told.by[OURS], 1);
	ck_assert(control_is_connected(control));
}
END_TEST

/* What another's list said is not ours: of the next nothing is known. */
START_TEST(what_the_last_one_told_is_not_the_next_ones)
{
	open_without_header(&ours, OURS);
	open_without_header(&theirs, THEIRS);
	talk_to(&theirs, &ours);
	wait_for(&told.by[THEIRS], 1);
	int unknown = told.by[0];
	wait_for(&told.by[OURS], 1);
	ck_assert_int_gt(told.by[0], unknown);
	ck_assert_int_eq(told.by[THEIRS], 1);
	ck_assert_str_eq(control_url(control), ours.url);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("node-agent/control");
	TCase *test = tcase_create("control");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_add_checked_fixture(test, setup, teardown);
	tcase_add_test(test, an_answer_tells_whose_it_is_before_any_poll_is_answered);
	tcase_add_loop_test(test, an_error_tells_it_too, 0, 2);
	tcase_add_loop_test(test, of_several_one_of_another_store_has_failed, 0, 3);
	tcase_add_test(test, where_all_are_of_another_store_it_says_so);
	tcase_add_test(test, a_single_one_of_another_store_is_listened_to);
	tcase_add_test(test, without_the_header_the_last_list_tells_whose_an_answer_is);
	tcase_add_test(test, what_the_last_one_told_is_not_the_next_ones);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
