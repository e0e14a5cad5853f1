/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a list that is told in pages goes on. */
#include <check.h>
#include <string.h>

#include "proto/peer_place.h"

enum { PEERS = 4 };

static struct desired_peer peers[PEERS];
static struct desired desired;

static void setup(void)
{
	static const char *const tunnels[PEERS] = {"wg0", "wg0", "wg0", "wg2"};

	memset(peers, 0, sizeof(peers));
	for (size_t i = 0; i < PEERS; i++) {
		strcpy(peers[i].tunnel, tunnels[i]);
		peers[i].public_key.bytes[0] = (uint8_t)(i + 1);
	}
	desired = (struct desired){.peers = peers, .peer_count = PEERS};
}

START_TEST(it_goes_on_behind_the_last)
{
	struct desired_peer_key place;
	char text[PEER_PLACE_TEXT_MAX];

	ck_assert_int_eq(peer_place_parse(peer_place_format(&peers[1], text), &place), 0);
	ck_assert_str_eq(place.tunnel, "wg0");
	ck_assert_uint_eq(peer_place_find(&desired, place.tunnel, &place.public_key), 2);
	ck_assert_uint_eq(peer_place_find(&desired, "wg0", &peers[2].public_key), 3);
	ck_assert_uint_eq(peer_place_find(&desired, "wg2", &peers[3].public_key), PEERS);
	ck_assert_uint_eq(peer_place_find(&desired, "wg0", NULL), 0);
	ck_assert_uint_eq(peer_place_find(&desired, "wg2", NULL), 3);
}
END_TEST

START_TEST(a_peer_that_is_gone_still_marks_its_place)
{
	struct key gone = {.bytes = {2, 9}};

	ck_assert_uint_eq(peer_place_find(&desired, "wg0", &gone), 2);
	ck_assert_uint_eq(peer_place_find(&desired, "wg1", &gone), 3);
	ck_assert_uint_eq(peer_place_find(&desired, "wg3", NULL), PEERS);
}
END_TEST

START_TEST(other_texts_are_refused)
{
	static const char *const wrong[] = {"wg0", ":", "wg0:", "wg0:zz", "a/b:00",
		"wg0:000000000000000000000000000000000000000000000000000000000000000",
		"wg0:00000000000000000000000000000000000000000000000000000000000000000",
		"interface1234567:0000000000000000000000000000000000000000000000000000000000000000"};
	struct desired_peer_key place;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_msg(peer_place_parse(wrong[i], &place) < 0, "%s", wrong[i]);
	ck_assert_int_eq(peer_place_parse("interface123456:"
					  "0000000000000000000000000000000000000000000000000000000000000000",
				 &place),
		0);
	ck_assert_int_eq(peer_place_parse("", &place), 0);
	ck_assert_str_eq(place.tunnel, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("peer_place");
	TCase *tests = tcase_create("peer_place");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, it_goes_on_behind_the_last);
	tcase_add_test(tests, a_peer_that_is_gone_still_marks_its_place);
	tcase_add_test(tests, other_texts_are_refused);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
