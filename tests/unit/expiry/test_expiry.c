/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "node-agent/core/expiry/expiry.h"

/* Peers a (never), b (at 100), c (at 200), each with a key that says which it is. */
static struct desired *sample(struct key **ret_keys)
{
	static const int64_t at_s[] = {0, 100, 200};
	struct desired *desired = desired_new();

	desired->peer_count = ARRAY_COUNT(at_s);
	desired->peers = mem_new(desired->peer_count, sizeof(*desired->peers));
	*ret_keys = mem_new(desired->peer_count, sizeof(**ret_keys));
	for (size_t i = 0; i < desired->peer_count; i++) {
		(void)snprintf(desired->peers[i].name, sizeof(desired->peers[i].name), "%c", (char)('a' + i));
		desired->peers[i].expires_s = at_s[i];
		(*ret_keys)[i].bytes[0] = (uint8_t)('a' + i);
	}
	return desired;
}

static void expect(int64_t now_s, const char *left)
{
	struct key *keys, *left_keys;
	struct desired *desired = sample(&keys), *now = expiry_apply(desired, keys, now_s, &left_keys);
	size_t i = 0;

	for (; left[i]; i++) {
		ck_assert_uint_lt(i, now->peer_count);
		ck_assert_int_eq(now->peers[i].name[0], left[i]);
		ck_assert_int_eq(left_keys[i].bytes[0], left[i]);
	}
	ck_assert_uint_eq(now->peer_count, i);
	desired_free(now);
	desired_free(desired);
	free(keys);
	free(left_keys);
}

START_TEST(a_peer_is_there_until_its_second_and_not_in_it)
{
	expect(0, "abc");
	expect(99, "abc");
	expect(100, "ac");
	expect(199, "ac");
	expect(200, "a");
}
END_TEST

START_TEST(it_is_due_when_the_clock_passes_one_or_goes_back)
{
	struct key *keys;
	struct desired *desired = sample(&keys);
	struct expiry before = expiry_of(desired, 99), between = expiry_of(desired, 150), after = expiry_of(desired, 500);

	ck_assert(!expiry_is_due(&before, 0));
	ck_assert(!expiry_is_due(&before, 99));
	ck_assert(expiry_is_due(&before, 100));
	ck_assert(expiry_is_due(&before, 100000));
	ck_assert(!expiry_is_due(&between, 100));
	ck_assert(expiry_is_due(&between, 99));
	ck_assert(expiry_is_due(&between, 200));
	ck_assert(!expiry_is_due(&after, INT64_MAX - 1));
	ck_assert(expiry_is_due(&after, 199));
	desired_free(desired);
	free(keys);
}
END_TEST

START_TEST(without_dates_it_is_never_due)
{
	struct desired *desired = desired_new();
	struct expiry expiry = expiry_of(desired, 100);

	ck_assert(!expiry_is_due(&expiry, 0));
	ck_assert(!expiry_is_due(&expiry, INT64_MAX - 1));
	desired_free(desired);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("expiry");
	TCase *tcase = tcase_create("expiry");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, a_peer_is_there_until_its_second_and_not_in_it);
	tcase_add_test(tcase, it_is_due_when_the_clock_passes_one_or_goes_back);
	tcase_add_test(tcase, without_dates_it_is_never_due);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
