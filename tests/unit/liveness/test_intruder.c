/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/mac.h"
#include "tests/unit/liveness/host.h"

/* gw-b is a socket of the test's own: it holds the key, or not, and sends what it likes to the engine of gw-a. */
static struct host a, b;
static int fd;
static struct sockaddr_storage to;
static socklen_t to_length;
static struct datagram last; /* what gw-a sent last */
static size_t answers;
static uint8_t bytes[PROTO_DATAGRAM_MAX + 100];
static uint64_t seq;

static void setup(void)
{
	struct endpoint bind_to = {.addr = {.family = AF_INET, .bytes = {127, 0, 0, 12}}};
	struct endpoint engine = {.addr = {.family = AF_INET, .bytes = {127, 0, 0, 11}}};
	struct sockaddr_storage own;
	socklen_t length = endpoint_to_sockaddr(&bind_to, &own);
	struct liveness_partner partner = {
		.name = "gw-b", .watch = true, .underlay = true, .address_count = 1};

	host_base = event_base_new();
	a = (struct host){.name = "gw-a", .address = 11};
	b = (struct host){.name = "gw-b", .address = 12};
	seq = answers = 0;
	memset(&last, 0, sizeof(last));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, length), 0);
	length = sizeof(own);
	getsockname(fd, (struct sockaddr *)&own, &length);
	endpoint_from_sockaddr((struct sockaddr *)&own, &bind_to);
	host_start(&a, 1);
	engine.port = liveness_local_port(a.liveness, 0);
	to_length = endpoint_to_sockaddr(&engine, &to);
	partner.pair_key = host_key("gw-a", "gw-b");
	partner.addresses[0] = bind_to.addr;
	partner.port = bind_to.port;
	partner.locals[0] = partner.locals[1] = SIZE_MAX;
	liveness_set_partners(a.liveness, &partner, 1);
}

static void teardown(void)
{
	close(fd);
	host_stop(&a);
	event_base_free(host_base);
}

static bool take_in(void *context)
{
	bool *heard = context;
	uint8_t in[PROTO_DATAGRAM_MAX];
	ssize_t size;

	while ((size = recv(fd, in, sizeof(in), 0)) > 0) {
		ck_assert_int_eq(datagram_decode(in, (size_t)size - DATAGRAM_MAC_BYTES, &last), 0);
		answers += last.head.kind == DATAGRAM_ANSWER;
		*heard = true;
	}
	return *heard;
}

static void hear(void)
{
	bool heard = false;

	ck_assert(host_wait(take_in, &heard));
}

static struct datagram make(enum datagram_kind kind)
{
	struct datagram datagram = {.head = {.kind = kind, .boot = 99, .time_us = 5}};

	text_copy(datagram.head.from, sizeof(datagram.head.from), "gw-b");
	text_copy(datagram.head.to, sizeof(datagram.head.to), "gw-a");
	datagram.head.seq = ++seq;
	datagram.head.echo = (struct datagram_echo){.boot = last.head.boot, .time_us = last.head.time_us};
	return datagram;
}

static size_t seal(const struct datagram *datagram, const char *secret)
{
	struct key key = host_key("gw-a", secret);
	int size = datagram_encode(datagram, bytes, PROTO_DATAGRAM_MAX - DATAGRAM_MAC_BYTES);

	ck_assert_int_gt(size, 0);
	mac_compute(&key, bytes, (size_t)size, bytes + size);
	return (size_t)size + DATAGRAM_MAC_BYTES;
}

static bool has_received(void *context)
{
	return liveness_counters(a.liveness).received >= *(uint64_t *)context;
}

static void throw(size_t size)
{
	uint64_t wanted = liveness_counters(a.liveness).received + 1;

	ck_assert_int_eq(sendto(fd, bytes, size, 0, (struct sockaddr *)&to, to_length), (ssize_t)size);
	ck_assert(host_wait(has_received, &wanted));
}

START_TEST(test_an_honest_partner_is_heard)
{
	struct datagram beat;

	hear();
	beat = make(DATAGRAM_BEAT);
	throw(seal(&beat, "gw-b"));
	ck_assert(host_view(&a, &b).contact_made);
	ck_assert_int_eq(host_view(&a, &b).verdict, VERDICT_ALIVE);
	ck_assert_uint_eq(a.beats, 1);
}
END_TEST

START_TEST(test_a_wrong_key_is_not)
{
	struct datagram beat;

	hear();
	beat = make(DATAGRAM_BEAT);
	throw(seal(&beat, "gw-x"));
	ck_assert_uint_eq(liveness_counters(a.liveness).bad_mac, 1);
	ck_assert_int_eq(host_view(&a, &b).contact, CONTACT_NONE);
	ck_assert_uint_eq(a.beats, 0);
}
END_TEST

START_TEST(test_every_changed_byte_is_noticed)
{
	struct datagram beat;
	size_t size;

	hear();
	beat = make(DATAGRAM_BEAT);
	size = seal(&beat, "gw-b");
	for (size_t i = 0; i < size; i++) {
		bytes[i] ^= 0x20;
		throw(size);
		bytes[i] ^= 0x20;
	}
	ck_assert_int_eq(host_view(&a, &b).contact, CONTACT_NONE);
	struct liveness_counters counters = liveness_counters(a.liveness);
	ck_assert_uint_eq(counters.bad_mac + counters.malformed + counters.foreign, size);
}
END_TEST

START_TEST(test_a_replay_is_worthless)
{
	struct datagram beat;
	size_t size;

	hear();
	beat = make(DATAGRAM_BEAT);
	size = seal(&beat, "gw-b");
	throw(size);
	int64_t heard_ms = host_view(&a, &b).heard_ms;
	throw(size);
	throw(size);
	ck_assert_uint_eq(liveness_counters(a.liveness).replayed, 2);
	ck_assert_int_eq(host_view(&a, &b).heard_ms, heard_ms);
	ck_assert_uint_eq(a.beats, 1);
}
END_TEST

START_TEST(test_one_that_echoes_nothing_is_not_believed)
{
	struct datagram beat = make(DATAGRAM_BEAT);

	beat.head.echo = (struct datagram_echo){0};
	throw(seal(&beat, "gw-b"));
	ck_assert_uint_eq(liveness_counters(a.liveness).unproven, 1);
	ck_assert_int_eq(host_view(&a, &b).contact, CONTACT_ONE_WAY);
	ck_assert_int_eq(host_view(&a, &b).verdict, VERDICT_UNKNOWN);
	ck_assert_uint_eq(a.beats, 0);
}
END_TEST

START_TEST(test_a_probe_is_answered_twice_and_named)
{
	struct datagram probe;
	bool heard = false;

	hear();
	probe = make(DATAGRAM_PROBE);
	probe.head.time_us = 123456;
	throw(seal(&probe, "gw-b"));
	while (answers < 2) {
		heard = false;
		ck_assert(host_wait(take_in, &heard));
		if (last.head.kind == DATAGRAM_ANSWER)
			ck_assert_uint_eq(last.head.echo.time_us, 123456);
	}
	ck_assert_uint_eq(liveness_counters(a.liveness).answers, 1);
}
END_TEST

START_TEST(test_rubbish_is_counted)
{
	struct datagram beat;
	size_t size;

	memset(bytes, 'x', sizeof(bytes));
	throw(1);
	throw(DATAGRAM_MAC_BYTES - 1);
	throw(DATAGRAM_MAC_BYTES);
	throw(200);
	throw(PROTO_DATAGRAM_MAX);
	throw(PROTO_DATAGRAM_MAX + 1);
	ck_assert_uint_eq(liveness_counters(a.liveness).malformed, 6);
	beat = make(DATAGRAM_BEAT);
	text_copy(beat.head.from, sizeof(beat.head.from), "gw-q");
	throw(seal(&beat, "gw-b"));
	beat = make(DATAGRAM_BEAT);
	text_copy(beat.head.to, sizeof(beat.head.to), "gw-q");
	throw(seal(&beat, "gw-b"));
	beat = make(DATAGRAM_BEAT);
	beat.head.from_controller = true;
	throw(seal(&beat, "gw-b"));
	ck_assert_uint_eq(liveness_counters(a.liveness).foreign, 3);
	liveness_set_store(a.liveness, 5);
	beat = make(DATAGRAM_BEAT);
	beat.head.store = 6;
	size = seal(&beat, "gw-b");
	throw(size);
	ck_assert_uint_eq(liveness_counters(a.liveness).foreign, 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("intruder");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_set_timeout(all, 20);
	tcase_add_test(all, test_an_honest_partner_is_heard);
	tcase_add_test(all, test_a_wrong_key_is_not);
	tcase_add_test(all, test_every_changed_byte_is_noticed);
	tcase_add_test(all, test_a_replay_is_worthless);
	tcase_add_test(all, test_one_that_echoes_nothing_is_not_believed);
	tcase_add_test(all, test_a_probe_is_answered_twice_and_named);
	tcase_add_test(all, test_rubbish_is_counted);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
