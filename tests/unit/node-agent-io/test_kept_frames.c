/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/io/repeat/kept.h"

enum { START = 1000000 };

static struct kept_frames *kept;
static int64_t now;
static uint32_t sent[100000]; /* the indices of what was sent again */
static size_t sent_count;
static uint16_t client_port;

static void setup(void)
{
	kept = kept_new();
	now = START;
	sent_count = 0;
	client_port = 1;
}

static void teardown(void)
{
	kept_free(kept);
}

/* From where the client is now. */
static struct handshake_client client(uint32_t index)
{
	return (struct handshake_client){.index = index, .port = client_port, .address = {192, 0, 2, 1}};
}

/* An Ethernet frame with IPv4 and UDP, which holds its index where the test finds it again. */
static struct handshake_frame fill(uint8_t bytes[HANDSHAKE_FRAME_MAX], uint8_t kind, uint32_t index)
{
	struct handshake_frame frame = {.network = 14,
		.udp = 34,
		.payload = 42,
		.kind = kind,
		.index = index,
		.client = client(index)};

	memset(bytes, 0, HANDSHAKE_FRAME_MAX);
	bytes[39] = 8;
	memcpy(bytes, &index, sizeof index);
	return frame;
}

static bool initiation(uint32_t index)
{
	uint8_t bytes[HANDSHAKE_FRAME_MAX];
	struct handshake_frame frame = fill(bytes, HANDSHAKE_INITIATION, index);

	return kept_initiation(kept, bytes, sizeof bytes, &frame, now);
}

static void response(uint32_t index, uint32_t client_index)
{
	struct handshake_frame frame = {
		.kind = HANDSHAKE_RESPONSE, .index = index, .client = client(client_index)};

	kept_response(kept, &frame);
}

static bool confirmation(uint32_t client_index)
{
	uint8_t bytes[HANDSHAKE_FRAME_MAX];
	struct handshake_frame frame = fill(bytes, HANDSHAKE_KEEPALIVE, client_index);

	return kept_confirmation(kept, bytes, sizeof bytes, &frame, now);
}

static bool note_sent(void *context, const uint8_t *bytes, size_t size)
{
	ck_assert_ptr_eq(context, &sent);
	ck_assert_uint_eq(size, HANDSHAKE_FRAME_MAX);
	memcpy(&sent[sent_count++], bytes, sizeof sent[0]);
	return true;
}

static bool sweep(int64_t at)
{
	now = at;
	return kept_sweep(kept, now, note_sent, &sent);
}

START_TEST(test_an_initiation_goes_out_twice_more)
{
	ck_assert(initiation(7));
	ck_assert(!initiation(7));
	ck_assert(sweep(START + REPEAT_FIRST_MS - 1));
	ck_assert_uint_eq(sent_count, 0);
	ck_assert(sweep(START + REPEAT_FIRST_MS));
	ck_assert_uint_eq(sent_count, 1);
	ck_assert(!initiation(7)); /* it comes by itself */
	ck_assert(!sweep(START + REPEAT_SECOND_MS));
	ck_assert_uint_eq(sent_count, 2);
	ck_assert_uint_eq(sent[1], 7);
	ck_assert(!sweep(START + 10 * REPEAT_SECOND_MS));
	ck_assert_uint_eq(sent_count, 2);
	ck_assert_uint_eq(kept_counters(kept).seen, 1);
	ck_assert_uint_eq(kept_counters(kept).repeated, 2);
}
END_TEST

START_TEST(test_an_answered_one_does_not_and_its_confirmation_does)
{
	initiation(7);
	response(8, 70);
	ck_assert(!confirmation(70));
	response(7, 70);
	ck_assert(!sweep(START + REPEAT_SECOND_MS));
	ck_assert_uint_eq(sent_count, 0);
	ck_assert(confirmation(70));
	ck_assert_uint_eq(kept_count(kept), 1); /* the initiation is done with */
	ck_assert(!confirmation(70));
	ck_assert(initiation(70)); /* another kind: another frame */
	sweep(now + REPEAT_FIRST_MS);
	ck_assert_uint_eq(sent[0], 70);
	ck_assert_uint_eq(kept_counters(kept).answered, 1);
}
END_TEST

START_TEST(test_a_confirmation_goes_out_three_times_more)
{
	initiation(7);
	response(7, 70);
	confirmation(70);
	ck_assert(sweep(START + REPEAT_FIRST_MS));
	ck_assert(sweep(START + REPEAT_SECOND_MS));
	ck_assert_uint_eq(sent_count, 2);
	ck_assert(!sweep(START + REPEAT_THIRD_MS));
	ck_assert_uint_eq(sent_count, 3);
	ck_assert(!sweep(START + 10 * REPEAT_THIRD_MS));
	ck_assert_uint_eq(sent_count, 3);
}
END_TEST

START_TEST(test_a_late_answer_still_counts_and_a_later_one_is_forgotten)
{
	initiation(7);
	sweep(START + REPEAT_FIRST_MS);
	sweep(START + REPEAT_SECOND_MS);
	sweep(START + KEPT_FORGET_MS - 1);
	ck_assert_uint_eq(kept_count(kept), 1);
	response(7, 70);
	ck_assert(confirmation(70));
	sweep(now + REPEAT_FIRST_MS);
	ck_assert_uint_eq(sent_count, 3);
	initiation(9);
	sweep(now + REPEAT_SECOND_MS);
	sweep(now + REPEAT_SECOND_MS);
	sweep(now + KEPT_FORGET_MS);
	ck_assert_uint_eq(kept_count(kept), 0);
	response(9, 90);
	ck_assert(!confirmation(90));
	ck_assert_uint_eq(kept_counters(kept).answered, 1);
}
END_TEST

START_TEST(test_a_repetition_that_comes_by_late_is_none_to_repeat)
{
	initiation(7);
	response(7, 70);
	confirmation(70);
	sweep(START + REPEAT_FIRST_MS);
	sweep(START + REPEAT_SECOND_MS);
	sweep(START + 5000); /* the loop stood still */
	sweep(START + 5001);
	ck_assert(!confirmation(70));
	ck_assert_uint_eq(kept_count(kept), 1);
	sweep(START + 5000 + KEPT_LINGER_MS);
	ck_assert_uint_eq(kept_count(kept), 0);
	ck_assert_uint_eq(sent_count, 3);
}
END_TEST

START_TEST(test_two_clients_with_one_index)
{
	initiation(7);
	initiation(8);
	response(7, 70);
	response(8, 70);
	response(8, 80);
	ck_assert(confirmation(70));
	ck_assert(!confirmation(70));
	ck_assert(!confirmation(80));
	ck_assert_uint_eq(kept_counters(kept).answered, 2);
}
END_TEST

/* One cannot choose an index that keeps another's confirmation from going out again. */
START_TEST(test_two_clients_with_one_index_elsewhere)
{
	initiation(7);
	initiation(8);
	response(7, 70);
	client_port = 2;
	response(8, 70);
	ck_assert(confirmation(70));
	client_port = 1;
	ck_assert(confirmation(70));
	ck_assert(!confirmation(70));
}
END_TEST

START_TEST(test_the_bound)
{
	for (uint32_t i = 0; i < REPEAT_FRAMES_MAX; i++)
		ck_assert(initiation(i));
	ck_assert_uint_eq(kept_counters(kept).left_out, 0);
	ck_assert(!initiation(REPEAT_FRAMES_MAX));
	ck_assert_uint_eq(kept_counters(kept).left_out, 1);
	ck_assert_uint_eq(kept_count(kept), REPEAT_FRAMES_MAX);
	response(0, 70);
	ck_assert(confirmation(70)); /* in the initiation's place */
	ck_assert(!initiation(REPEAT_FRAMES_MAX));
	sweep(START + REPEAT_FIRST_MS);
	sweep(START + REPEAT_SECOND_MS);
	sweep(START + REPEAT_THIRD_MS);
	ck_assert_uint_eq(sent_count, 2 * REPEAT_FRAMES_MAX + 1);
	now = START + KEPT_FORGET_MS;
	ck_assert(initiation(REPEAT_FRAMES_MAX)); /* without a sweep */
	ck_assert_uint_eq(kept_count(kept), 1);
}
END_TEST

/* 10,000 clients, ten a millisecond, each answers at once: all confirmations are repeated. */
START_TEST(test_what_is_kept_is_what_is_outstanding)
{
	size_t most = 0;

	for (uint32_t i = 0; i < 10000; i++) {
		ck_assert(initiation(i));
		response(i, i + 20000);
		ck_assert(confirmation(i + 20000));
		most = kept_count(kept) > most ? kept_count(kept) : most;
		if (i % 100 == 99)
			sweep(now + 10);
	}
	ck_assert_uint_lt(most, 5000);
	for (int i = 0; i < 60; i++)
		sweep(now + 10);
	ck_assert_uint_eq(sent_count, 30000);
	ck_assert_uint_eq(kept_counters(kept).left_out, 0);
	ck_assert_uint_eq(kept_count(kept), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kept-frames");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, test_an_initiation_goes_out_twice_more);
	tcase_add_test(all, test_an_answered_one_does_not_and_its_confirmation_does);
	tcase_add_test(all, test_a_confirmation_goes_out_three_times_more);
	tcase_add_test(all, test_a_late_answer_still_counts_and_a_later_one_is_forgotten);
	tcase_add_test(all, test_a_repetition_that_comes_by_late_is_none_to_repeat);
	tcase_add_test(all, test_two_clients_with_one_index);
	tcase_add_test(all, test_two_clients_with_one_index_elsewhere);
	tcase_add_test(all, test_the_bound);
	tcase_add_test(all, test_what_is_kept_is_what_is_outstanding);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
