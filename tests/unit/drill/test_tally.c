/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <string.h>

#include "node-agent/core/drill/tally.h"

static const struct drill_order order = {.endpoint = "vpn", .id = 7, .for_ms = 1000};
static struct tally *mine, *theirs;
static struct addr alice, bob;

static struct addr address(const char *text)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse(text, &addr, NULL), 0);
	return addr;
}

static void begin(void)
{
	alice = address("10.50.0.2");
	bob = address("fd50::3");
	mine = tally_new(&order, "gw-a");
	theirs = tally_new(&order, "gw-b");
	ck_assert(tally_add_target(mine, &alice) && tally_add_target(mine, &bob));
	tally_add_client(theirs, &alice);
	tally_add_client(theirs, &bob);
}

static void end(void)
{
	tally_free(mine);
	tally_free(theirs);
}

/* gw-a pings; the answer comes to `to`, or to nobody. */
static void ping(size_t index, struct tally *to)
{
	uint8_t payload[TALLY_PAYLOAD_MAX];
	size_t size = tally_next(mine, index, payload);

	ck_assert_uint_gt(size, 0);
	tally_sent(mine, index);
	if (to)
		ck_assert(tally_answered(to, tally_target(mine, index), payload, size));
}

static struct drill_row row_of(const struct tally *tally, const struct addr *target)
{
	struct drill_result result;

	tally_result(tally, &result);
	ck_assert_uint_eq(result.id, 7);
	ck_assert_str_eq(result.endpoint, "vpn");
	for (size_t i = 0; i < result.row_count; i++)
		if (addr_equal(&result.rows[i].target, target))
			return result.rows[i];
	ck_abort_msg("no such row");
	return (struct drill_row){0};
}

START_TEST(answers_count_wherever_they_come)
{
	ping(0, mine);
	ping(0, theirs);
	ping(0, NULL);
	ping(1, mine);
	ck_assert_uint_eq(row_of(mine, &alice).sent, 3);
	ck_assert_uint_eq(row_of(mine, &alice).received, 1);
	ck_assert_uint_eq(row_of(theirs, &alice).sent, 0);
	ck_assert_uint_eq(row_of(theirs, &alice).received, 1);
	ck_assert_str_eq(row_of(theirs, &alice).sender, "gw-a");
	ck_assert_uint_eq(row_of(mine, &bob).received, 1);
}
END_TEST

START_TEST(an_answer_counts_once)
{
	uint8_t payload[TALLY_PAYLOAD_MAX];
	size_t size = tally_next(mine, 0, payload);

	tally_sent(mine, 0);
	ck_assert(tally_answered(mine, &alice, payload, size));
	ck_assert(!tally_answered(mine, &alice, payload, size));
	ck_assert(tally_answered(mine, &bob, payload, size)); /* from somebody else: another's */
	ck_assert_uint_eq(row_of(mine, &alice).received, 1);
}
END_TEST

START_TEST(what_is_not_of_this_drill_counts_for_nothing)
{
	struct drill_order other = {.endpoint = "vpn", .id = 8};
	struct tally *another = tally_new(&other, "gw-a");
	uint8_t payload[TALLY_PAYLOAD_MAX];
	size_t size = tally_next(mine, 0, payload);

	ck_assert(!tally_answered(another, &alice, payload, size));
	for (size_t cut = 0; cut < size; cut++)
		ck_assert(!tally_answered(mine, &alice, payload, cut));
	payload[0] ^= 1;
	ck_assert(!tally_answered(mine, &alice, payload, size));
	payload[0] ^= 1;
	payload[12] = 0xff; /* a number that nobody sends */
	ck_assert(!tally_answered(mine, &alice, payload, size));
	tally_free(another);
}
END_TEST

START_TEST(targets_at_and_beyond_the_limit)
{
	ck_assert(!tally_add_target(mine, &alice)); /* there already */
	for (uint8_t i = 2; i < DRILL_TARGETS_MAX; i++) {
		struct addr more = alice;

		more.bytes[3] = (uint8_t)(100 + i);
		ck_assert(tally_add_target(mine, &more));
	}
	bob.bytes[15]++;
	ck_assert(!tally_add_target(mine, &bob));
	ck_assert_uint_eq(tally_target_count(mine), DRILL_TARGETS_MAX);
}
END_TEST

START_TEST(pings_at_and_beyond_the_limit)
{
	uint8_t payload[TALLY_PAYLOAD_MAX];

	for (int i = 0; i < TALLY_PINGS_MAX; i++)
		ping(0, theirs);
	ck_assert_uint_eq(tally_next(mine, 0, payload), 0);
	ck_assert_uint_eq(row_of(theirs, &alice).received, TALLY_PINGS_MAX);
}
END_TEST

/* gw-x's, gw-y's ...: a client that makes up senders fills its own rows, and one that makes up addresses none. */
START_TEST(a_client_fills_its_own_rows_only)
{
	struct drill_result result;
	struct addr stranger = address("10.50.0.99");

	for (char name = 'p'; name <= 'z'; name++) {
		char gateway[] = {'g', 'w', '-', name, '\0'};
		struct tally *other = tally_new(&order, gateway);
		uint8_t payload[TALLY_PAYLOAD_MAX];
		size_t size;

		ck_assert(tally_add_target(other, &bob));
		size = tally_next(other, 0, payload);
		ck_assert(
			tally_answered(theirs, &bob, payload, size) == (name < 'p' + TALLY_CLIENT_ROWS_MAX));
		ck_assert(!tally_answered(theirs, &stranger, payload, size));
		tally_free(other);
	}
	ping(0, theirs);
	tally_result(theirs, &result);
	ck_assert_uint_eq(result.row_count, TALLY_CLIENT_ROWS_MAX + 1);
}
END_TEST

START_TEST(rows_have_a_limit)
{
	struct drill_result result;

	for (int i = 0; i < DRILL_ROWS_MAX + 8; i++) {
		struct addr from = address("10.60.0.0");
		uint8_t payload[TALLY_PAYLOAD_MAX];
		size_t size = tally_next(mine, 0, payload);

		from.bytes[3] = (uint8_t)i;
		tally_add_client(theirs, &from);
		ck_assert(tally_answered(theirs, &from, payload, size) == (i < DRILL_ROWS_MAX));
	}
	tally_result(theirs, &result);
	ck_assert_uint_eq(result.row_count, DRILL_ROWS_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tally");
	TCase *tcase = tcase_create("tally");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, answers_count_wherever_they_come);
	tcase_add_test(tcase, an_answer_counts_once);
	tcase_add_test(tcase, what_is_not_of_this_drill_counts_for_nothing);
	tcase_add_test(tcase, targets_at_and_beyond_the_limit);
	tcase_add_test(tcase, pings_at_and_beyond_the_limit);
	tcase_add_test(tcase, a_client_fills_its_own_rows_only);
	tcase_add_test(tcase, rows_have_a_limit);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
