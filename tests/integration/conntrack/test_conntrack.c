/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/flow/status.h"
#include "node-agent/io/conntrack/conntrack.h"
#include "node-agent/io/conntrack/message.h"
#include "tests/integration/node-agent/sandbox.h"

/* What is loaded is what the kernel then holds; what it holds is told of, and what goes, too. */

enum { WAIT_MS = 10000, BATCHES = 16 };

static struct conntrack *conntrack;
static struct conntrack_watch *watch;
static struct err err;

static struct flow present[BATCHES * CONNTRACK_BATCH_MAX + 8];
static size_t present_count, gone_count;
static struct flow last_gone;
static bool looked;

static void on_flow(const struct flow *flow, bool gone, void *context)
{
	(void)context;
	if (gone) {
		last_gone = *flow;
		gone_count++;
	} else {
		ck_assert(present_count < ARRAY_COUNT(present));
		present[present_count++] = *flow;
	}
}

static void on_seen(const struct flow *flow, void *context)
{
	on_flow(flow, false, context);
}

static void on_looked(bool well, void *context)
{
	(void)context;
	ck_assert(well);
	looked = true;
}

static void on_lost(void *context)
{
	(void)context;
	ck_abort_msg("news were lost");
}

static const struct conntrack_news news = {
	.flow = on_flow, .seen = on_seen, .looked = on_looked, .lost = on_lost};

static void hear(void)
{
	struct pollfd ready = {.fd = conntrack_watch_fd(watch), .events = POLLIN};

	ck_assert_msg(poll(&ready, 1, WAIT_MS) == 1, "the kernel told nothing within %d ms", WAIT_MS);
	conntrack_watch_read(watch, &news);
}

static void look(void)
{
	present_count = 0;
	looked = false;
	ck_assert_int_eq(conntrack_watch_look(watch), 0);
	while (!looked)
		hear();
}

static void enter(void)
{
	sandbox_enter();
	ck_assert_int_eq(conntrack_watch_open(&watch, &err), 0);
	ck_assert_int_eq(conntrack_open(&conntrack, &err), 0);
	gone_count = 0;
}

static void leave(void)
{
	conntrack_close(conntrack);
	conntrack_watch_close(watch);
}

static struct addr address(const char *text)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse(text, &addr, NULL), 0);
	return addr;
}

/* Answered, and not translated. */
static struct flow plain(
	uint8_t protocol, const char *from, uint16_t from_port, const char *to, uint16_t to_port)
{
	struct flow flow = {.protocol = protocol,
		.original = {.source = address(from),
			.source_port = from_port,
			.destination = address(to),
			.destination_port = to_port},
		.status = FLOW_STATUS_SEEN_REPLY,
		.timeout_s = 100};

	flow.reply = conntrack_invert(&flow.original, protocol);
	return flow;
}

static struct flow tcp(void)
{
	struct flow flow = plain(FLOW_TCP, "10.50.0.2", 40000, "192.168.1.10", 5201);

	flow.status |= FLOW_STATUS_ASSURED;
	flow.tcp_state = 3; /* TCP_CONNTRACK_ESTABLISHED */
	flow.tcp_scale[0] = 7;
	flow.tcp_scale[1] = 9;
	flow.mark = 0x1234;
	flow.timeout_s = 432000;
	return flow;
}

static struct flow translated(void)
{
	struct flow flow = tcp();

	flow.status |= FLOW_STATUS_SRC_NAT;
	flow.reply.destination = address("192.168.1.1");
	flow.reply.destination_port = 61000;
	return flow;
}

static bool same_key(const struct flow *a, const struct flow *b)
{
	struct flow_key left = flow_key_of(a), right = flow_key_of(b);

	return !memcmp(&left, &right, sizeof left);
}

static void load(const struct flow *flow, bool replace, size_t expect_made, size_t expect_there)
{
	struct conntrack_made made;

	ck_assert_int_eq(conntrack_load(conntrack, flow, 1, replace, &made), 0);
	ck_assert_msg(made.made == expect_made && made.there == expect_there,
		"made %zu, there %zu, refused %zu: %s", made.made, made.there, made.refused,
		strerror(-made.error));
}

static void check_held(const struct flow *flow)
{
	look();
	ck_assert_uint_eq(present_count, 1);
	ck_assert(flow_equal(&present[0], flow));
	ck_assert_uint_le(present[0].timeout_s, flow->timeout_s);
	ck_assert_uint_ge(present[0].timeout_s + 60, flow->timeout_s);
}

static void check_round_trip(const struct flow *flow)
{
	load(flow, false, 1, 0);
	check_held(flow);
	ck_assert_int_eq(conntrack_delete(conntrack, flow, 1), 0);
	look();
	ck_assert_uint_eq(present_count, 0);
}

START_TEST(test_what_is_loaded_is_held)
{
	struct flow flow = tcp();

	check_round_trip(&flow);
	flow.zone = 77;
	check_round_trip(&flow);
	flow = plain(FLOW_UDP, "10.50.0.2", 5353, "192.168.1.10", 53);
	check_round_trip(&flow);
	flow = plain(FLOW_ICMP, "10.50.0.2", 77, "192.168.1.10", 8 << 8);
	check_round_trip(&flow);
	flow = plain(FLOW_TCP, "fd50::2", 40000, "fd60::10", 443);
	flow.tcp_state = 3;
	check_round_trip(&flow);
	flow = plain(FLOW_ICMP6, "fd50::2", 77, "fd60::10", 128 << 8);
	check_round_trip(&flow);
}
END_TEST

START_TEST(test_translations_are_held)
{
	struct flow flow = translated();

	check_round_trip(&flow);
	flow = plain(FLOW_ICMP, "10.50.0.2", 77, "192.168.1.10", 8 << 8);
	flow.status |= FLOW_STATUS_SRC_NAT;
	flow.reply.destination = address("192.168.1.1");
	flow.reply.source_port = 78;
	check_round_trip(&flow);
	flow = plain(FLOW_UDP, "192.168.1.10", 5000, "192.168.1.1", 53);
	flow.status |= FLOW_STATUS_DST_NAT;
	flow.reply.source = address("10.50.0.2");
	flow.reply.source_port = 5353;
	check_round_trip(&flow);
	flow = plain(FLOW_TCP, "fd50::2", 40000, "fd60::10", 443);
	flow.tcp_state = 3;
	flow.status |= FLOW_STATUS_SRC_NAT;
	flow.reply.destination = address("fd60::1");
	flow.reply.destination_port = 61000;
	check_round_trip(&flow);
}
END_TEST

START_TEST(test_what_is_there_stays_unless_it_is_replaced)
{
	struct flow flow = translated(), other = translated(), clash = translated();

	load(&flow, true, 1, 0);
	other.reply.destination_port = 61001;
	load(&other, false, 0, 1);
	check_held(&flow);
	load(&other, true, 1, 0);
	check_held(&other);
	/* Another flow whose answers would be taken for those of the one that is there. */
	clash = other;
	clash.original.source_port = clash.original.source_port + 1;
	load(&clash, false, 0, 1);
	load(&clash, true, 1, 0);
	check_held(&clash);
}
END_TEST

START_TEST(test_updates)
{
	struct flow flow = translated();
	struct conntrack_made made;

	load(&flow, true, 1, 0);
	flow.tcp_state = 4; /* TCP_CONNTRACK_FIN_WAIT */
	flow.mark = 0;
	flow.timeout_s = 120;
	ck_assert_int_eq(conntrack_update(conntrack, &flow, 1, &made), 0);
	ck_assert_uint_eq(made.made, 1);
	check_held(&flow);
	flow.status &= ~(uint32_t)FLOW_STATUS_ASSURED; /* which an entry never loses: it is another one */
	ck_assert_int_eq(conntrack_update(conntrack, &flow, 1, &made), 0);
	ck_assert_uint_eq(made.made, 1);
	check_held(&flow);
	ck_assert_int_eq(conntrack_delete(conntrack, &flow, 1), 0);
	ck_assert_int_eq(conntrack_update(conntrack, &flow, 1, &made), 0);
	ck_assert_uint_eq(made.made, 1);
	check_held(&flow);
	ck_assert_int_eq(conntrack_update(conntrack, &flow, CONNTRACK_BATCH_MAX + 1, &made), -EINVAL);
}
END_TEST

/* What becomes of TCP's windows shows in packets alone: tests/integration/lab/test_flows.py. */
START_TEST(test_loosening_changes_nothing_else)
{
	struct flow flows[3] = {translated(), tcp(), tcp()};

	flows[1].original.source_port = flows[1].reply.destination_port = 40001;
	flows[2].original.source_port = 40002; /* not there */
	load(&flows[0], true, 1, 0);
	ck_assert_int_eq(conntrack_loosen(conntrack, flows, 1), 0);
	check_held(&flows[0]);
	load(&flows[1], true, 1, 0);
	ck_assert_int_eq(conntrack_loosen(conntrack, flows, ARRAY_COUNT(flows)), 0);
	look();
	ck_assert_uint_eq(present_count, 2); /* and it makes none */
	ck_assert_int_eq(conntrack_loosen(conntrack, flows, 0), 0);
	ck_assert_int_eq(conntrack_loosen(conntrack, flows, CONNTRACK_BATCH_MAX + 1), -EINVAL);
	flows[0].protocol = FLOW_UDP;
	ck_assert_int_eq(conntrack_loosen(conntrack, flows, 1), 0); /* no such entry */
}
END_TEST

START_TEST(test_news_are_told_to_who_listens)
{
	struct flow flow = translated();

	ck_assert_int_eq(conntrack_watch_listen(watch, true), 0);
	present_count = 0;
	load(&flow, true, 1, 0);
	while (!present_count)
		hear();
	ck_assert(flow_equal(&present[0], &flow));
	ck_assert_int_eq(conntrack_delete(conntrack, &flow, 1), 0);
	while (!gone_count)
		hear();
	ck_assert(same_key(&last_gone, &flow));
}
END_TEST

START_TEST(test_the_deaf_are_told_only_what_they_ask)
{
	struct flow flow = tcp();

	load(&flow, true, 1, 0);
	ck_assert_int_eq(conntrack_delete(conntrack, &flow, 1), 0);
	load(&flow, true, 1, 0);
	check_held(&flow);
	ck_assert_uint_eq(gone_count, 0);
	/* What was made while it was deaf is told of all the same. */
	ck_assert_int_eq(conntrack_watch_listen(watch, true), 0);
	ck_assert_int_eq(conntrack_delete(conntrack, &flow, 1), 0);
	while (!gone_count)
		hear();
}
END_TEST

static void fill_batch(struct flow *flows, size_t number)
{
	for (size_t i = 0; i < CONNTRACK_BATCH_MAX; i++) {
		uint16_t offset = (uint16_t)(number * CONNTRACK_BATCH_MAX + i);

		flows[i] = translated();
		flows[i].original.source_port = (uint16_t)(1000 + offset);
		flows[i].reply.destination_port = (uint16_t)(20000 + offset);
	}
}

START_TEST(test_many_in_batches)
{
	struct flow flows[CONNTRACK_BATCH_MAX + 1];
	struct conntrack_made made;

	for (size_t number = 0; number < 2 * BATCHES; number++) { /* each is loaded, and loaded anew */
		fill_batch(flows, number % BATCHES);
		ck_assert_int_eq(conntrack_load(conntrack, flows, CONNTRACK_BATCH_MAX, true, &made), 0);
		ck_assert_uint_eq(made.made, CONNTRACK_BATCH_MAX);
	}
	look();
	ck_assert_uint_eq(present_count, BATCHES * CONNTRACK_BATCH_MAX);
	ck_assert_int_eq(conntrack_load(conntrack, flows, CONNTRACK_BATCH_MAX + 1, true, &made), -EINVAL);
	ck_assert_int_eq(conntrack_delete(conntrack, flows, CONNTRACK_BATCH_MAX + 1), -EINVAL);
}
END_TEST

/* One that the kernel refuses spoils none of the others. */
START_TEST(test_one_refused_among_others)
{
	struct flow flows[3] = {tcp(), tcp(), tcp()};
	struct conntrack_made made;

	flows[1].protocol = FLOW_UDP;
	flows[1].original.source =
		address("fd50::2"); /* and an IPv4 destination: an address of IPv6 is missing */
	flows[2].original.source_port = 40001;
	ck_assert_int_eq(conntrack_load(conntrack, flows, 3, true, &made), 0);
	ck_assert_uint_eq(made.made, 2);
	ck_assert_uint_eq(made.refused, 1);
	ck_assert_int_lt(made.error, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conntrack");
	TCase *tcase = tcase_create("kernel");

	tcase_add_checked_fixture(tcase, enter, leave);
	tcase_add_test(tcase, test_what_is_loaded_is_held);
	tcase_add_test(tcase, test_translations_are_held);
	tcase_add_test(tcase, test_what_is_there_stays_unless_it_is_replaced);
	tcase_add_test(tcase, test_updates);
	tcase_add_test(tcase, test_loosening_changes_nothing_else);
	tcase_add_test(tcase, test_news_are_told_to_who_listens);
	tcase_add_test(tcase, test_the_deaf_are_told_only_what_they_ask);
	tcase_add_test(tcase, test_many_in_batches);
	tcase_add_test(tcase, test_one_refused_among_others);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return sandbox_main(suite);
}
