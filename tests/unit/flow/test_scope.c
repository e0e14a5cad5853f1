/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "node-agent/core/flow/status.h"
#include "tests/unit/flow/sample.h"

static struct flow_scope *scope;

static void setup(void)
{
	scope = sample_scope();
}

static void teardown(void)
{
	flow_scope_free(scope);
}

static bool is_taken(const struct flow *flow)
{
	return !flow_scope_refuse(scope, flow);
}

/* Between two addresses, not translated. */
static struct flow between(const char *from, const char *to)
{
	struct flow flow = sample_flow(40000);

	flow.status &= ~(uint32_t)FLOW_STATUS_SRC_NAT;
	flow.original.source = flow.reply.destination = sample_addr(from);
	flow.original.destination = flow.reply.source = sample_addr(to);
	return flow;
}

static bool is_taken_between(const char *from, const char *to)
{
	struct flow flow = between(from, to);

	return is_taken(&flow);
}

START_TEST(test_what_goes_through_its_tunnels)
{
	ck_assert(is_taken_between("10.50.0.2", "192.168.1.10"));
	ck_assert(is_taken_between("192.168.1.10", "10.50.0.255"));
	ck_assert(is_taken_between("10.60.0.1", "192.168.1.10"));
	ck_assert(is_taken_between("fd50::2", "fd60::1"));
	ck_assert(is_taken_between("10.50.0.2", "10.50.0.3"));
}
END_TEST

START_TEST(test_what_does_not)
{
	ck_assert(!is_taken_between("10.49.255.255", "192.168.1.10"));
	ck_assert(!is_taken_between("10.51.0.0", "192.168.1.10"));
	ck_assert(!is_taken_between("10.59.255.255", "192.168.1.10"));
	ck_assert(!is_taken_between("10.61.0.0", "192.168.1.10"));
	ck_assert(!is_taken_between("10.70.0.2", "192.168.1.10")); /* the other tunnel */
	ck_assert(!is_taken_between("192.168.1.11", "192.168.1.10"));
	ck_assert(!is_taken_between("fd50:0:0:1::2", "fd60::1"));
}
END_TEST

/* The tunnel's address moves, the gateway's does not. */
START_TEST(test_own_flows)
{
	ck_assert(!is_taken_between("10.50.0.2", "192.168.1.2"));
	ck_assert(is_taken_between("192.168.1.10", "10.50.0.1"));
}
END_TEST

/* Its underlay may be in a network that a peer has, too: SSH to the gateway is no flow of the endpoint. */
START_TEST(test_own_flows_within_its_networks)
{
	ck_assert(!is_taken_between("192.168.1.10", "10.60.0.7"));
	ck_assert(!is_taken_between("10.60.0.7", "10.50.0.2"));
	ck_assert(is_taken_between("192.168.1.10", "10.60.0.8"));
	ck_assert(is_taken_between("10.50.0.2", "192.168.1.1")); /* moves */
}
END_TEST

START_TEST(test_translations)
{
	struct flow flow = sample_flow(40000);

	ck_assert(is_taken(&flow));
	flow.reply.destination = sample_addr("192.168.1.2"); /* masqueraded to the gateway's own */
	ck_assert(!is_taken(&flow));
	flow.reply.destination = sample_addr("192.168.1.77"); /* somebody else's */
	ck_assert(!is_taken(&flow));
	flow = between("192.168.1.10", "192.168.1.1");
	flow.status |= FLOW_STATUS_DST_NAT;
	flow.reply.source = sample_addr("10.50.0.2");
	ck_assert(is_taken(&flow));
}
END_TEST

START_TEST(test_a_status_must_be_borne_out)
{
	struct flow flow = sample_flow(40000);

	flow.status &= ~(uint32_t)FLOW_STATUS_SRC_NAT;
	ck_assert(!is_taken(&flow));
	flow = sample_flow(40000);
	flow.reply.source = sample_addr("192.168.1.11");
	ck_assert(!is_taken(&flow));
	flow = sample_flow(40000);
	flow.status |= 1 << 14; /* IPS_OFFLOAD */
	ck_assert(!is_taken(&flow));
	flow = sample_flow(40000);
	flow.status &= ~(uint32_t)FLOW_STATUS_SEEN_REPLY;
	ck_assert(!is_taken(&flow));
}
END_TEST

START_TEST(test_addresses_that_no_flow_has)
{
	static const char *const none[] = {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"};
	static const char *const none6[] = {"::", "::1", "ff02::1", "fe80::1"};

	for (size_t i = 0; i < ARRAY_COUNT(none); i++)
		ck_assert(!is_taken_between("10.50.0.2", none[i]));
	for (size_t i = 0; i < ARRAY_COUNT(none6); i++)
		ck_assert(!is_taken_between("fd50::2", none6[i]));
	ck_assert(!is_taken_between("10.50.0.2", "fd60::1"));
}
END_TEST

START_TEST(test_protocols_and_their_states)
{
	struct flow flow = between("10.50.0.2", "192.168.1.10"), six = between("fd50::2", "fd60::1");

	flow.tcp_state = FLOW_TCP_STATE_MAX;
	ck_assert(is_taken(&flow));
	flow.tcp_state = FLOW_TCP_STATE_MAX + 1;
	ck_assert(!is_taken(&flow));
	flow.tcp_state = 0;
	ck_assert(!is_taken(&flow));
	flow.protocol = FLOW_UDP;
	ck_assert(is_taken(&flow));
	flow.protocol = FLOW_ICMP;
	ck_assert(is_taken(&flow));
	flow.protocol = FLOW_ICMP6;
	ck_assert(!is_taken(&flow));
	six.tcp_state = 0;
	six.protocol = FLOW_ICMP6;
	ck_assert(is_taken(&six));
	six.protocol = FLOW_ICMP;
	ck_assert(!is_taken(&six));
	flow.protocol = 132; /* SCTP */
	ck_assert(!is_taken(&flow));
}
END_TEST

START_TEST(test_the_longest_timeout)
{
	struct flow flow = sample_flow(40000);

	flow.timeout_s = FLOW_TIMEOUT_MAX_S;
	ck_assert(is_taken(&flow));
	flow.timeout_s = FLOW_TIMEOUT_MAX_S + 1;
	ck_assert(!is_taken(&flow));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scope");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_what_goes_through_its_tunnels);
	tcase_add_test(tcase, test_what_does_not);
	tcase_add_test(tcase, test_own_flows);
	tcase_add_test(tcase, test_own_flows_within_its_networks);
	tcase_add_test(tcase, test_translations);
	tcase_add_test(tcase, test_a_status_must_be_borne_out);
	tcase_add_test(tcase, test_addresses_that_no_flow_has);
	tcase_add_test(tcase, test_protocols_and_their_states);
	tcase_add_test(tcase, test_the_longest_timeout);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
