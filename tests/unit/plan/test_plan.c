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

#define EXPECT_LINE(index, text) ck_assert_str_eq(sample_line(&sample, (index)), (text))

/* A standby that is in order: the plans of most tests start from here. */
static void settle(bool serving)
{
	sample.facts.serving[0] = serving;
	sample_plan(&sample);
	sample_obey(&sample);
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 0);
}

START_TEST(a_bare_host_gets_everything_in_order)
{
	sample.observed.firewall_differs = true;
	plan_world_sysctl(&sample.observed, "net/ipv4/conf/wan/arp_ignore", "0");
	sample_plan(&sample);
	EXPECT_LINE(0, "nft load table holdfast");
	EXPECT_LINE(1, "sysctl -w net/ipv4/conf/wan/arp_ignore=1");
	EXPECT_LINE(2, "ip link add dev wg0 type wireguard");
	EXPECT_LINE(3, "wg set wg0 private-key (from its file) listen-port 51820 fwmark 0x51820 set 2 peers");
	EXPECT_LINE(4, "ip address add 10.50.0.1/24 dev wg0");
	EXPECT_LINE(5, "ip address add 10.9.0.100/32 dev lo scope host");
	EXPECT_LINE(6, "ip address add 2001:db8::100/128 dev lo nodad preferred_lft 0");
	EXPECT_LINE(7, "ip link set dev wg0 mtu 1420 up");
	EXPECT_LINE(8, "ip route replace 10.50.0.2/32 dev wg0");
	EXPECT_LINE(9, "ip route replace 10.50.0.3/32 dev wg0");
	EXPECT_LINE(10, "ip route replace 192.168.77.0/24 dev wg0");
	ck_assert_uint_eq(sample.plan.count, 11);
}
END_TEST

START_TEST(an_unchanged_world_gives_an_empty_plan)
{
	settle(false);
	settle(true);
}
END_TEST

START_TEST(an_owner_has_addresses_routes_and_keepalives)
{
	settle(false);
	sample.facts.serving[0] = true;
	sample_plan(&sample);
	EXPECT_LINE(0, "wg set wg0 set 1 peers");
	EXPECT_LINE(1, "ip address add 10.9.0.100/32 dev wan");
	EXPECT_LINE(2, "ip address add 2001:db8::100/128 dev wan nodad preferred_lft 0");
	EXPECT_LINE(3, "ip address add 192.168.1.1/24 dev lan");
	EXPECT_LINE(4, "ip route replace 172.30.0.0/16 via 192.168.1.254 dev lan");
	ck_assert_uint_eq(sample.plan.count, 5);
	ck_assert_uint_eq(sample.plan.ops[0].wireguard.changes[0].flags, PLAN_PEER_KEEPALIVE);
	ck_assert_uint_eq(sample.plan.ops[0].wireguard.changes[0].peer.keepalive_s, 25);
}
END_TEST

START_TEST(a_demoted_owner_loses_them)
{
	settle(true);
	sample.facts.serving[0] = false;
	sample_plan(&sample);
	EXPECT_LINE(0, "ip route delete 172.30.0.0/16 via 192.168.1.254 dev lan");
	EXPECT_LINE(1, "ip address delete 10.9.0.100/32 dev wan");
	EXPECT_LINE(2, "ip address delete 2001:db8::100/128 dev wan nodad preferred_lft 0");
	EXPECT_LINE(3, "ip address delete 192.168.1.1/24 dev lan");
	EXPECT_LINE(4, "wg set wg0 set 1 peers");
	ck_assert_uint_eq(sample.plan.count, 5);
}
END_TEST

/* Peer 1 has what peer 2 has a claim to. */
static const struct prefix *moved_allowed_ips(
	const struct desired_peer *peer, size_t *ret_count, void *context)
{
	struct sample *of = context;
	static struct prefix first[2];

	if (peer == &of->desired.peers[1]) {
		*ret_count = 1;
		return peer->allowed_ips;
	}
	first[0] = peer->allowed_ips[0];
	first[1] = prefix("192.168.77.0/24");
	*ret_count = 2;
	return first;
}

START_TEST(a_prefix_is_with_whom_it_is_now)
{
	settle(false);
	sample.facts.allowed_ips = moved_allowed_ips;
	sample.facts.context = &sample;
	sample_plan(&sample);
	EXPECT_LINE(0, "wg set wg0 set 2 peers"); /* its route leads where it led */
	ck_assert_uint_eq(sample.plan.count, 1);
	sample_obey(&sample);
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 0);
}
END_TEST

START_TEST(nobody_in_a_group_is_let_in_without_its_rules)
{
	char staff[] = "staff";

	sample.peers[0].groups = staff;
	sample.facts.groups_missing = true;
	sample_plan(&sample);
	ck_assert_uint_eq(sample.target.world.devices[0].peer_count, 1);
	sample.facts.groups_missing = false;
	settle(true);
	sample.facts.groups_missing = true;
	sample_plan(&sample);
	EXPECT_LINE(0, "wg set wg0 remove 1 peers");
	ck_assert(key_equal(
		&sample.plan.ops[0].wireguard.changes[0].peer.public_key, &sample.peers[0].public_key));
	ck_assert_uint_eq(sample.plan.count, 1);
}
END_TEST

START_TEST(what_is_not_ours_is_left_alone)
{
	struct prefix own = prefix("10.9.0.11/24"), link_local = prefix("fe80::1/64");

	settle(false);
	plan_world_address(&sample.observed, "wan", &own);
	plan_world_address(&sample.observed, "wg0", &link_local);
	plan_world_link(&sample.observed, "wg9");
	plan_world_device(&sample.observed, "wg9");
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 0);
}
END_TEST

START_TEST(a_stranger_on_our_tunnel_goes)
{
	struct prefix stranger = prefix("10.99.0.1/24");

	settle(false);
	plan_world_address(&sample.observed, "wg0", &stranger);
	sample_plan(&sample);
	EXPECT_LINE(0, "ip address delete 10.99.0.1/24 dev wg0");
	ck_assert_uint_eq(sample.plan.count, 1);
}
END_TEST

START_TEST(a_new_link_gets_its_flags_as_it_comes_up)
{
	sample.tunnel.multicast = MULTICAST_ON;
	sample.desired.endpoint_count = 0;
	sample_plan(&sample);
	EXPECT_LINE(0, "ip link add dev wg0 type wireguard");
	EXPECT_LINE(3, "ip link set dev wg0 mtu 1420 up multicast on");
	EXPECT_LINE(4, "ip route replace 10.50.0.2/32 dev wg0");
	ck_assert_uint_eq(sample.plan.count, 7);
	sample_obey(&sample);
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 0);
}
END_TEST

START_TEST(multicast_changes_on_a_link_that_is_up)
{
	sample.tunnel.multicast = MULTICAST_OFF;
	settle(false);
	sample.tunnel.multicast = MULTICAST_ON;
	sample_plan(&sample);
	EXPECT_LINE(0, "ip link set dev wg0 multicast on");
	ck_assert_uint_eq(sample.plan.count, 1);
	settle(false);
	sample.tunnel.multicast = MULTICAST_OFF;
	sample_plan(&sample);
	EXPECT_LINE(0, "ip link set dev wg0 multicast off");
	ck_assert_uint_eq(sample.plan.count, 1);
}
END_TEST

START_TEST(multicast_that_nobody_speaks_of_stays)
{
	settle(false);
	sample.observed.links[0].multicast = true;
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 0);
}
END_TEST

START_TEST(an_address_with_another_peer_is_another)
{
	sample.tunnel.address_peers[0] = addr("10.50.0.2");
	settle(false);
	sample.tunnel.address_peers[0] = addr("10.50.0.3");
	sample_plan(&sample);
	EXPECT_LINE(0, "ip address delete 10.50.0.1 peer 10.50.0.2/24 dev wg0");
	EXPECT_LINE(1, "ip address add 10.50.0.1 peer 10.50.0.3/24 dev wg0");
	ck_assert_uint_eq(sample.plan.count, 2);
}
END_TEST

/* Those that a kernel or a person put there stay. */
START_TEST(of_link_local_addresses_only_ours_comes_and_goes)
{
	struct prefix stranger = prefix("fe80::1/64");

	settle(false);
	sample.tunnel.link_local = true;
	plan_world_address(&sample.observed, "wg0", &stranger);
	sample_plan(&sample);
	EXPECT_LINE(0, "ip address add fe80::909:909:909:909/64 dev wg0");
	ck_assert_uint_eq(sample.plan.count, 1);
	settle(false);
	sample.tunnel.link_local = false;
	sample_plan(&sample);
	EXPECT_LINE(0, "ip address delete fe80::909:909:909:909/64 dev wg0");
	ck_assert_uint_eq(sample.plan.count, 1);
}
END_TEST

START_TEST(a_route_that_leads_elsewhere_is_changed_in_place)
{
	settle(true);
	sample.endpoint.routes[0].via = addr("192.168.1.253");
	sample_plan(&sample);
	EXPECT_LINE(0, "ip route replace 172.30.0.0/16 via 192.168.1.253 dev lan");
	ck_assert_uint_eq(sample.plan.count, 1);
}
END_TEST

START_TEST(a_tunnel_that_left_the_fleet_is_removed)
{
	struct desired before;

	settle(true);
	before = sample.desired;
	sample.facts.previous = &before;
	sample.desired.tunnel_count = 0;
	sample.desired.endpoint_count = 0;
	sample.desired.peer_count = 0;
	sample_plan(&sample);
	EXPECT_LINE(0, "ip route delete 10.50.0.2/32 dev wg0");
	EXPECT_LINE(1, "ip route delete 10.50.0.3/32 dev wg0");
	EXPECT_LINE(2, "ip route delete 172.30.0.0/16 via 192.168.1.254 dev lan");
	EXPECT_LINE(3, "ip route delete 192.168.77.0/24 dev wg0");
	EXPECT_LINE(4, "ip address delete 10.50.0.1/24 dev wg0");
	EXPECT_LINE(sample.plan.count - 1, "ip link delete dev wg0");
}
END_TEST

static bool planned(const char *line)
{
	for (size_t i = 0; i < sample.plan.count; i++)
		if (!strcmp(sample_line(&sample, i), line))
			return true;
	return false;
}

/* The look after the next generation failed, too: what both had goes all the same. */
START_TEST(what_generations_before_the_last_left_behind_goes)
{
	struct desired_tunnel gone = {.name = "wg8"};
	struct prefix dial = prefix("10.9.0.77/32");
	struct desired_endpoint endpoint = {.dial_interface = "wan", .dial_count = 1, .dial = {dial.addr}};
	struct desired before = {
		.tunnels = &gone, .tunnel_count = 1, .endpoints = &endpoint, .endpoint_count = 1};
	struct plan_scope left = {0};

	plan_scope_generation(&left, &before);
	plan_scope_generation(&left, &before);
	ck_assert_uint_eq(left.link_count, 1);
	ck_assert_uint_eq(left.claim_count, 3);
	plan_world_link(&sample.observed, "wg8");
	plan_world_address(&sample.observed, "wan", &dial);
	sample_plan(&sample);
	ck_assert(!planned("ip link delete dev wg8"));
	sample.facts.left = &left;
	sample_plan(&sample);
	ck_assert(planned("ip link delete dev wg8"));
	ck_assert(planned("ip address delete 10.9.0.77/32 dev wan"));
	plan_scope_clear(&left);
}
END_TEST

static size_t planned_of(const char *device)
{
	size_t count = 0;

	plan_clear(&sample.plan);
	plan_init(&sample.plan, &sample.target, &sample.observed);
	for (size_t i = 0; i < sample.plan.count; i++)
		count += strstr(sample_line(&sample, i), device) != NULL;
	return count;
}

START_TEST(one_that_is_not_to_be_made_yet_is_overlooked)
{
	sample_plan(&sample);
	ck_assert_uint_gt(planned_of("wg0"), 4);
	plan_world_overlook(&sample.target.world, "wg0");
	ck_assert_uint_eq(planned_of("wg0"), 0);
	ck_assert_uint_gt(sample.plan.count, 0);
}
END_TEST

START_TEST(one_that_is_not_to_be_removed_yet_is_overlooked)
{
	struct desired before;

	settle(true);
	before = sample.desired;
	sample.facts.previous = &before;
	sample.desired.tunnel_count = 0;
	sample.desired.endpoint_count = 0;
	sample.desired.peer_count = 0;
	sample_plan(&sample);
	ck_assert_uint_gt(planned_of("wg0"), 4);
	plan_world_overlook(&sample.observed, "wg1");
	ck_assert_uint_gt(planned_of("wg0"), 4);
	plan_world_overlook(&sample.observed, "wg0");
	ck_assert_uint_eq(planned_of("wg0"), 0);
	ck_assert(planned("ip route delete 172.30.0.0/16 via 192.168.1.254 dev lan"));
}
END_TEST

START_TEST(a_link_whose_daemon_died_is_made_anew)
{
	settle(false);
	plan_world_clear(&sample.observed);
	plan_world_link(&sample.observed, "wg0")->up = true;
	sample_plan(&sample);
	EXPECT_LINE(0, "ip link add dev wg0 type wireguard");
	EXPECT_LINE(1, "wg set wg0 private-key (from its file) listen-port 51820 fwmark 0x51820 set 2 peers");
}
END_TEST

START_TEST(one_changed_peer_of_many_is_one_change)
{
	enum { MANY = 20000 };
	struct desired_peer *peers = calloc(MANY, sizeof(*peers));
	struct prefix *allowed = calloc(MANY, sizeof(*allowed));

	for (size_t i = 0; i < MANY; i++) {
		peers[i] = sample.peers[0];
		peers[i].public_key.bytes[0] = (uint8_t)(i >> 8);
		peers[i].public_key.bytes[1] = (uint8_t)i;
		allowed[i] = prefix("10.50.0.0/32");
		allowed[i].addr.bytes[2] = (uint8_t)(i >> 8);
		allowed[i].addr.bytes[3] = (uint8_t)i;
		peers[i].allowed_ips = &allowed[i];
	}
	sample.tunnel.addresses[0] = prefix("10.50.0.1/16");
	sample.desired.peers = peers;
	sample.desired.peer_count = MANY;
	settle(false);
	peers[777].allowed_ip_count = 0;
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 2);
	EXPECT_LINE(0, "ip route delete 10.50.3.9/32 dev wg0");
	ck_assert_uint_eq(sample.plan.ops[1].wireguard.change_count, 1);
	ck_assert_uint_eq(sample.plan.ops[1].wireguard.changes[0].flags, PLAN_PEER_ALLOWED_IPS);
	ck_assert(
		key_equal(&sample.plan.ops[1].wireguard.changes[0].peer.public_key, &peers[777].public_key));
	sample_clear(&sample);
	free(peers);
	free(allowed);
}
END_TEST

START_TEST(a_removed_peer_comes_first)
{
	settle(false);
	sample.desired.peers = &sample.peers[1];
	sample.desired.peer_count = 1;
	sample.peers[1].allowed_ip_count = 1;
	sample_plan(&sample);
	EXPECT_LINE(0, "ip route delete 10.50.0.2/32 dev wg0");
	EXPECT_LINE(1, "ip route delete 192.168.77.0/24 dev wg0");
	EXPECT_LINE(2, "wg set wg0 remove 1 peers set 1 peers");
	ck_assert_uint_eq(sample.plan.ops[2].wireguard.changes[0].flags, PLAN_PEER_REMOVE);
}
END_TEST

START_TEST(the_order_of_allowed_ips_does_not_matter)
{
	struct prefix reversed[2];

	settle(false);
	reversed[0] = sample.allowed[2];
	reversed[1] = sample.allowed[1];
	sample.observed.devices[0].peers[1].allowed_ips = reversed;
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 0);
	reversed[1] = reversed[0];
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 1);
}
END_TEST

static const struct endpoint *live(const char *tunnel, const struct key *public_key, void *context)
{
	ck_assert_str_eq(tunnel, "wg0");
	return public_key->bytes[0] == 1 ? context : NULL;
}

START_TEST(a_standby_is_kept_warm)
{
	struct endpoint where = {.addr = addr("10.9.0.1"), .port = 4711};

	settle(false);
	sample.facts.live_endpoint = live;
	sample.facts.context = &where;
	sample_plan(&sample);
	EXPECT_LINE(0, "wg set wg0 set 1 peers");
	ck_assert_uint_eq(sample.plan.ops[0].wireguard.changes[0].flags, PLAN_PEER_ENDPOINT);
	settle(false);
	where.port++;
	sample.facts.serving[0] = true;
	sample.facts.live_endpoint = live;
	sample_plan(&sample);
	EXPECT_LINE(0, "wg set wg0 set 1 peers"); /* the keepalive of peer 2 only */
	ck_assert_uint_eq(sample.plan.ops[0].wireguard.changes[0].flags, PLAN_PEER_KEEPALIVE);
}
END_TEST

/* wireguard-go does not tell the scope: asked for again it would be at each look. */
START_TEST(an_endpoint_whose_scope_is_not_told_is_set_once)
{
	struct endpoint where = {.addr = addr("fe80::1"), .port = 4711, .scope = 3}, *seen;

	settle(false);
	seen = &sample.observed.devices[0].peers[0].endpoint;
	sample.facts.live_endpoint = live;
	sample.facts.context = &where;
	*seen = (struct endpoint){.addr = where.addr, .port = where.port};
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 0);
	settle(false);
	sample.facts.live_endpoint = live;
	sample.facts.context = &where;
	seen = &sample.observed.devices[0].peers[0].endpoint;
	*seen = (struct endpoint){.addr = where.addr, .port = where.port, .scope = 4};
	sample_plan(&sample);
	EXPECT_LINE(0, "wg set wg0 set 1 peers");
	ck_assert_uint_eq(sample.plan.ops[0].wireguard.changes[0].flags, PLAN_PEER_ENDPOINT);
}
END_TEST

START_TEST(a_peer_may_roam_from_its_configured_endpoint)
{
	sample.peers[0].endpoint = (struct endpoint){.addr = addr("198.51.100.7"), .port = 51820};
	settle(true);
	sample.observed.devices[0].peers[0].endpoint.port = 999;
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 0);
}
END_TEST

START_TEST(an_endpoint_configured_anew_counts)
{
	struct desired before;
	struct desired_peer peers_before[2];

	sample.peers[0].endpoint = (struct endpoint){.addr = addr("198.51.100.7"), .port = 51820};
	settle(true);
	before = sample.desired;
	memcpy(peers_before, sample.peers, sizeof(peers_before));
	before.peers = peers_before;
	sample.facts.previous = &before;
	sample.peers[0].endpoint.port = 51821;
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 1);
	ck_assert_uint_eq(sample.plan.ops[0].wireguard.changes[0].flags, PLAN_PEER_ENDPOINT);
}
END_TEST

START_TEST(a_takeover_at_work_keeps_its_keepalives)
{
	settle(false);
	sample.facts.serving[0] = true;
	sample.facts.waking[0] = true;
	sample_plan(&sample);
	EXPECT_LINE(0, "ip address add 10.9.0.100/32 dev wan");
}
END_TEST

START_TEST(a_flushed_connected_route_is_made_again)
{
	struct prefix network = prefix("10.50.0.0/24");

	settle(false);
	sample.observed.connected_known = true;
	sample_plan(&sample);
	EXPECT_LINE(0, "ip route replace 10.50.0.0/24 dev wg0 proto kernel scope link src 10.50.0.1");
	ck_assert_uint_eq(sample.plan.count, 1);
	sample.observed.links[0].up = false;
	sample_plan(&sample);
	EXPECT_LINE(0, "ip link set dev wg0 up"); /* and the kernel makes it */
	ck_assert_uint_eq(sample.plan.count, 1);
	sample.observed.links[0].up = true;
	plan_world_connected(&sample.observed, &network);
	sample_plan(&sample);
	ck_assert_uint_eq(sample.plan.count, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("plan");
	TCase *tc = tcase_create("plan");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_flushed_connected_route_is_made_again);
	tcase_add_test(tc, a_bare_host_gets_everything_in_order);
	tcase_add_test(tc, an_unchanged_world_gives_an_empty_plan);
	tcase_add_test(tc, an_owner_has_addresses_routes_and_keepalives);
	tcase_add_test(tc, a_demoted_owner_loses_them);
	tcase_add_test(tc, a_prefix_is_with_whom_it_is_now);
	tcase_add_test(tc, nobody_in_a_group_is_let_in_without_its_rules);
	tcase_add_test(tc, what_is_not_ours_is_left_alone);
	tcase_add_test(tc, a_stranger_on_our_tunnel_goes);
	tcase_add_test(tc, a_new_link_gets_its_flags_as_it_comes_up);
	tcase_add_test(tc, multicast_changes_on_a_link_that_is_up);
	tcase_add_test(tc, multicast_that_nobody_speaks_of_stays);
	tcase_add_test(tc, an_address_with_another_peer_is_another);
	tcase_add_test(tc, of_link_local_addresses_only_ours_comes_and_goes);
	tcase_add_test(tc, a_route_that_leads_elsewhere_is_changed_in_place);
	tcase_add_test(tc, a_tunnel_that_left_the_fleet_is_removed);
	tcase_add_test(tc, what_generations_before_the_last_left_behind_goes);
	tcase_add_test(tc, one_that_is_not_to_be_made_yet_is_overlooked);
	tcase_add_test(tc, one_that_is_not_to_be_removed_yet_is_overlooked);
	tcase_add_test(tc, a_link_whose_daemon_died_is_made_anew);
	tcase_add_test(tc, one_changed_peer_of_many_is_one_change);
	tcase_add_test(tc, a_removed_peer_comes_first);
	tcase_add_test(tc, the_order_of_allowed_ips_does_not_matter);
	tcase_add_test(tc, a_standby_is_kept_warm);
	tcase_add_test(tc, an_endpoint_whose_scope_is_not_told_is_set_once);
	tcase_add_test(tc, a_peer_may_roam_from_its_configured_endpoint);
	tcase_add_test(tc, an_endpoint_configured_anew_counts);
	tcase_add_test(tc, a_takeover_at_work_keeps_its_keepalives);
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
