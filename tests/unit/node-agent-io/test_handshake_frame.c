/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <string.h>

#include "node-agent/io/repeat/frame.h"

enum { UDP = 14 + 20, PAYLOAD = UDP + 8 };

/* A frame of IPv4 and UDP from port 0x1234 to 0x5678 with so many bytes of payload, which begins with its type. */
static size_t write_frame(uint8_t *frame, uint8_t type, size_t payload)
{
	size_t length = 8 + payload;

	memset(frame, 0, 256);
	frame[12] = 8;
	frame[14] = 0x45;
	frame[14 + 9] = 17;
	memcpy(frame + 14 + 12, (const uint8_t[]){10, 0, 0, 1, 10, 0, 0, 2}, 8);
	memcpy(frame + UDP,
		(const uint8_t[]){0x12, 0x34, 0x56, 0x78, (uint8_t)(length >> 8), (uint8_t)length}, 6);
	frame[PAYLOAD] = type;
	memcpy(frame + PAYLOAD + 4, (const uint32_t[]){0xaaaa, 0xbbbb}, 8);
	return PAYLOAD + payload;
}

static const struct {
	uint8_t kind;
	size_t bytes;
	uint32_t index;
} MESSAGES[] = {{HANDSHAKE_INITIATION, 148, 0xaaaa}, {HANDSHAKE_RESPONSE, 92, 0xbbbb},
	{HANDSHAKE_KEEPALIVE, 32, 0xaaaa}};

START_TEST(each_message_is_known_by_type_and_size)
{
	struct handshake_frame parsed;
	uint8_t frame[256];
	size_t size = write_frame(frame, MESSAGES[_i].kind, MESSAGES[_i].bytes);

	ck_assert(handshake_frame_parse(frame, size, &parsed));
	ck_assert_uint_eq(parsed.kind, MESSAGES[_i].kind);
	ck_assert_uint_eq(parsed.index, MESSAGES[_i].index);
	ck_assert_uint_eq(parsed.client.index, 0xaaaa);
	ck_assert_uint_eq(parsed.client.port, parsed.kind == HANDSHAKE_RESPONSE ? 0x1234 : 0x5678);
	ck_assert_uint_eq(parsed.client.address[3], parsed.kind == HANDSHAKE_RESPONSE ? 1 : 2);
	ck_assert_uint_eq(parsed.client.address[4], 0);
	ck_assert_uint_eq(parsed.source_port, 0x1234);
	ck_assert_uint_eq(parsed.target_port, 0x5678);
	ck_assert(!handshake_frame_parse(frame, size - 1, &parsed));
}
END_TEST

START_TEST(a_byte_more_or_less_is_none)
{
	struct handshake_frame parsed;
	uint8_t frame[256];
	size_t size = write_frame(frame, MESSAGES[_i].kind, MESSAGES[_i].bytes + 1);

	ck_assert(!handshake_frame_parse(frame, size, &parsed));
	size = write_frame(frame, MESSAGES[_i].kind, MESSAGES[_i].bytes - 1);
	ck_assert(!handshake_frame_parse(frame, size, &parsed));
}
END_TEST

/* Data with something in it is the client's own affair: its sender tries again. */
START_TEST(other_messages_are_none)
{
	struct handshake_frame parsed;
	uint8_t frame[256];

	ck_assert(!handshake_frame_parse(frame, write_frame(frame, 3, 64), &parsed));
	ck_assert(!handshake_frame_parse(frame, write_frame(frame, HANDSHAKE_KEEPALIVE, 64), &parsed));
	ck_assert(!handshake_frame_parse(frame, 0, &parsed));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handshake_frame");
	TCase *tcase = tcase_create("handshake_frame");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, each_message_is_known_by_type_and_size, 0, 3);
	tcase_add_loop_test(tcase, a_byte_more_or_less_is_none, 0, 3);
	tcase_add_test(tcase, other_messages_are_none);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
