/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The limit of a device's peers, at it and one beyond, per implementation. Less than a second. */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/stage/crowd.h"
#include "node-agent/io/wireguard/capacity.h"

static struct desired_tunnel wg0 = {.name = "wg0"}, wg1 = {.name = "wg1"};

/* So many peers in wg0, and after them some in wg1. */
static struct desired *fleet_of(size_t in_wg0, size_t in_wg1)
{
	struct desired *desired = desired_new();

	desired->peer_count = in_wg0 + in_wg1;
	desired->peers = mem_new(desired->peer_count + 1, sizeof(*desired->peers));
	for (size_t i = 0; i < desired->peer_count; i++)
		text_copy(desired->peers[i].tunnel, sizeof(desired->peers[i].tunnel),
			i < in_wg0 ? "wg0" : "wg1");
	return desired;
}

static int check(size_t in_wg0, size_t in_wg1, const struct desired_tunnel *tunnel, bool userspace,
	const char *implementation, struct err *err)
{
	struct desired *desired = fleet_of(in_wg0, in_wg1);
	int r = crowd_check(desired, tunnel, userspace, implementation, err);

	desired_free(desired);
	return r;
}

START_TEST(wireguard_go_takes_65536)
{
	static const char *const spellings[] = {"auto", "kernel", "wireguard-go", "/usr/bin/wireguard-go"};

	for (size_t i = 0; i < ARRAY_COUNT(spellings); i++) {
		struct err err = {0};

		ck_assert_int_eq(check(WG_GO_PEERS_MAX, 0, &wg0, true, spellings[i], &err), 0);
		ck_assert_int_eq(check(WG_GO_PEERS_MAX + 1, 0, &wg0, true, spellings[i], &err), -E2BIG);
		ck_assert_str_eq(err.text,
			"tunnel wg0 has 65537 peers, and wireguard-go takes 65536 a device: give some of "
			"them another tunnel, or use the kernel's WireGuard on this gateway (wireguard: { "
			"implementation: kernel } in agent.yaml)");
	}
}
END_TEST

START_TEST(each_tunnel_has_its_own)
{
	struct err err = {0};

	ck_assert_int_eq(check(WG_GO_PEERS_MAX, WG_GO_PEERS_MAX, &wg0, true, "auto", &err), 0);
	ck_assert_int_eq(check(WG_GO_PEERS_MAX, WG_GO_PEERS_MAX, &wg1, true, "auto", &err), 0);
	ck_assert_int_eq(check(WG_GO_PEERS_MAX, WG_GO_PEERS_MAX + 1, &wg0, true, "auto", &err), 0);
	ck_assert_int_eq(check(WG_GO_PEERS_MAX, WG_GO_PEERS_MAX + 1, &wg1, true, "auto", &err), -E2BIG);
}
END_TEST

START_TEST(the_kernel_takes_a_million)
{
	struct err err = {0};

	ck_assert_int_eq(check(WG_KERNEL_PEERS_MAX, 0, &wg0, false, "auto", &err), 0);
	ck_assert_int_eq(check(WG_KERNEL_PEERS_MAX + 1, 0, &wg0, false, "auto", &err), -E2BIG);
	ck_assert_str_eq(err.text, "tunnel wg0 has 1048577 peers, and the kernel's WireGuard takes 1048576 a "
				   "device: give some of "
				   "them another tunnel");
}
END_TEST

START_TEST(of_other_programs_no_limit_is_known)
{
	ck_assert_uint_eq(wg_peers_max(true, "/usr/local/bin/boringtun-cli"), SIZE_MAX);
	ck_assert_uint_eq(wg_peers_max(true, "boringtun-cli"), SIZE_MAX);
	ck_assert_uint_eq(wg_peers_max(false, "boringtun-cli"), WG_KERNEL_PEERS_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crowd");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(all, 60); /* a million peers under sanitizers on a busy machine */
	tcase_add_test(all, wireguard_go_takes_65536);
	tcase_add_test(all, each_tunnel_has_its_own);
	tcase_add_test(all, the_kernel_takes_a_million);
	tcase_add_test(all, of_other_programs_no_limit_is_known);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
