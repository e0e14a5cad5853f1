/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "controller/io/joining/invitations.h"

static struct invitations invitations;

static void setup(void)
{
	invitations = (struct invitations){0};
}

static struct key secret_of(unsigned number)
{
	struct key secret = {0};
	memcpy(secret.bytes, &number, sizeof number);
	return secret;
}

static int invite(const char *gateway, unsigned number, int64_t expires_ms)
{
	struct store_invitation invitation = {.expires_ms = expires_ms};
	struct key secret = secret_of(number);
	text_copy(invitation.gateway, sizeof invitation.gateway, gateway);
	invitation_hash(&secret, invitation.hash);
	return invitations_put(&invitations, &invitation);
}

static struct invitation *find(unsigned number, int64_t wall_ms)
{
	struct key secret = secret_of(number);
	return invitations_find(&invitations, &secret, wall_ms);
}

START_TEST(a_secret_finds_its_own_until_it_ends)
{
	invite("gw-a", 1, 500);
	invite("gw-b", 2, 500);
	ck_assert_str_eq(find(2, 499)->stored.gateway, "gw-b");
	ck_assert_ptr_null(find(2, 500));
	ck_assert_ptr_null(find(3, 0));
	invitations_expire(&invitations, 500);
	ck_assert_uint_eq(invitations.count, 0);
}
END_TEST

START_TEST(a_newer_one_takes_its_place)
{
	invite("gw-a", 1, 500);
	find(1, 0)->used = true;
	ck_assert_uint_eq(invitations_open(&invitations), 0);
	invite("gw-a", 2, 500);
	ck_assert_ptr_null(find(1, 0));
	ck_assert(!find(2, 0)->used);
	ck_assert_uint_eq(invitations_open(&invitations), 1);
	invitations_remove(&invitations, "gw-a");
	ck_assert_ptr_null(find(2, 0));
}
END_TEST

START_TEST(one_that_was_not_used_after_all_is_open_again)
{
	invite("gw-a", 1, 500);
	struct invitation *item = find(1, 0);
	struct store_invitation used = item->stored;
	item->used = true;
	invitations_give_back(&invitations, &used);
	ck_assert(!find(1, 0)->used);
	/* Another has its place, and is used itself. */
	invite("gw-a", 2, 500);
	find(2, 0)->used = true;
	invitations_give_back(&invitations, &used);
	ck_assert(find(2, 0)->used);
}
END_TEST

START_TEST(there_is_room_for_so_many)
{
	char name[16];
	for (unsigned i = 0; i < INVITATIONS_MAX; i++) {
		snprintf(name, sizeof name, "gw-%u", i);
		ck_assert(invitations_has_room(&invitations, name));
		ck_assert_int_eq(invite(name, i, 500), 0);
	}
	ck_assert(!invitations_has_room(&invitations, "one-more"));
	ck_assert(invitations_has_room(&invitations, "gw-7"));
	ck_assert_int_eq(invite("one-more", 9999, 500), -ENOSPC);
	ck_assert_int_eq(invite("gw-7", 9999, 500), 0);
	ck_assert_uint_eq(invitations.count, INVITATIONS_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("controller/invitations");
	TCase *test = tcase_create("invitations");
	SRunner *runner = srunner_create(suite);
	int failed;
	suite_add_tcase(suite, test);
	tcase_add_checked_fixture(test, setup, NULL);
	tcase_add_test(test, a_secret_finds_its_own_until_it_ends);
	tcase_add_test(test, a_newer_one_takes_its_place);
	tcase_add_test(test, one_that_was_not_used_after_all_is_open_again);
	tcase_add_test(test, there_is_room_for_so_many);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
