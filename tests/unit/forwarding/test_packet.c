/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/core/firewall/catch.h"
#include "node-agent/core/forwarding/test_packet.h"

static uint8_t frame[TEST_PACKET_BYTES_MAX];

static size_t write_packet(enum test_packet_kind kind, const char *from, const char *to)
{
	struct test_packet packet = {.kind = kind, .mac = {2, 0, 0, 0, 0, 9}, .token = "sixteen bytes.."};

	ck_assert_int_eq(addr_parse(from, &packet.from, NULL), 0);
	ck_assert_int_eq(addr_parse(to, &packet.to, NULL), 0);
	return test_packet_write(&packet, frame);
}

/* RFC 1071: over what includes its checksum the sum is all ones. */
static uint32_t sum_of(const uint8_t *bytes, size_t length, uint32_t sum)
{
	for (size_t i = 0; i < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void assert_bytes(size_t offset, const void *bytes, size_t length)
{
	ck_assert_mem_eq(frame + offset, bytes, length);
}

START_TEST(test_ipv4)
{
	ck_assert_uint_eq(write_packet(TEST_PACKET_ECHO, "10.50.0.2", "192.168.1.3"), 14 + 20 + 24);
	assert_bytes(0, "\2\0\0\0\0\x9\0\0\0\0\0\0\x08\0", 14);
	assert_bytes(14, "\x45\0\0\x2c\0\0\0\0\x40\1", 10);
	assert_bytes(26, "\x0a\x32\0\2\xc0\xa8\1\3", 8);
	ck_assert_uint_eq(sum_of(frame + 14, 20, 0), 0xffff);
	assert_bytes(34, "\x8\0", 2); /* an echo request */
	ck_assert_uint_eq(sum_of(frame + 34, 24, 0), 0xffff);
	assert_bytes(42, "sixteen bytes..", 16);

	ck_assert_uint_eq(write_packet(TEST_PACKET_UDP, "10.50.0.2", "192.168.1.3"), 14 + 20 + 24);
	ck_assert_uint_eq(frame[23], 17);
	assert_bytes(34, "\x82\x9a\1\xbb\0\x18", 6);
	ck_assert_uint_eq(sum_of(frame + 34, 24, sum_of(frame + 26, 8, 17 + 24)), 0xffff);
	assert_bytes(42, "sixteen bytes..", 16);
}
END_TEST

START_TEST(test_ipv6)
{
	ck_assert_uint_eq(write_packet(TEST_PACKET_ECHO, "fd50::2", "fd01::3"), TEST_PACKET_BYTES_MAX);
	assert_bytes(12, "\x86\xdd\x60\0\0\0\0\x18\x3a\x40", 10);
	assert_bytes(54, "\x80\0", 2);
	ck_assert_uint_eq(sum_of(frame + 54, 24, sum_of(frame + 22, 32, 58 + 24)), 0xffff);
	assert_bytes(62, "sixteen bytes..", 16);

	ck_assert_uint_eq(write_packet(TEST_PACKET_UDP, "fd50::2", "fd01::3"), TEST_PACKET_BYTES_MAX);
	ck_assert_uint_eq(frame[20], 17);
	ck_assert_uint_eq(sum_of(frame + 54, 24, sum_of(frame + 22, 32, 17 + 24)), 0xffff);
}
END_TEST

static size_t count(const char *text, const char *what)
{
	size_t found = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		found++;
	return found;
}

/* The token is looked for where the packet has it, and in answers: an echo, and errors that quote the packet. */
START_TEST(test_it_is_caught_where_it_is)
{
	struct fw_catch catches[] = {{.token = "sixteen bytes..", .device = "eth1"},
		{.token = "sixteen bytes,,", .device = "eth2"}};
	struct fw_ruleset *ruleset = firewall_catch(catches, 2);
	char *text = fw_ruleset_print(ruleset);

	ck_assert_uint_eq(count(text, "hook postrouting priority 2147483646"), 1);
	ck_assert_uint_eq(count(text, "@th,64,128 0x7369787465656e2062797465732e2e00"), 2);
	ck_assert_uint_eq(count(text, "@th,288,128 0x7369787465656e2062797465732e2e00"), 1);
	ck_assert_uint_eq(count(text, "@th,448,128 0x7369787465656e2062797465732c2c00"), 1);
	ck_assert_uint_eq(count(text, "oifname \"eth1\" counter drop"), 1);
	ck_assert_uint_eq(count(text, " drop"), 8);
	free(text);
	fw_ruleset_free(ruleset);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("test-packet");
	TCase *tests = tcase_create("test-packet");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, test_ipv4);
	tcase_add_test(tests, test_ipv6);
	tcase_add_test(tests, test_it_is_caught_where_it_is);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
