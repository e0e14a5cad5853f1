/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "node-agent/core/flow/status.h"
#include "node-agent/io/conntrack/message.h"
#include "node-agent/io/netlink/datagram.h"
#include "tests/fuzz/fuzz_target.h"

/* What was read of a flow that is not translated is what it is encoded to. */
static void check(const struct flow *flow)
{
	uint8_t buffer[CONNTRACK_MESSAGE_MAX_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct flow plain = *flow, back;
	enum conntrack_kind kind;
	const struct nlmsghdr *message;

	FUZZ_CHECK(!(flow->status & ~(uint32_t)FLOW_STATUS_MASK));
	message = conntrack_encode_create(buffer, flow, 0, 1);
	FUZZ_CHECK(message->nlmsg_len <= sizeof buffer);
	plain.status &= FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED;
	plain.reply = conntrack_invert(&plain.original, plain.protocol);
	FUZZ_CHECK(conntrack_decode(message, &kind, &back) == 0);
	FUZZ_CHECK(flow_equal(&plain, &back) && plain.timeout_s == back.timeout_s);
}

/* The messages of a look, or news. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netlink_datagram datagram = {data, size};
	const struct nlmsghdr *message;

	while ((message = netlink_datagram_next(&datagram))) {
		enum conntrack_kind kind;
		struct flow flow;
		int r = conntrack_decode(message, &kind, &flow);

		FUZZ_CHECK(r == 0 || r == -EPROTO || r == -ENOMSG);
		if (r == 0)
			check(&flow);
	}
	return 0;
}
