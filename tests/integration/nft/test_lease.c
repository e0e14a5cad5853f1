/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/io/nft/lease.h"
#include "tests/integration/nft/site.h"
#include "tests/integration/nft/suite.h"
#include "tests/integration/nft/wire.h"
#include "tests/unit/firewall/sample.h"

enum { TIMEOUT_MS = 60000, JIFFY_MS = 10, WAIT_MS = 10000 };

static struct nft *nft;
static struct fw_permit permit;

static void setup(void)
{
	struct firewall firewall = sample_gateway();
	struct fw_ruleset *ruleset = sample_build(&firewall);
	struct err err = {0};
	site_open();
	ck_assert_msg(nft_open(&nft, &err) == 0, "%s", err.text);
	ck_assert_msg(nft_apply(nft, ruleset, NULL, 0, NULL, &err) == 0, "%s", err.text);
	fw_ruleset_free(ruleset);
	permit = sample_permit();
}

static void teardown(void)
{
	nft_close(nft);
}

static int64_t left_ms(const struct fw_permit *of)
{
	int64_t left = -1;
	ck_assert_int_eq(nft_permit_read(nft, of, &left), 0);
	return left;
}

/* Waits until the kernel has let the lease run out. */
static void await_expiry(const struct fw_permit *of)
{
	int64_t end = wire_now_ms() + WAIT_MS;
	while (left_ms(of) > 0) {
		ck_assert_int_lt(wire_now_ms(), end);
		poll(NULL, 0, 1);
	}
}

START_TEST(a_lease_is_acquired_read_renewed_and_released)
{
	ck_assert_int_eq(left_ms(&permit), 0);
	ck_assert_int_eq(nft_permit_acquire(nft, &permit, TIMEOUT_MS), 0);
	ck_assert_int_gt(left_ms(&permit), TIMEOUT_MS / 2);
	ck_assert_int_le(left_ms(&permit), TIMEOUT_MS + JIFFY_MS);
	ck_assert_int_eq(nft_permit_renew(nft, &permit, 2 * TIMEOUT_MS), 0);
	ck_assert_int_gt(left_ms(&permit), TIMEOUT_MS + JIFFY_MS);
	ck_assert_int_eq(nft_permit_renew(nft, &permit, TIMEOUT_MS), 0); /* shorter, too */
	ck_assert_int_le(left_ms(&permit), TIMEOUT_MS + JIFFY_MS);
	ck_assert_int_eq(nft_permit_release(nft, &permit), 0);
	ck_assert_int_eq(left_ms(&permit), 0);
	ck_assert_int_eq(nft_permit_release(nft, &permit), 0);
}
END_TEST

START_TEST(acquiring_is_exclusive)
{
	struct fw_permit half = permit;
	half.address_count = 1;
	half.mark_count = 0;
	ck_assert_int_eq(nft_permit_acquire(nft, &half, TIMEOUT_MS), 0);
	ck_assert_int_eq(nft_permit_acquire(nft, &permit, TIMEOUT_MS), -EEXIST);
	ck_assert_int_eq(left_ms(&permit), 0);                 /* nothing of the rest was added */
	ck_assert_int_eq(nft_permit_release(nft, &permit), 0); /* though most of it is not there */
	ck_assert_int_eq(left_ms(&half), 0);
	ck_assert_int_eq(nft_permit_acquire(nft, &permit, TIMEOUT_MS), 0);
}
END_TEST

START_TEST(a_lease_runs_out_by_itself_and_on_time)
{
	int64_t start = wire_now_ms(); /* before, for we may be held up right after it */
	ck_assert_int_eq(nft_permit_acquire(nft, &permit, 300), 0);
	await_expiry(&permit);
	int64_t took = wire_now_ms() - start;
	ck_assert_int_ge(took, 300 - 2 * JIFFY_MS);
	ck_assert_msg(took < 300 + WAIT_MS / 2, "took %lld ms", (long long)took);
}
END_TEST

START_TEST(a_late_renewal_fails_whole)
{
	struct fw_permit one = permit;
	one.address_count = 0;
	one.mark_count = 1;
	struct fw_permit rest = permit;
	rest.marks[0] = permit.marks[1];
	rest.mark_count = 1;
	/* One element of many runs out before the others. */
	ck_assert_int_eq(nft_permit_acquire(nft, &one, 50), 0);
	ck_assert_int_eq(nft_permit_acquire(nft, &rest, TIMEOUT_MS), 0);
	await_expiry(&one);
	int64_t before = left_ms(&rest);
	ck_assert_int_eq(nft_permit_renew(nft, &permit, 2 * TIMEOUT_MS), -ENOENT);
	ck_assert_int_eq(left_ms(&one), 0);
	ck_assert_int_gt(left_ms(&rest), 0);
	ck_assert_int_le(left_ms(&rest), before); /* the others were not renewed either */
	ck_assert_int_eq(nft_permit_release(nft, &permit), 0);
	ck_assert_int_eq(left_ms(&rest), 0);
	ck_assert_int_eq(nft_permit_renew(nft, &permit, TIMEOUT_MS), -ENOENT);
	ck_assert_int_eq(left_ms(&permit), 0);
}
END_TEST

START_TEST(without_the_fence_there_is_no_lease)
{
	run("nft", "delete table arp holdfast", NULL);
	ck_assert_int_eq(nft_permit_acquire(nft, &permit, TIMEOUT_MS), -ESTALE);
	ck_assert_int_eq(left_ms(&permit), 0);
	ck_assert_int_eq(nft_permit_renew(nft, &permit, TIMEOUT_MS), -ESTALE);
	ck_assert_int_eq(nft_permit_release(nft, &permit), 0);
}
END_TEST

START_TEST(an_endpoint_changes_under_its_lease)
{
	struct fw_permit more = permit, fewer = permit;
	struct addr address = sample_addr("10.9.0.102");
	ck_assert_int_eq(fw_permit_add_address(&more, &address), 0);
	fewer.address_count = 2;
	fewer.announces = false;
	ck_assert_int_eq(nft_permit_acquire(nft, &permit, TIMEOUT_MS), 0);
	ck_assert_int_eq(nft_permit_renew(nft, &more, TIMEOUT_MS), -ENOENT);
	ck_assert_int_eq(nft_permit_change(nft, &permit, &more, TIMEOUT_MS), 0);
	ck_assert_int_gt(left_ms(&more), 0);
	ck_assert_int_eq(nft_permit_change(nft, &more, &fewer, TIMEOUT_MS), 0);
	ck_assert_int_gt(left_ms(&fewer), 0);
	char *listed = run_with_input(NULL, "nft", "list set arp holdfast announce4", NULL);
	ck_assert_msg(strstr(listed, "elements") == NULL, "%s", listed);
	free(listed);
	ck_assert_int_eq(nft_permit_change(nft, &more, &fewer, TIMEOUT_MS), -ENOENT);
}
END_TEST

START_TEST(the_largest_endpoint_fits)
{
	struct fw_permit largest = {.announces = true};
	struct addr address = sample_addr("2001:db8::");
	for (size_t i = 0; i < FW_PERMIT_ADDRESSES_MAX; i++) {
		address.bytes[15] = (uint8_t)i;
		ck_assert_int_eq(fw_permit_add_address(&largest, &address), 0);
	}
	for (uint32_t i = 0; i < FW_PERMIT_MARKS_MAX; i++)
		ck_assert_int_eq(fw_permit_add_mark(&largest, i + 1), 0);
	ck_assert_int_eq(nft_permit_acquire(nft, &largest, TIMEOUT_MS), 0);
	ck_assert_int_eq(nft_permit_renew(nft, &largest, TIMEOUT_MS), 0);
	ck_assert_int_gt(left_ms(&largest), 0);
	ck_assert_int_eq(nft_permit_release(nft, &largest), 0);
	ck_assert_int_eq(left_ms(&largest), 0);
}
END_TEST

START_TEST(nonsense_is_refused)
{
	struct fw_permit nothing = {0};
	int64_t left;
	ck_assert_int_eq(nft_permit_acquire(nft, &nothing, TIMEOUT_MS), -EINVAL);
	ck_assert_int_eq(nft_permit_acquire(nft, &permit, 0), -EINVAL);
	ck_assert_int_eq(nft_permit_renew(nft, &permit, -1), -EINVAL);
	ck_assert_int_eq(nft_permit_read(nft, &nothing, &left), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nft-lease");
	TCase *tcase = tcase_create("lease");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_lease_is_acquired_read_renewed_and_released);
	tcase_add_test(tcase, acquiring_is_exclusive);
	tcase_add_test(tcase, a_lease_runs_out_by_itself_and_on_time);
	tcase_add_test(tcase, a_late_renewal_fails_whole);
	tcase_add_test(tcase, without_the_fence_there_is_no_lease);
	tcase_add_test(tcase, an_endpoint_changes_under_its_lease);
	tcase_add_test(tcase, the_largest_endpoint_fits);
	tcase_add_test(tcase, nonsense_is_refused);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
