/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node-agent/io/nft/lease.h"
#include "node-agent/io/nft/nft.h"
#include "tests/integration/nft/site.h"
#include "tests/integration/nft/suite.h"
#include "tests/integration/nft/wire.h"
#include "tests/unit/firewall/sample.h"

/*
 * Others change nftables all the time: Docker, firewalld, somebody's script. Two disturbers run beside us, nft(8) in a
 * loop and, much faster, a second socket that makes and deletes tables. Nothing of ours may fail or be lost.
 */
/* On an emulated machine the time ends the rounds, not the count. */
enum { ROUNDS = 1000, ROUNDS_MIN = 50, ROUNDS_MS = 20000, TIMEOUT_MS = 60000 };

static void disturb_by_program(void)
{
	for (;;) {
		run("nft", "add table ip x; add chain ip x c; add set inet y s { type ipv4_addr; }", NULL);
		run("nft", "delete table ip x", NULL);
	}
}

static void disturb_by_socket(void)
{
	struct firewall all = sample_gateway();
	struct firewall_tunnel home = all.tunnels[2];
	home.masquerade_count = 0;
	struct firewall firewall = {.scope = "up home", .tunnels = &home, .tunnel_count = 1};
	struct fw_ruleset *ruleset = sample_build(&firewall);
	struct nft *nft;
	struct err err;
	if (nft_open(&nft, &err) < 0)
		_exit(1);
	for (;;)
		if (nft_apply(nft, ruleset, NULL, 0, NULL, &err) < 0 || nft_remove(nft, "up home", &err) < 0)
			_exit(1);
}

static pid_t start(void (*disturb)(void))
{
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		disturb();
	}
	return child;
}

static void stop(pid_t child)
{
	int status;
	ck_assert_msg(waitpid(child, &status, WNOHANG) == 0, "a disturber failed");
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
}

static struct fw_ruleset *rulesets[2];

static void build(void)
{
	struct firewall firewall = sample_gateway();
	firewall.tunnel_count = 2;
	rulesets[0] = sample_build(&firewall);
	struct firewall_tunnel tunnels[2];
	memcpy(tunnels, firewall.tunnels, sizeof tunnels);
	tunnels[1].forward = FIREWALL_FORWARD_ACCEPT;
	tunnels[0].clamp_mss = false;
	firewall.tunnels = tunnels;
	rulesets[1] = sample_build(&firewall);
}

static void assert_in_place(struct nft *nft, const struct fw_ruleset *ruleset, int round)
{
	struct nft_difference difference;
	struct err err = {0};
	ck_assert_msg(nft_observe(nft, ruleset, &difference, &err) == 0, "round %d: %s", round, err.text);
	ck_assert_msg(!difference.differs, "round %d: %s", round, difference.what);
}

static void assert_held(struct nft *nft, const struct fw_permit *permit, int round)
{
	int64_t left = 0;
	int error = nft_permit_renew(nft, permit, TIMEOUT_MS);
	ck_assert_msg(error == 0, "round %d: renew: %s", round, strerror(-error));
	error = nft_permit_read(nft, permit, &left);
	ck_assert_msg(error == 0, "round %d: read: %s", round, strerror(-error));
	ck_assert_int_gt(left, TIMEOUT_MS / 2);
}

START_TEST(nothing_fails_while_others_change_nftables)
{
	struct fw_permit permit = sample_permit();
	struct err err = {0};
	struct nft *nft;
	site_open();
	build();
	run("nft", "add table inet y", NULL);
	pid_t program = start(disturb_by_program), socket = start(disturb_by_socket);
	ck_assert_msg(nft_open(&nft, &err) == 0, "%s", err.text);
	ck_assert_msg(nft_apply(nft, rulesets[0], NULL, 0, NULL, &err) == 0, "%s", err.text);
	ck_assert_int_eq(nft_permit_acquire(nft, &permit, TIMEOUT_MS), 0);
	int64_t start = wire_now_ms();
	for (int round = 1; round <= ROUNDS && (round <= ROUNDS_MIN || wire_now_ms() < start + ROUNDS_MS);
		round++) {
		const struct fw_ruleset *ruleset = rulesets[round / 10 % 2];
		int error = nft_apply(nft, ruleset, NULL, 0, NULL, &err);
		ck_assert_msg(error == 0, "round %d: %s", round, err.text);
		assert_in_place(nft, ruleset, round);
		assert_held(nft, &permit, round);
	}
	stop(program);
	stop(socket);
	nft_close(nft);
	fw_ruleset_free(rulesets[0]);
	fw_ruleset_free(rulesets[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nft-contention");
	TCase *tcase = tcase_create("contention");
	tcase_set_timeout(tcase, 280);
	tcase_add_test(tcase, nothing_fails_while_others_change_nftables);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
