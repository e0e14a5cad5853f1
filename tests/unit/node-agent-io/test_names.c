/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "node-agent/io/agent/names_int.h"

/* names.c and its like with one peer that has a name, in wg0, which is in no endpoint: between a resolver, the device as the loop reads
 * it, and the device as the thread does. */

static struct agent agent;
static struct desired desired;
static struct desired_peer peer;
static char host[] = "gw.example.org";
static char thread; /* its address is all that counts */
static bool small, asked, full;
static unsigned loop_reads, questions, endpoints_set;
static struct wg_peer running;
static struct resolver_answer answer;
static int answers[2];
static int64_t passed_ms; /* of the clock, beyond the real one */

/* ---- the neighbours ---- */

int64_t __real_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void);

int64_t __wrap_clock_now_ms(void)
{
	return __real_clock_now_ms() + passed_ms;
}

static void fill(struct wg_device *device)
{
	*device = (struct wg_device){.peer_count = 1, .peers = mem_new(1, sizeof(running))};
	device->peers[0] = running;
}

int agent_get_device(struct agent *of, const char *tunnel, struct wg_device *ret_device)
{
	(void)of;
	(void)tunnel;
	loop_reads++;
	fill(ret_device);
	return 0;
}

int agent_set_peers(struct agent *of, const char *tunnel, const struct wg_peer_change *changes, size_t count,
	struct err *err)
{
	(void)of;
	(void)tunnel;
	(void)err;
	ck_assert_uint_eq(count, 1);
	running.endpoint = changes[0].endpoint;
	endpoints_set++;
	return 0;
}

bool aside_is_small(const struct agent *of)
{
	(void)of;
	return small;
}

void owner_ask(struct agent *of, const char *tunnel)
{
	(void)of;
	(void)tunnel;
	asked |= !full;
}

bool device_reader_is_asked(const struct device_reader *reader, const char *tunnel)
{
	(void)reader;
	(void)tunnel;
	return asked;
}

int resolver_new(struct resolver **ret_resolver, struct err *err)
{
	(void)ret_resolver;
	(void)err;
	return 0;
}

void resolver_free(struct resolver *resolver)
{
	(void)resolver;
}

int resolver_fd(const struct resolver *resolver)
{
	(void)resolver;
	return answers[0];
}

int resolver_ask(struct resolver *resolver, uint64_t id, const char *name, const struct resolver_place *place)
{
	(void)resolver;
	(void)place;
	ck_assert_str_eq(name, host);
	answer.id = id;
	questions++;
	return 0;
}

bool resolver_next(struct resolver *resolver, struct resolver_answer *ret_answer)
{
	char byte;

	(void)resolver;
	*ret_answer = answer;
	return read(answers[0], &byte, 1) == 1;
}

struct agent_seat *agent_seat_find(struct agent *of, const char *endpoint)
{
	(void)of;
	(void)endpoint;
	return NULL;
}

bool agent_seat_serves(const struct agent_seat *seat)
{
	(void)seat;
	return false;
}

void agent_look_soon(struct agent *of)
{
	(void)of;
}

void journal_note(struct journal *journal, const char *kind, const char *endpoint, const char *format, ...)
{
	(void)journal;
	(void)kind;
	(void)endpoint;
	(void)format;
}

void underlay_check_soon(struct underlay *underlay)
{
	(void)underlay;
}

struct resolver_place place_of_resolver(const struct place *place)
{
	(void)place;
	return (struct resolver_place){0};
}

/* ---- what happens ---- */

static void setup(void)
{
	struct err err = {0};

	small = asked = full = false;
	loop_reads = questions = endpoints_set = 0;
	passed_ms = 0;
	running = (struct wg_peer){.public_key = {{7}}};
	peer = (struct desired_peer){.name = "gw",
		.tunnel = "wg0",
		.public_key = {{7}},
		.endpoint_host = host,
		.endpoint_port = 51820};
	desired = (struct desired){.peer_count = 1, .peers = &peer};
	ck_assert_int_eq(pipe2(answers, O_NONBLOCK), 0);
	answer = (struct resolver_answer){.count = 1};
	ck_assert_int_eq(addr_parse("203.0.113.7", &answer.addresses[0], NULL), 0);
	agent = (struct agent){.base = event_base_new(),
		.held.desired = &desired,
		.reader = (struct device_reader *)&thread};
	ck_assert_int_eq(names_open(&agent, &err), 0);
	names_update(&agent);
	ck_assert_uint_eq(questions, 1);
}

static void teardown(void)
{
	names_close(&agent);
	event_base_free(agent.base);
	close(answers[0]);
	close(answers[1]);
}

static struct resolve *resolve(void)
{
	return &agent.names->items[0].resolve;
}

static void resolver_answers(void)
{
	ck_assert_int_eq(write(answers[1], "", 1), 1);
	ck_assert_int_eq(event_base_loop(agent.base, EVLOOP_ONCE), 0);
}

static void take_read(int64_t began_ms, int result)
{
	struct device_read read = {.tunnel = "wg0", .began_ms = began_ms, .took_us = 80000, .result = result};

	if (result >= 0)
		fill(&read.device);
	asked = false;
	names_take_read(&agent, &read);
	wg_device_clear(&read.device);
}

static void thread_reads(void)
{
	ck_assert(asked);
	take_read(clock_now_ms(), 0);
}

static void roam(void)
{
	ck_assert_int_eq(addr_parse("198.51.100.9", &running.endpoint.addr, NULL), 0);
	running.endpoint.port = 4000;
	running.handshake_s = clock_wall_ms() / 1000;
}

START_TEST(an_answer_waits_for_the_thread_and_not_the_loop_for_the_device)
{
	resolver_answers();
	ck_assert_uint_eq(loop_reads + endpoints_set, 0);
	thread_reads();
	ck_assert_uint_eq(loop_reads, 0);
	ck_assert_uint_eq(endpoints_set, 1);
	ck_assert(addr_equal(&running.endpoint.addr, &answer.addresses[0]));
	take_read(clock_now_ms(), 0);
	ck_assert_uint_eq(endpoints_set, 1); /* once */
}
END_TEST

START_TEST(it_is_judged_by_what_was_read)
{
	resolver_answers();
	roam();
	thread_reads();
	ck_assert_uint_eq(endpoints_set, 0);
}
END_TEST

START_TEST(a_device_that_cannot_be_read_keeps_no_answer)
{
	resolver_answers();
	take_read(clock_now_ms(), -ETIMEDOUT);
	ck_assert(!agent.names->items[0].keeps && !resolve()->asking);
	ck_assert_uint_eq(resolve()->count, 1);
}
END_TEST

START_TEST(its_program_tells_for_a_twentieth_of_its_time)
{
	names_second(&agent);
	thread_reads();
	passed_ms += 1000;
	names_second(&agent);
	ck_assert(!asked);
	passed_ms += 700; /* 20 x 80 ms since */
	names_second(&agent);
	ck_assert(asked);
	ck_assert_uint_eq(loop_reads, 0);
}
END_TEST

START_TEST(an_older_reading_says_nothing)
{
	int64_t began_ms = clock_now_ms();

	running.tx_bytes = 1000;
	take_read(began_ms, 0);
	running.tx_bytes = 900;
	take_read(began_ms - 1, 0);
	ck_assert_uint_eq(resolve()->tx_bytes, 1000);
	agent.committed_ms = began_ms + 1;
	take_read(began_ms + 1, 0); /* perhaps of another peer with that key */
	ck_assert_uint_eq(resolve()->tx_bytes, 1000);
	take_read(began_ms + 2, 0);
	ck_assert_uint_eq(resolve()->tx_bytes, 900);
}
END_TEST

START_TEST(where_the_thread_has_no_place_the_loop_reads)
{
	full = true;
	resolver_answers();
	ck_assert_uint_eq(loop_reads, 1);
	ck_assert_uint_eq(endpoints_set, 1);
}
END_TEST

START_TEST(few_peers_are_read_by_the_loop)
{
	small = true;
	names_second(&agent);
	resolver_answers();
	ck_assert(!asked);
	ck_assert_uint_ge(loop_reads, 1);
	ck_assert_uint_eq(endpoints_set, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("names");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, an_answer_waits_for_the_thread_and_not_the_loop_for_the_device);
	tcase_add_test(all, it_is_judged_by_what_was_read);
	tcase_add_test(all, a_device_that_cannot_be_read_keeps_no_answer);
	tcase_add_test(all, its_program_tells_for_a_twentieth_of_its_time);
	tcase_add_test(all, an_older_reading_says_nothing);
	tcase_add_test(all, where_the_thread_has_no_place_the_loop_reads);
	tcase_add_test(all, few_peers_are_read_by_the_loop);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
