/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "net.h"
#include "node-agent/io/rtnl/batch.h"
#include "node-agent/io/rtnl/monitor.h"
#include "sandbox.h"

static struct rtnl *rtnl;
static struct monitor *monitor;
static struct err err;

static void open_monitor(void)
{
	sandbox_enter();
	sandbox_run("ip link add eth1 type veth peer name far1");
	sandbox_run("ip link set far1 up");
	sandbox_run("ip link set eth1 up");
	sandbox_run("ip addr add 192.168.1.1/24 dev eth1");
	NET_OK(&err, rtnl_open(RTNL_TIMEOUT_MS, &rtnl, &err));
	NET_OK(&err, monitor_open(&monitor, &err));
}

static void close_monitor(void)
{
	monitor_close(monitor);
	rtnl_close(rtnl);
}

/* All that was heard, in order. */
static struct monitor_event heard[64];
static size_t heard_count, taken;
static unsigned counts[MONITOR_RESYNC + 1];

static void hear(const struct monitor_event *event, void *context)
{
	(void)context;
	counts[event->kind]++;
	if (heard_count < ARRAY_COUNT(heard))
		heard[heard_count++] = *event;
}

/* What comes at all comes within this, also on a busy machine. */
enum { SOON_MS = 20000 };

static void hear_once(int wait_ms)
{
	struct pollfd ready = {.fd = monitor_fd(monitor), .events = POLLIN};

	ck_assert_msg(poll(&ready, 1, wait_ms) == 1, "nothing is told within %d ms", wait_ms);
	NET_OK(&err, monitor_read(monitor, hear, NULL, &err));
}

static void forget(void)
{
	heard_count = taken = 0;
	memset(counts, 0, sizeof counts);
}

static const char *device_of(const struct monitor_event *event)
{
	switch (event->kind) {
	case MONITOR_LINK:
	case MONITOR_LINK_GONE:
		return event->link.name;
	case MONITOR_ADDRESS:
	case MONITOR_ADDRESS_GONE:
		return event->address.device;
	case MONITOR_ROUTE:
	case MONITOR_ROUTE_GONE:
		return event->route.device;
	case MONITOR_RULE:
	case MONITOR_RULE_GONE:
	case MONITOR_RESYNC:
		return "";
	}
	return "";
}

/* The next event of that kind about that device, within a second. The namespace is young: there are others. */
static const struct monitor_event *next(enum monitor_kind kind, const char *device)
{
	for (;;) {
		while (taken < heard_count) {
			const struct monitor_event *event = &heard[taken++];

			if (event->kind == kind && strcmp(device_of(event), device) == 0)
				return event;
		}
		ck_assert_uint_lt(heard_count, ARRAY_COUNT(heard));
		hear_once(SOON_MS);
	}
}

START_TEST(test_nothing_waits)
{
	struct pollfd ready = {.fd = monitor_fd(monitor), .events = POLLIN};

	while (poll(&ready, 1, 0) == 1)
		hear_once(0);
	ck_assert_int_eq(monitor_read(monitor, hear, NULL, &err), 0);
}
END_TEST

/* The owner fences itself by this. Asked, the kernel knows when the call returns; it tells a moment later. */
START_TEST(test_carrier_loss_is_told_at_once)
{
	struct rtnl_link_change down = {.name = "far1", .set = RTNL_LINK_DOWN};
	struct rtnl_link link;

	NET_OK(&err, rtnl_link_change(rtnl, &down, &err));
	NET_OK(&err, rtnl_link_get(rtnl, "eth1", &link, &err));
	ck_assert(link.up && !link.carrier);
	do
		link = next(MONITOR_LINK, "eth1")->link;
	while (link.carrier);
	ck_assert(link.up);
}
END_TEST

START_TEST(test_link_comes_and_goes)
{
	NET_OK(&err, rtnl_link_create(rtnl, "br0", "bridge", &err));
	ck_assert_str_eq(next(MONITOR_LINK, "br0")->link.kind, "bridge");
	NET_OK(&err, rtnl_link_delete(rtnl, "br0", &err));
	next(MONITOR_LINK_GONE, "br0");
}
END_TEST

START_TEST(test_address_comes_and_goes)
{
	struct rtnl_address address = {.prefix = net_prefix("10.9.0.100/32"), .device = "eth1"};

	NET_OK(&err, rtnl_address_request(rtnl, RTNL_ADD, &address, &err));
	ck_assert(prefix_equal(&next(MONITOR_ADDRESS, "eth1")->address.prefix, &address.prefix));
	NET_OK(&err, rtnl_address_request(rtnl, RTNL_DELETE, &address, &err));
	ck_assert(prefix_equal(&next(MONITOR_ADDRESS_GONE, "eth1")->address.prefix, &address.prefix));
}
END_TEST

START_TEST(test_route_and_rule_come_and_go)
{
	struct rtnl_route route = {
		.to = net_prefix("172.30.0.0/16"), .via = net_addr("192.168.1.254"), .table = 100};
	struct rtnl_rule rule = {.family = AF_INET6, .has_fwmark = true, .fwmark = 7, .table = 100};

	NET_OK(&err, rtnl_route_request(rtnl, RTNL_ADD, &route, &err));
	NET_OK(&err, rtnl_rule_request(rtnl, RTNL_ADD, &rule, &err));
	while (next(MONITOR_ROUTE, "eth1")->route.table != 100)
		;
	ck_assert_uint_eq(next(MONITOR_RULE, "")->rule.fwmark, 7);
	NET_OK(&err, rtnl_rule_request(rtnl, RTNL_DELETE, &rule, &err));
	NET_OK(&err, rtnl_route_request(rtnl, RTNL_DELETE, &route, &err));
	ck_assert_uint_eq(next(MONITOR_RULE_GONE, "")->rule.fwmark, 7);
	ck_assert_uint_eq(next(MONITOR_ROUTE_GONE, "eth1")->route.table, 100);
}
END_TEST

static void change_routes(enum rtnl_op op, unsigned count)
{
	struct rtnl_batch *batch = rtnl_batch_new();
	struct rtnl_route route = {.to = net_prefix("10.0.0.0/32"), .device = "eth1"};
	unsigned i;

	for (i = 0; i < count; i++) {
		route.to.addr.bytes[1] = (uint8_t)(i >> 16);
		route.to.addr.bytes[2] = (uint8_t)(i >> 8);
		route.to.addr.bytes[3] = (uint8_t)i;
		rtnl_batch_route(batch, op, &route);
	}
	NET_OK(&err, rtnl_batch_run(rtnl, batch, &err));
	rtnl_batch_free(batch);
}

START_TEST(test_a_read_is_bounded)
{
	unsigned total = MONITOR_READ_MAX + 500;

	change_routes(RTNL_ADD, total);
	hear_once(SOON_MS);
	ck_assert_uint_le(counts[MONITOR_ROUTE], MONITOR_READ_MAX);
	while (counts[MONITOR_ROUTE] < total)
		hear_once(SOON_MS);
}
END_TEST

/* More than the queue holds, and nobody reads: what was lost is said, and what comes after is heard. */
START_TEST(test_lost_events_are_said)
{
	struct rtnl_address address = {.prefix = net_prefix("10.9.0.100/32"), .device = "eth1"};
	struct pollfd ready = {.fd = monitor_fd(monitor), .events = POLLIN};

	change_routes(RTNL_ADD, 20000);
	change_routes(RTNL_DELETE, 20000);
	while (poll(&ready, 1, 0) == 1)
		hear_once(0);
	ck_assert_uint_ge(counts[MONITOR_RESYNC], 1);
	forget();
	NET_OK(&err, rtnl_address_request(rtnl, RTNL_ADD, &address, &err));
	ck_assert(prefix_equal(&next(MONITOR_ADDRESS, "eth1")->address.prefix, &address.prefix));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("monitor");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, open_monitor, close_monitor);
	tcase_set_timeout(all, 60);
	tcase_add_test(all, test_nothing_waits);
	tcase_add_test(all, test_carrier_loss_is_told_at_once);
	tcase_add_test(all, test_link_comes_and_goes);
	tcase_add_test(all, test_address_comes_and_goes);
	tcase_add_test(all, test_route_and_rule_come_and_go);
	tcase_add_test(all, test_a_read_is_bounded);
	tcase_add_test(all, test_lost_events_are_said);
	suite_add_tcase(suite, all);
	return sandbox_main(suite);
}
