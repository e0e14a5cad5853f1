/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/plan/sample.h"

static struct sample sample;

static void setup(void)
{
	sample_init(&sample);
}

static void teardown(void)
{
	sample_clear(&sample);
}

/* Its place in the plan; the plan's length: it is not in there. */
static size_t where(const char *line)
{
	size_t i = 0;

	while (i < sample.plan.count && strcmp(sample_line(&sample, i), line) != 0)
		i++;
	return i;
}

static bool planned(const char *line)
{
	return where(line) < sample.plan.count;
}

START_TEST(mtu_is_given_or_the_egress_routes_less_80)
{
	struct desired_tunnel tunnel = {0};

	ck_assert_uint_eq(plan_tunnel_mtu(&tunnel, 0), 1420);
	ck_assert_uint_eq(plan_tunnel_mtu(&tunnel, 9000), 8920);
	ck_assert_uint_eq(plan_tunnel_mtu(&tunnel, 1300), 1280);
	tunnel.mtu = 1400;
	ck_assert_uint_eq(plan_tunnel_mtu(&tunnel, 9000), 1400);
}
END_TEST

START_TEST(inside_address_is_a_host_where_the_interface_has_its_own)
{
	struct prefix own = prefix("192.168.1.11/24");

	sample.facts.serving[0] = true;
	sample_plan(&sample);
	ck_assert(planned("ip address add 192.168.1.1/24 dev lan"));
	plan_world_address(&sample.observed, "lan", &own);
	sample_plan(&sample);
	ck_assert(planned("ip address add 192.168.1.1/32 dev lan"));
}
END_TEST

START_TEST(its_own_inside_address_is_not_an_own_address)
{
	struct prefix inside = prefix("192.168.1.1/24");

	sample.facts.serving[0] = true;
	plan_world_address(&sample.observed, "lan", &inside);
	sample_plan(&sample);
	ck_assert(!planned("ip address add 192.168.1.1/32 dev lan"));
}
END_TEST

static const struct plan_address *planned_address(const char *device, const char *text)
{
	struct prefix wanted = prefix(text);

	for (size_t i = 0; i < sample.plan.count; i++) {
		const struct plan_op *op = &sample.plan.ops[i];

		if (op->kind == PLAN_ADDRESS_ADD && !strcmp(op->address.device, device) &&
			prefix_equal(&op->address.prefix, &wanted))
			return &op->address;
	}
	ck_abort_msg("no %s on %s", text, device);
	return NULL;
}

/* FAILOVER rule 9: they go by themselves with the lease; those of the pool and of the tunnel stay. */
START_TEST(an_owners_addresses_live_as_long_as_its_lease)
{
	sample.facts.serving[0] = true;
	sample.endpoint.lease_ms = 3000;
	sample_plan(&sample);
	ck_assert_uint_eq(planned_address("wan", "10.9.0.100/32")->lifetime_s, 3);
	ck_assert_uint_eq(planned_address("lo", "10.9.0.100/32")->lifetime_s, 0);
	ck_assert_uint_eq(planned_address("wg0", "10.50.0.1/24")->lifetime_s, 0);
	sample.endpoint.lease_ms = 1001;
	sample_plan(&sample);
	ck_assert_uint_eq(planned_address("lan", "192.168.1.1/24")->lifetime_s, 2);
}
END_TEST

START_TEST(a_guest_has_all_but_the_ipv6_addresses)
{
	sample.facts.serving[0] = true;
	sample.endpoint.dial[sample.endpoint.dial_count++] = prefix("2001:db8::100/128").addr;
	sample_plan(&sample);
	ck_assert_ptr_nonnull(planned_address("wan", "2001:db8::100/128"));
	sample.facts.visiting[0] = true;
	sample_plan(&sample);
	ck_assert_ptr_nonnull(planned_address("wan", "10.9.0.100/32"));
	ck_assert_ptr_nonnull(planned_address("lo", "2001:db8::100/128"));
	for (size_t i = 0; i < sample.plan.count; i++)
		ck_assert(sample.plan.ops[i].kind != PLAN_ADDRESS_ADD ||
			  strcmp(sample.plan.ops[i].address.device, "wan") != 0 ||
			  sample.plan.ops[i].address.prefix.addr.family != AF_INET6);
}
END_TEST

START_TEST(a_lifetime_that_runs_down_is_no_difference)
{
	struct plan_address running = {.lifetime_s = 1}, wanted = {.lifetime_s = 3};

	ck_assert(plan_address_equal(&running, &wanted));
}
END_TEST

START_TEST(tables_off_and_number)
{
	sample.tunnel.table = TABLE_OFF;
	sample_plan(&sample);
	ck_assert(!planned("ip route replace 192.168.77.0/24 dev wg0"));
	sample.tunnel.table = TABLE_NUMBER;
	sample.tunnel.table_number = 100;
	sample_plan(&sample);
	ck_assert(planned("ip route replace 192.168.77.0/24 dev wg0 table 100"));
	ck_assert(planned("ip route replace 10.50.0.2/32 dev wg0 table 100"));
}
END_TEST

START_TEST(a_default_route_gets_rules_and_a_table_of_its_own)
{
	sample.allowed[2] = prefix("0.0.0.0/0");
	plan_world_sysctl(&sample.observed, "net/ipv4/conf/all/src_valid_mark", "0");
	sample_plan(&sample);
	ck_assert(planned("ip rule add priority 32765 not fwmark 0x51820 table 333856"));
	ck_assert(planned("ip rule add priority 32764 table 254 suppress_prefixlength 0"));
	ck_assert(planned("ip route replace 0.0.0.0/0 dev wg0 table 333856"));
	ck_assert(planned("sysctl -w net/ipv4/conf/all/src_valid_mark=1"));
	ck_assert_uint_gt(where("ip route replace 0.0.0.0/0 dev wg0 table 333856"),
		where("ip rule add priority 32764 table 254 suppress_prefixlength 0"));
}
END_TEST

START_TEST(an_ipv6_default_route_alike)
{
	sample.allowed[2] = prefix("::/0");
	sample_plan(&sample);
	ck_assert(planned("ip -6 rule add priority 32765 not fwmark 0x51820 table 333856"));
	ck_assert(planned("ip -6 route replace ::/0 dev wg0 table 333856 metric 1024"));
}
END_TEST

START_TEST(forwarding_is_switched_on_when_asked_for)
{
	plan_world_sysctl(&sample.observed, "net/ipv4/ip_forward", "0");
	plan_world_sysctl(&sample.observed, "net/ipv6/conf/all/forwarding", "0");
	sample_plan(&sample);
	ck_assert(!planned("sysctl -w net/ipv4/ip_forward=1"));
	sample.tunnel.forward.policy = FORWARD_ACCEPT;
	sample_plan(&sample);
	ck_assert(planned("sysctl -w net/ipv4/ip_forward=1"));
	ck_assert(!planned("sysctl -w net/ipv6/conf/all/forwarding=1"));
	sample.tunnel.forward.masquerade_count = 1;
	sample.tunnel.forward.masquerade[0].from.addr.family = AF_INET6;
	sample_plan(&sample);
	ck_assert(planned("sysctl -w net/ipv6/conf/all/forwarding=1"));
}
END_TEST

START_TEST(where_packets_may_be_another_gateways_they_are_not_joined)
{
	static const char operation[] = "ethtool -K wan rx-gro-list off rx-udp-gro-forwarding off";

	plan_world_offload(&sample.observed, "wan", true);
	plan_world_offload(&sample.observed, "lan", true);
	sample_plan(&sample);
	ck_assert(!planned(operation));
	sample.endpoint.pool_count = 2;
	sample_plan(&sample);
	ck_assert(planned(operation));
	ck_assert_uint_eq(sample.target.world.offload_count, 1);
	plan_world_offload(&sample.observed, "wan", false);
	sample_plan(&sample);
	ck_assert(!planned(operation));
}
END_TEST

START_TEST(a_peer_may_have_a_table_and_a_metric_of_its_own)
{
	sample.peers[1].route_metric = 50;
	sample_plan(&sample);
	ck_assert(planned("ip route replace 192.168.77.0/24 dev wg0 metric 50"));
	sample.peers[1].route_table = 100;
	sample_plan(&sample);
	ck_assert(planned("ip route replace 192.168.77.0/24 dev wg0 table 100 metric 50"));
	ck_assert(planned("ip route replace 10.50.0.3/32 dev wg0 table 100 metric 50"));
	ck_assert(!planned("ip route replace 10.50.0.2/32 dev wg0 table 100 metric 50"));
	sample.tunnel.table = TABLE_OFF;
	sample_plan(&sample);
	ck_assert(planned("ip route replace 192.168.77.0/24 dev wg0 table 100 metric 50"));
}
END_TEST

/* As with a number for the tunnel: just the route. */
START_TEST(a_default_route_in_a_table_of_its_own_gets_no_rules)
{
	sample.allowed[2] = prefix("::/0");
	sample.peers[1].route_table = 100;
	sample_plan(&sample);
	ck_assert(planned("ip -6 route replace ::/0 dev wg0 table 100 metric 1024"));
	ck_assert_uint_eq(sample.target.world.rule_count, 0);
}
END_TEST

START_TEST(an_unrouted_peer_has_allowed_ips_and_no_routes)
{
	sample.allowed[2] = prefix("0.0.0.0/0");
	sample.peers[1].unrouted = true;
	sample_plan(&sample);
	ck_assert_uint_eq(sample.target.world.route_count, 1); /* the other's */
	ck_assert(planned("ip route replace 10.50.0.2/32 dev wg0"));
	ck_assert_uint_eq(sample.target.world.rule_count, 0);
	ck_assert_uint_eq(sample.target.world.devices[0].peers[1].allowed_ip_count, 2);
}
END_TEST

/* Somebody's longer route over another device would win against the network's alone. */
START_TEST(within_the_own_network_a_peer_has_its_route)
{
	sample.tunnel.addresses[sample.tunnel.address_count++] = prefix("fd00::1/64");
	sample.allowed[2] = prefix("fd00::3/128");
	sample_plan(&sample);
	ck_assert(planned("ip route replace 10.50.0.2/32 dev wg0"));
	ck_assert(planned("ip -6 route replace fd00::3/128 dev wg0 metric 1024"));
}
END_TEST

/* Replacing it would take the kernel's own away. */
START_TEST(the_route_of_the_own_network_is_the_kernels)
{
	sample.tunnel.addresses[sample.tunnel.address_count++] = prefix("fd00::1/64");
	sample.allowed[1] = prefix("10.50.0.0/24");
	sample.allowed[2] = prefix("fd00::/64");
	sample_plan(&sample);
	ck_assert_uint_eq(sample.target.world.route_count, 1);
	ck_assert(planned("ip route replace 10.50.0.2/32 dev wg0"));
}
END_TEST

/* The kernel's own route of such an address leads to the peer. */
START_TEST(an_address_with_a_peer_has_a_route_to_it)
{
	sample.tunnel.addresses[0] = prefix("10.60.0.1/32");
	sample.tunnel.address_peers[0] = addr("10.50.0.2");
	sample_plan(&sample);
	ck_assert(planned("ip address add 10.60.0.1 peer 10.50.0.2/32 dev wg0"));
	ck_assert(!planned("ip route replace 10.50.0.2/32 dev wg0"));
	ck_assert(planned("ip route replace 10.50.0.3/32 dev wg0"));
}
END_TEST

START_TEST(a_tunnel_without_endpoint_is_always_served)
{
	sample.desired.endpoint_count = 0;
	sample_plan(&sample);
	ck_assert_uint_eq(sample.target.world.devices[0].peers[1].keepalive_s, 25);
}
END_TEST

START_TEST(preshared_keys_come_from_their_files)
{
	struct key keys[2] = {{{0}}};

	keys[1].bytes[0] = 7;
	sample.facts.preshared_keys = keys;
	sample_plan(&sample);
	ck_assert_uint_eq(sample.target.world.devices[0].peers[1].preshared_key.bytes[0], 7);
	ck_assert_uint_eq(sample.plan.ops[1].wireguard.changes[1].flags & PLAN_PEER_PRESHARED_KEY,
		PLAN_PEER_PRESHARED_KEY);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("target");
	TCase *tc = tcase_create("target");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, mtu_is_given_or_the_egress_routes_less_80);
	tcase_add_test(tc, inside_address_is_a_host_where_the_interface_has_its_own);
	tcase_add_test(tc, its_own_inside_address_is_not_an_own_address);
	tcase_add_test(tc, an_owners_addresses_live_as_long_as_its_lease);
	tcase_add_test(tc, a_guest_has_all_but_the_ipv6_addresses);
	tcase_add_test(tc, a_lifetime_that_runs_down_is_no_difference);
	tcase_add_test(tc, tables_off_and_number);
	tcase_add_test(tc, a_default_route_gets_rules_and_a_table_of_its_own);
	tcase_add_test(tc, an_ipv6_default_route_alike);
	tcase_add_test(tc, forwarding_is_switched_on_when_asked_for);
	tcase_add_test(tc, where_packets_may_be_another_gateways_they_are_not_joined);
	tcase_add_test(tc, a_peer_may_have_a_table_and_a_metric_of_its_own);
	tcase_add_test(tc, a_default_route_in_a_table_of_its_own_gets_no_rules);
	tcase_add_test(tc, an_unrouted_peer_has_allowed_ips_and_no_routes);
	tcase_add_test(tc, within_the_own_network_a_peer_has_its_route);
	tcase_add_test(tc, the_route_of_the_own_network_is_the_kernels);
	tcase_add_test(tc, an_address_with_a_peer_has_a_route_to_it);
	tcase_add_test(tc, a_tunnel_without_endpoint_is_always_served);
	tcase_add_test(tc, preshared_keys_come_from_their_files);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
