/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/wireguard/internal.h"
#include "tests/fuzz/device.h"
#include "tests/fuzz/fuzz_target.h"

/* The device that the reply tells of, read in pieces; cleared if the reply is refused. Returns what the parser says. */
static int read_reply(const char *text, size_t size, size_t piece, struct wg_device *ret_device)
{
	struct wg_builder builder;
	struct wg_uapi_parser parser = {.builder = &builder};
	int r = 0;

	wg_builder_init(&builder, ret_device);
	for (size_t at = 0; r == 0 && at < size; at += piece)
		r = wg_uapi_parse(&parser, text + at, size - at < piece ? size - at : piece);
	if (r == 1)
		wg_builder_finish(&builder);
	else
		wg_builder_abort(&builder);
	return r;
}

/* A device that is written as a change and read as a reply is the same. */
static void check_round_trip(const struct wg_device *device)
{
	static const char end[] = "errno=0\n\n";
	struct wg_change change = device_change(device);
	struct wg_device back;
	struct text text;
	char *reply;

	wg_uapi_format(&change, &text);
	FUZZ_CHECK(text.length > 2 && !memcmp(text.data + text.length - 2, "\n\n", 2));
	reply = mem_new(text.length + sizeof(end), 1);
	memcpy(reply, text.data, text.length - 1);
	memcpy(reply + text.length - 1, end, strlen(end));
	FUZZ_CHECK(read_reply(reply, text.length - 1 + strlen(end), text.length + sizeof(end), &back) == 1);
	device_check_same(device, &back);
	free(reply);
	wg_uapi_wipe(&text);
	wg_device_clear(&back);
	device_change_clear(&change);
}

static void check_set_reply(const char *text, size_t size)
{
	struct wg_uapi_parser parser = {0};
	int r = wg_uapi_parse(&parser, text, size);

	FUZZ_CHECK(r <= 1 && r >= -4095);
}

/* What a userspace program answers: whole or in pieces, it says the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct wg_device whole, pieces;
	int r = read_reply(text, size, size, &whole);

	FUZZ_CHECK(r <= 1 && r >= -4095);
	FUZZ_CHECK(read_reply(text, size, 7, &pieces) == r);
	if (r == 1) {
		device_check(&whole);
		device_check_same(&whole, &pieces);
		check_round_trip(&whole);
	}
	check_set_reply(text, size);
	wg_device_clear(&whole);
	wg_device_clear(&pieces);
	return 0;
}
