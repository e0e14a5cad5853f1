/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/netlink/datagram.h"
#include "node-agent/io/wireguard/internal.h"
#include "tests/fuzz/device.h"
#include "tests/fuzz/fuzz_target.h"

static int decode_all(const uint8_t *data, size_t size, struct wg_builder *builder)
{
	struct netlink_datagram datagram = {data, size};
	const struct nlmsghdr *message;
	int r = 0;

	while (r == 0 && (message = netlink_datagram_next(&datagram)))
		r = wg_decode(builder, message);
	return r;
}

static struct nlmsghdr *start_message(uint8_t *buffer)
{
	struct nlmsghdr *message;

	memset(buffer, 0, WG_MESSAGE_MAX_BYTES);
	message = mnl_nlmsg_put_header(buffer);
	mnl_nlmsg_put_extra_header(message, sizeof(struct genlmsghdr));
	return message;
}

/* A device that is written as a change, in however many messages, and read again is the same. */
static void check_round_trip(const struct wg_device *device)
{
	struct wg_change change = device_change(device);
	struct wg_encoder encoder = {.change = &change, .name = "wg0"};
	uint8_t *buffer = mem_new(1, WG_MESSAGE_MAX_BYTES);
	struct wg_builder builder;
	struct wg_device back;
	bool more = true;

	wg_builder_init(&builder, &back);
	while (more) {
		struct nlmsghdr *message = start_message(buffer);

		more = wg_encode(&encoder, message);
		FUZZ_CHECK(message->nlmsg_len <= WG_MESSAGE_MAX_BYTES);
		FUZZ_CHECK(wg_decode(&builder, message) == 0);
	}
	wg_builder_finish(&builder);
	device_check_same(device, &back);
	wg_device_clear(&back);
	device_change_clear(&change);
	free(buffer);
}

/* The messages of a dump: peers that it splits are one each. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wg_builder builder;
	struct wg_device device;
	int r;

	wg_builder_init(&builder, &device);
	r = decode_all(data, size, &builder);
	FUZZ_CHECK(r == 0 || r == -EPROTO || r == -E2BIG);
	wg_builder_finish(&builder);
	device_check(&device);
	if (r == 0)
		check_round_trip(&device);
	wg_device_clear(&device);
	return 0;
}
