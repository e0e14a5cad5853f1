/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/core/flow/status.h"
#include "node-agent/io/conntrack/message.h"

/* What is encoded for the kernel decodes to the same; what the kernel would not send is refused. */

static uint8_t buffer[CONNTRACK_MESSAGE_MAX_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));

static struct addr address(const char *text)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse(text, &addr, NULL), 0);
	return addr;
}

static struct flow flow_of(uint8_t protocol, const char *from, const char *to)
{
	struct flow flow = {.protocol = protocol,
		.original = {.source = address(from),
			.source_port = 40000,
			.destination = address(to),
			.destination_port = 8 << 8},
		.status = FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED,
		.mark = 7,
		.zone = 9,
		.timeout_s = 100};

	if (protocol == FLOW_TCP) {
		flow.tcp_state = 3;
		flow.tcp_scale[0] = 7;
		flow.tcp_scale[1] = 8;
	}
	flow.reply = conntrack_invert(&flow.original, protocol);
	return flow;
}

static struct nlmsghdr *encode(const struct flow *flow)
{
	return conntrack_encode_create(buffer, flow, NLM_F_EXCL, 1);
}

static const struct flow_case {
	uint8_t protocol;
	const char *from, *to;
} cases[] = {{FLOW_TCP, "10.50.0.2", "192.168.1.10"}, {FLOW_TCP, "fd50::2", "fd60::10"},
	{FLOW_UDP, "10.50.0.2", "192.168.1.10"}, {FLOW_UDP, "fd50::2", "fd60::10"},
	{FLOW_ICMP, "10.50.0.2", "192.168.1.10"}, {FLOW_ICMP6, "fd50::2", "fd60::10"}};

enum { CASES = sizeof cases / sizeof *cases };

START_TEST(test_round_trip)
{
	struct flow flow = flow_of(cases[_i].protocol, cases[_i].from, cases[_i].to), back;
	enum conntrack_kind kind;

	ck_assert_int_eq(conntrack_decode(encode(&flow), &kind, &back), 0);
	ck_assert_int_eq(kind, CONNTRACK_PRESENT);
	ck_assert(flow_equal(&flow, &back));
	ck_assert_uint_eq(back.timeout_s, 100);
	ck_assert_uint_le(encode(&flow)->nlmsg_len, CONNTRACK_MESSAGE_MAX_BYTES);
}
END_TEST

START_TEST(test_the_longest_message)
{
	struct flow flow = flow_of(FLOW_TCP, "fd50::2", "fd60::10");

	flow.status |= FLOW_STATUS_SRC_NAT | FLOW_STATUS_DST_NAT;
	flow.reply = (struct flow_tuple){.source = address("fd50::3"), .destination = address("fd60::1")};
	ck_assert_uint_le(encode(&flow)->nlmsg_len, CONNTRACK_MESSAGE_MAX_BYTES);
}
END_TEST

START_TEST(test_cut_short_anywhere)
{
	struct flow flow = flow_of(cases[_i].protocol, cases[_i].from, cases[_i].to), back;
	struct nlmsghdr *message = encode(&flow);
	enum conntrack_kind kind;
	uint32_t length = message->nlmsg_len;

	for (uint32_t cut = sizeof *message; cut < length; cut++) {
		uint8_t *bytes = malloc(cut);
		int r;

		ck_assert_ptr_nonnull(bytes);
		message->nlmsg_len = cut;
		memcpy(bytes, message, cut);
		r = conntrack_decode((struct nlmsghdr *)(void *)bytes, &kind, &back);
		ck_assert(r == 0 || r == -EPROTO);
		free(bytes);
	}
}
END_TEST

START_TEST(test_what_is_gone)
{
	struct flow flow = flow_of(FLOW_TCP, "10.50.0.2", "192.168.1.10"), back;
	struct nlmsghdr *message = encode(&flow);
	struct flow_key key = flow_key_of(&flow), other;
	enum conntrack_kind kind;

	message->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	ck_assert_int_eq(conntrack_decode(message, &kind, &back), 0);
	ck_assert_int_eq(kind, CONNTRACK_GONE);
	other = flow_key_of(&back);
	ck_assert(!memcmp(&key, &other, sizeof key));
}
END_TEST

START_TEST(test_what_is_passed_over)
{
	struct flow flow = flow_of(FLOW_TCP, "10.50.0.2", "192.168.1.10"), back;
	struct nlmsghdr *message = encode(&flow), *before;
	enum conntrack_kind kind;

	message->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS;
	ck_assert_int_eq(conntrack_decode(message, &kind, &back), -ENOMSG);
	message = encode(&flow);
	message->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | IPCTNL_MSG_CT_NEW;
	ck_assert_int_eq(conntrack_decode(message, &kind, &back), -ENOMSG);
	before = encode(&flow);
	mnl_attr_put(before, CTA_TUPLE_MASTER, 0, NULL); /* of an FTP connection, say */
	ck_assert_int_eq(conntrack_decode(before, &kind, &back), -ENOMSG);
	flow.protocol = 132; /* SCTP */
	ck_assert_int_eq(conntrack_decode(encode(&flow), &kind, &back), -ENOMSG);
}
END_TEST

/* The two directions must be of one protocol and family. */
START_TEST(test_directions_that_do_not_match)
{
	struct flow flow = flow_of(FLOW_TCP, "10.50.0.2", "192.168.1.10"), back;
	uint8_t reply[CONNTRACK_MESSAGE_MAX_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct flow other = flow_of(FLOW_UDP, "10.50.0.2", "192.168.1.10");
	struct nlmsghdr *message = encode(&flow), *from;
	enum conntrack_kind kind;
	struct nlattr *attribute;

	other.reply = conntrack_invert(&other.original, FLOW_UDP);
	from = conntrack_encode_delete(reply, &other, true, 1);
	mnl_attr_for_each(
		attribute, from, sizeof(struct nfgenmsg)) if (mnl_attr_get_type(attribute) == CTA_TUPLE_REPLY)
		mnl_attr_put(message, CTA_TUPLE_REPLY | NLA_F_NESTED, mnl_attr_get_payload_len(attribute),
			mnl_attr_get_payload(attribute));
	ck_assert_int_eq(conntrack_decode(message, &kind, &back), -EPROTO);
}
END_TEST

START_TEST(test_the_kernel_is_told_the_untranslated_reply)
{
	struct flow flow = flow_of(FLOW_TCP, "10.50.0.2", "192.168.1.10"), back;
	enum conntrack_kind kind;

	flow.status |= FLOW_STATUS_SRC_NAT;
	flow.reply.destination = address("192.168.1.1");
	ck_assert_int_eq(conntrack_decode(encode(&flow), &kind, &back), 0);
	ck_assert(addr_equal(&back.reply.destination, &flow.original.source));
	/* And not of the status what the kernel finds out itself. */
	ck_assert_uint_eq(back.status, FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conntrack message");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, test_round_trip, 0, CASES);
	tcase_add_test(tcase, test_the_longest_message);
	tcase_add_loop_test(tcase, test_cut_short_anywhere, 0, CASES);
	tcase_add_test(tcase, test_what_is_gone);
	tcase_add_test(tcase, test_what_is_passed_over);
	tcase_add_test(tcase, test_directions_that_do_not_match);
	tcase_add_test(tcase, test_the_kernel_is_told_the_untranslated_reply);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
