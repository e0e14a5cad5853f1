/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/datagram.h"
#include "tests/unit/proto/sample.h"

static uint8_t bytes[PROTO_DATAGRAM_MAX + 64];

/* Offsets in beat.hex. */
enum {
	VERSION = 2,
	KIND = 3,
	FLAGS = 4,
	FROM_LENGTH = 5,
	FROM = 6,
	BOOT = 23,
	BEAT_FLAGS = 75,
	SEATS = 80,
	ROLE = 85,
	FLOOR_BYTES = 8 /* at the end */
};

static const char *const examples[] = {"beat.hex", "beat-controller.hex", "probe.hex", "answer.hex",
	"silence.hex", "claim.hex", "grant.hex", "promise.hex"};

START_TEST(the_examples_decode_and_encode_to_themselves)
{
	uint8_t again[PROTO_DATAGRAM_MAX];
	size_t size = sample_hex(examples[_i], bytes, sizeof(bytes));
	struct datagram datagram;

	ck_assert_int_eq(datagram_decode(bytes, size, &datagram), 0);
	ck_assert_int_eq(datagram_encode(&datagram, again, sizeof(again)), (int)size);
	ck_assert_mem_eq(bytes, again, size);
}
END_TEST

START_TEST(a_cut_example_is_refused)
{
	size_t size = sample_hex(examples[_i], bytes, sizeof(bytes));
	struct datagram datagram;

	for (size_t cut = 0; cut < size; cut++) {
		if (size - cut == FLOOR_BYTES && bytes[KIND] == DATAGRAM_BEAT)
			continue; /* as it was before there was a floor */
		uint8_t *short_bytes = memcpy(malloc(cut + 1), bytes, cut);

		ck_assert_int_eq(datagram_decode(short_bytes, cut, &datagram), -EBADMSG);
		free(short_bytes);
	}
}
END_TEST

/* Agents of two releases work together while a fleet is upgraded. */
START_TEST(what_a_newer_sender_adds_is_passed_over)
{
	uint8_t again[PROTO_DATAGRAM_MAX];
	size_t size = sample_hex(examples[_i], bytes, sizeof(bytes));
	struct datagram datagram;

	memset(bytes + size, 0xa5, 32);
	ck_assert_int_eq(datagram_decode(bytes, size + 32, &datagram), 0);
	ck_assert_int_eq(datagram_encode(&datagram, again, sizeof(again)), (int)size);
	ck_assert_mem_eq(bytes, again, size);
}
END_TEST

START_TEST(the_fields_arrive)
{
	size_t size = sample_hex("beat.hex", bytes, sizeof(bytes));
	struct datagram datagram;

	ck_assert_int_eq(datagram_decode(bytes, size, &datagram), 0);
	ck_assert_int_eq(datagram.head.kind, DATAGRAM_BEAT);
	ck_assert_str_eq(datagram.head.from, "gw-a");
	ck_assert_str_eq(datagram.head.to, "gw-b");
	ck_assert(!datagram.head.from_controller);
	ck_assert_uint_eq(datagram.head.seq, 1234);
	ck_assert_uint_eq(datagram.head.echo.held_us, 20480);
	ck_assert_uint_eq(datagram.beat.generation, 7);
	ck_assert(datagram.beat.leader_contact && datagram.beat.underlay_ok);
	ck_assert_uint_eq(datagram.beat.seat_count, 1);
	ck_assert_str_eq(datagram.beat.seats[0].endpoint, "vpn");
	ck_assert_int_eq(datagram.beat.seats[0].role, SEAT_SERVING);
	ck_assert_uint_eq(datagram.beat.seats[0].epoch.n, 1);
	ck_assert_uint_eq(datagram.beat.seats[0].permit_left_ms, 2875);
	ck_assert_uint_eq(datagram.beat.floor, 7);
	ck_assert(datagram.beat.floor_confirmed);
}
END_TEST

START_TEST(a_controller_says_whether_it_is_frozen)
{
	size_t size = sample_hex("beat-controller.hex", bytes, sizeof(bytes));
	struct datagram datagram;
	int encoded;

	ck_assert_int_eq(datagram_decode(bytes, size, &datagram), 0);
	ck_assert(!datagram.beat.frozen);
	datagram.beat.frozen = true;
	encoded = datagram_encode(&datagram, bytes, sizeof(bytes));
	ck_assert_int_eq(encoded, (int)size);
	ck_assert_int_eq(datagram_decode(bytes, size, &datagram), 0);
	ck_assert(datagram.beat.frozen && datagram.beat.floor_confirmed);
}
END_TEST

/* Nothing is known of a floor then, and nothing is confirmed. */
START_TEST(a_beat_of_before_says_nothing_of_a_floor)
{
	size_t size = sample_hex("beat.hex", bytes, sizeof(bytes)) - FLOOR_BYTES;
	struct datagram datagram;

	ck_assert_int_eq(datagram_decode(bytes, size, &datagram), 0);
	ck_assert(!datagram.beat.floor_confirmed); /* whatever the flag says */
	bytes[BEAT_FLAGS] = 0x03;
	ck_assert_int_eq(datagram_decode(bytes, size, &datagram), 0);
	ck_assert_uint_eq(datagram.beat.floor, 0);
	ck_assert(!datagram.beat.floor_confirmed && datagram.beat.underlay_ok);
}
END_TEST

START_TEST(a_floor_at_and_beyond_the_limit)
{
	struct datagram datagram = sample_beat(1, 1);

	datagram.beat.floor = INT64_MAX;
	int size = datagram_encode(&datagram, bytes, sizeof(bytes));
	ck_assert_int_gt(size, 0);
	ck_assert_int_eq(datagram_decode(bytes, (size_t)size, &datagram), 0);
	ck_assert_uint_eq(datagram.beat.floor, INT64_MAX);
	bytes[size - FLOOR_BYTES] = 0x80;
	ck_assert_int_eq(datagram_decode(bytes, (size_t)size, &datagram), -EBADMSG);
	datagram.beat.floor++;
	ck_assert_int_eq(datagram_encode(&datagram, bytes, sizeof(bytes)), -EINVAL);
}
END_TEST

START_TEST(silence_arrives)
{
	size_t size = sample_hex("silence.hex", bytes, sizeof(bytes));
	struct datagram datagram;

	ck_assert_int_eq(datagram_decode(bytes, size, &datagram), 0);
	ck_assert_str_eq(datagram.silence.suspect, "gw-a");
	ck_assert_uint_eq(datagram.silence.silent_ms, 138);
	ck_assert(datagram.silence.burst_done && datagram.silence.kernel_answered);
	ck_assert(!datagram.silence.agent_answered && !datagram.silence.blind);
}
END_TEST

START_TEST(a_grant_arrives)
{
	size_t size = sample_hex("grant.hex", bytes, sizeof(bytes));
	struct datagram datagram;
	const struct claim *claim = &datagram.grant.claim;

	ck_assert_int_eq(datagram_decode(bytes, size, &datagram), 0);
	ck_assert_int_eq(datagram.head.kind, DATAGRAM_GRANT);
	ck_assert_str_eq(claim->endpoint, "vpn");
	ck_assert_str_eq(claim->gateway, "gw-a");
	ck_assert_uint_eq(claim->epoch.n, 1);
	ck_assert(claim->serves);
	ck_assert_uint_eq(claim->terms, 0xc4ca4238a0b92382);
	ck_assert_uint_eq(claim->nonce.boot, 0x9b74c9897bac770f);
	ck_assert_uint_eq(claim->nonce.time_us, 81000);
	ck_assert_mem_eq(
		datagram.grant.signature, bytes + size - GRANT_SIGNATURE_BYTES, GRANT_SIGNATURE_BYTES);
}
END_TEST

/* What is signed tells one store, endpoint, gateway, epoch, terms and moment from every other. */
START_TEST(each_field_of_a_claim_is_signed)
{
	size_t size = sample_hex("claim.hex", bytes, sizeof(bytes));
	uint8_t signed_text[GRANT_TEXT_MAX], other[GRANT_TEXT_MAX];
	struct datagram datagram;

	ck_assert_int_eq(datagram_decode(bytes, size, &datagram), 0);
	struct claim claims[8];
	for (size_t i = 0; i < 8; i++)
		claims[i] = datagram.claim;
	claims[0].endpoint[0] = 'w';
	claims[1].gateway[3] = 'b';
	claims[2].epoch.minor++;
	claims[3].serves = false;
	claims[4].terms++;
	claims[5].nonce.boot++;
	claims[6].nonce.time_us++;
	int length = grant_text(1, &datagram.claim, signed_text);
	ck_assert_int_gt(length, 0);
	for (size_t i = 0; i < 8; i++) { /* the last: another store's */
		ck_assert_int_eq(grant_text(i == 7 ? 2 : 1, &claims[i], other), length);
		ck_assert_mem_ne(signed_text, other, (size_t)length);
	}
	claims[0].endpoint[0] = '\0';
	ck_assert_int_eq(grant_text(1, &claims[0], other), -EINVAL);
}
END_TEST

START_TEST(a_claim_of_the_longest_names_can_be_signed)
{
	struct datagram datagram = {.head = sample_beat(0, PROTO_NAME_MAX).head};
	struct claim *claim = &datagram.claim;
	uint8_t text[GRANT_TEXT_MAX];

	datagram.head.kind = DATAGRAM_CLAIM;
	strcpy(claim->endpoint, datagram.head.from);
	strcpy(claim->gateway, datagram.head.to);
	claim->epoch.term = 1;
	ck_assert_int_eq(datagram_encode(&datagram, bytes, sizeof(bytes)), -EINVAL); /* nobody's life */
	claim->nonce.boot = 1;
	ck_assert_int_gt(datagram_encode(&datagram, bytes, sizeof(bytes)), 0);
	ck_assert_int_gt(grant_text(UINT64_MAX, claim, text), 0);
	claim->epoch.term = 0;
	ck_assert_int_eq(datagram_encode(&datagram, bytes, sizeof(bytes)), -EINVAL); /* nobody's epoch */
}
END_TEST

START_TEST(a_peek_gives_the_names)
{
	size_t size = sample_hex("silence.hex", bytes, sizeof(bytes));
	struct datagram_head head = {0};

	ck_assert_int_eq(datagram_peek(bytes, size + DATAGRAM_MAC_BYTES, &head), 0);
	ck_assert_str_eq(head.from, "gw-b");
	ck_assert_str_eq(head.to, "ctl");
	ck_assert_int_eq(datagram_peek(bytes, 12, &head), -EBADMSG);
	ck_assert_int_eq(datagram_peek(bytes, 0, &head), -EBADMSG);
}
END_TEST

static const struct {
	size_t offset;
	uint8_t value;
	int expected;
} spoilt[] = {
	{0, 'h', -EBADMSG},
	{1, 'f', -EBADMSG},
	{VERSION, 0, -EPROTONOSUPPORT},
	{VERSION, 2, -EPROTONOSUPPORT},
	{KIND, 0, -EBADMSG},
	{KIND, 2, 0},        /* a probe: what follows its head is not for us */
	{KIND, 5, -EBADMSG}, /* a beat is no claim */
	{KIND, 6, -EBADMSG},
	{KIND, 8, -EBADMSG},
	{FLAGS, 0xfe, 0}, /* a newer sender's */
	{FROM_LENGTH, 0, -EBADMSG},
	{FROM_LENGTH, PROTO_NAME_MAX + 1, -EBADMSG},
	{FROM, '-', -EBADMSG},
	{FROM, 0, -EBADMSG},
	{FROM + 1, 0, -EBADMSG},
	{FROM + 1, '/', -EBADMSG},
	{BEAT_FLAGS, 0xf0, 0},
	{SEATS, 2, -EBADMSG},
	{SEATS, PROTO_ENDPOINTS_MAX + 1, -EBADMSG},
	{ROLE, 7, -EBADMSG},
};

START_TEST(a_spoilt_byte_is_refused)
{
	size_t size = sample_hex("beat.hex", bytes, sizeof(bytes));
	struct datagram datagram;

	bytes[spoilt[_i].offset] = spoilt[_i].value;
	ck_assert_int_eq(datagram_decode(bytes, size, &datagram), spoilt[_i].expected);
}
END_TEST

START_TEST(nobody_is_in_his_zeroth_life)
{
	size_t size = sample_hex("beat.hex", bytes, sizeof(bytes));
	struct datagram datagram = sample_beat(0, 1);

	memset(bytes + BOOT, 0, 8);
	ck_assert_int_eq(datagram_decode(bytes, size, &datagram), -EBADMSG);
	datagram.head.boot = 0;
	ck_assert_int_eq(datagram_encode(&datagram, bytes, sizeof(bytes)), -EINVAL);
}
END_TEST

START_TEST(an_echo_of_nothing_says_nothing)
{
	struct datagram datagram = sample_beat(0, 1);

	datagram.head.echo.boot = 0;
	ck_assert_int_eq(datagram_encode(&datagram, bytes, sizeof(bytes)), -EINVAL);
	datagram.head.echo = (struct datagram_echo){0};
	ck_assert_int_gt(datagram_encode(&datagram, bytes, sizeof(bytes)), 0);
}
END_TEST

START_TEST(names_at_and_beyond_the_limit)
{
	struct datagram datagram = sample_beat(1, PROTO_NAME_MAX), back;
	int size = datagram_encode(&datagram, bytes, sizeof(bytes));

	ck_assert_int_eq(
		size, DATAGRAM_HEAD_BYTES_MAX + DATAGRAM_BEAT_BYTES + DATAGRAM_SEAT_BYTES + PROTO_NAME_MAX);
	ck_assert_int_eq(datagram_decode(bytes, (size_t)size, &back), 0);
	ck_assert_str_eq(back.head.from, datagram.head.from);
	datagram.head.from[0] = '\0';
	ck_assert_int_eq(datagram_encode(&datagram, bytes, sizeof(bytes)), -EINVAL);
}
END_TEST

START_TEST(seats_at_and_beyond_the_limit)
{
	struct datagram datagram = sample_beat(PROTO_ENDPOINTS_MAX, 31), back;
	int size = datagram_encode(&datagram, bytes, sizeof(bytes));

	ck_assert_int_gt(size, 0);
	ck_assert_int_eq(datagram_decode(bytes, (size_t)size, &back), 0);
	ck_assert_uint_eq(back.beat.seat_count, PROTO_ENDPOINTS_MAX);
	ck_assert_str_eq(back.beat.seats[15].endpoint, datagram.beat.seats[15].endpoint);
	datagram.beat.seat_count++;
	ck_assert_int_eq(datagram_encode(&datagram, bytes, sizeof(bytes)), -EINVAL);
}
END_TEST

START_TEST(what_does_not_fit_a_datagram_is_refused)
{
	struct datagram datagram = sample_beat(PROTO_ENDPOINTS_MAX, PROTO_NAME_MAX);

	ck_assert_int_eq(datagram_encode(&datagram, bytes, sizeof(bytes)), -EMSGSIZE);
	datagram = sample_beat(1, 1);
	ck_assert_int_eq(datagram_encode(&datagram, bytes, 126), 126);
	ck_assert_int_eq(datagram_encode(&datagram, bytes, 125), -EMSGSIZE);
	ck_assert_int_eq(datagram_encode(&datagram, bytes, 0), -EMSGSIZE);
}
END_TEST

START_TEST(a_seat_twice_is_refused)
{
	struct datagram datagram = sample_beat(2, 1);
	int size = datagram_encode(&datagram, bytes, sizeof(bytes));

	bytes[size - FLOOR_BYTES - DATAGRAM_SEAT_BYTES] = 'a';
	ck_assert_int_eq(datagram_decode(bytes, (size_t)size, &datagram), -EBADMSG);
	strcpy(datagram.beat.seats[1].endpoint, datagram.beat.seats[0].endpoint);
	ck_assert_int_eq(datagram_encode(&datagram, bytes, sizeof(bytes)), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("datagram");
	TCase *tcase = tcase_create("datagram");
	SRunner *runner = srunner_create(suite);
	int failed, count = (int)(sizeof(examples) / sizeof(examples[0]));

	tcase_add_loop_test(tcase, the_examples_decode_and_encode_to_themselves, 0, count);
	tcase_add_loop_test(tcase, a_cut_example_is_refused, 0, count);
	tcase_add_loop_test(tcase, what_a_newer_sender_adds_is_passed_over, 0, count);
	tcase_add_test(tcase, the_fields_arrive);
	tcase_add_test(tcase, a_controller_says_whether_it_is_frozen);
	tcase_add_test(tcase, a_beat_of_before_says_nothing_of_a_floor);
	tcase_add_test(tcase, a_floor_at_and_beyond_the_limit);
	tcase_add_test(tcase, silence_arrives);
	tcase_add_test(tcase, a_grant_arrives);
	tcase_add_test(tcase, each_field_of_a_claim_is_signed);
	tcase_add_test(tcase, a_claim_of_the_longest_names_can_be_signed);
	tcase_add_test(tcase, a_peek_gives_the_names);
	tcase_add_loop_test(tcase, a_spoilt_byte_is_refused, 0, sizeof(spoilt) / sizeof(spoilt[0]));
	tcase_add_test(tcase, nobody_is_in_his_zeroth_life);
	tcase_add_test(tcase, an_echo_of_nothing_says_nothing);
	tcase_add_test(tcase, names_at_and_beyond_the_limit);
	tcase_add_test(tcase, seats_at_and_beyond_the_limit);
	tcase_add_test(tcase, what_does_not_fit_a_datagram_is_refused);
	tcase_add_test(tcase, a_seat_twice_is_refused);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
