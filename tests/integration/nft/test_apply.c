/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node-agent/io/nft/lease.h"
#include "node-agent/io/nft/nft.h"
#include "node-agent/io/nft/socket.h"
#include "node-agent/io/nft/watch.h"
#include "tests/integration/nft/site.h"
#include "tests/integration/nft/suite.h"
#include "tests/integration/nft/wire.h"
#include "tests/unit/firewall/sample.h"

static struct nft *nft;
static struct fw_ruleset *everything;
static struct fw_permit permit;

static void setup(void)
{
	struct firewall firewall = sample_gateway();
	struct err err;
	site_open();
	ck_assert_msg(nft_open(&nft, &err) == 0, "%s", err.text);
	everything = sample_build(&firewall);
	permit = sample_permit();
}

static void teardown(void)
{
	fw_ruleset_free(everything);
	nft_close(nft);
}

static bool apply(const struct fw_ruleset *ruleset)
{
	struct err err = {0};
	bool changed = false;
	ck_assert_msg(nft_apply(nft, ruleset, NULL, 0, &changed, &err) == 0, "%s", err.text);
	return changed;
}

static struct nft_difference observe(const struct fw_ruleset *ruleset)
{
	struct nft_difference difference;
	struct err err = {0};
	ck_assert_msg(nft_observe(nft, ruleset, &difference, &err) == 0, "%s", err.text);
	return difference;
}

static void assert_in_place(const struct fw_ruleset *ruleset)
{
	struct nft_difference difference = observe(ruleset);
	ck_assert_msg(!difference.differs, "%s", difference.what);
}

/* nft takes names of protocols from /etc/protocols, and prints numbers where that is missing. */
static void speak_as_here(char *text)
{
	const char *name = "l4proto udp", *number = "l4proto 17";
	for (char *at = text; !getprotobynumber(IPPROTO_UDP) && (at = strstr(at, name)); at++) {
		memcpy(at, number, strlen(number));
		memmove(at + strlen(number), at + strlen(name), strlen(at + strlen(name)) + 1);
	}
}

static void assert_lists_table(const struct fw_ruleset *ruleset, size_t index)
{
	struct fw_table *table = &ruleset->tables[index];
	struct fw_ruleset one = {.count = 1, .tables = table};
	strcpy(one.scope, ruleset->scope);
	char *expected = fw_ruleset_print(&one);
	speak_as_here(expected);
	char *listed = run_with_input(
		NULL, "nft", "-s", "list", "table", fw_family_name(table->family), table->name, NULL);
	if (strcmp(listed, expected) != 0) {
		fprintf(stderr, "%s was expected, nft lists:\n%s", expected, listed);
		ck_abort_msg("%s is listed otherwise", table->name);
	}
	free(listed);
	free(expected);
}

static void assert_lists(const struct fw_ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++)
		assert_lists_table(ruleset, i);
}

static int64_t left_ms(void)
{
	int64_t left = -1;
	ck_assert_int_eq(nft_permit_read(nft, &permit, &left), 0);
	return left;
}

START_TEST(what_is_applied_is_what_nft_lists)
{
	struct nft_difference before = observe(everything);
	ck_assert(before.differs && before.fence_missing);
	ck_assert(apply(everything));
	assert_lists(everything);
	assert_in_place(everything);
	ck_assert(!apply(everything));
}
END_TEST

START_TEST(a_saved_listing_loads_again)
{
	apply(everything);
	ck_assert_int_eq(nft_permit_acquire(nft, &permit, 60000), 0);
	char *saved = run_with_input(NULL, "nft", "list", "ruleset", NULL);
	run("nft", "flush", "ruleset", NULL);
	free(run_with_input(saved, "nft", "-f", "-", NULL));
	free(saved);
	assert_in_place(everything);
	ck_assert_int_gt(left_ms(), 0);
	ck_assert(!apply(everything));
}
END_TEST

/* Each of these is done behind our back; applying mends it and keeps the permits. */
static const char *const meddling[] = {
	"add rule inet holdfast fence_in ip daddr 10.9.0.100 accept",
	"insert rule inet holdfast fence_in accept",
	"flush chain inet holdfast fence_out",
	"flush chain arp holdfast input",
	"add chain inet holdfast other",
	"add chain inet holdfast own { type filter hook input priority 0; }; add rule inet holdfast own "
	"jump x",
	"add chain inet holdfast fence_in { policy drop; }",
	"delete table ip6 wg-quick-home",
	"add rule ip wg-quick-home preraw accept",
	"flush table inet holdfast; delete chain inet holdfast source; add chain inet holdfast source "
	"{ type filter hook output priority -100; }",
};

START_TEST(drift_is_seen_and_mended)
{
	const char *command = meddling[_i];
	apply(everything);
	ck_assert_int_eq(nft_permit_acquire(nft, &permit, 60000), 0);
	if (strstr(command, "jump x"))
		run("nft", "add chain inet holdfast x", NULL);
	free(run_with_input(command, "nft", "-f", "-", NULL));
	ck_assert_msg(observe(everything).differs, "not seen: %s", command);
	ck_assert(apply(everything));
	assert_in_place(everything);
	ck_assert_int_gt(left_ms(), 50000);
}
END_TEST

START_TEST(a_deleted_set_comes_back_closed_or_with_what_is_held)
{
	struct nft_seed seed = {permit, 30000};
	struct err err = {0};
	bool changed = false;
	apply(everything);
	ck_assert_int_eq(nft_permit_acquire(nft, &permit, 60000), 0);
	free(run_with_input("flush chain arp holdfast input; flush chain arp holdfast output;"
			    "delete set arp holdfast announce4",
		"nft", "-f", "-", NULL));
	struct nft_difference difference = observe(everything);
	ck_assert(difference.differs && difference.fence_missing);
	apply(everything);
	ck_assert_int_eq(left_ms(), 0);
	free(run_with_input("flush chain arp holdfast input; flush chain arp holdfast output;"
			    "delete set arp holdfast announce4",
		"nft", "-f", "-", NULL));
	ck_assert_msg(nft_apply(nft, everything, &seed, 1, &changed, &err) == 0, "%s", err.text);
	ck_assert_int_gt(left_ms(), 20000);
	ck_assert_int_le(left_ms(), 30000);
}
END_TEST

START_TEST(another_firewall_keeps_the_permits)
{
	struct firewall firewall = sample_gateway();
	apply(everything);
	ck_assert_int_eq(nft_permit_acquire(nft, &permit, 60000), 0);
	firewall.tunnel_count = 2;
	struct fw_ruleset *smaller = sample_build(&firewall);
	ck_assert(observe(smaller).differs); /* wg-quick's tables are left over */
	ck_assert(apply(smaller));
	assert_in_place(smaller);
	ck_assert_int_gt(left_ms(), 50000);
	fw_ruleset_free(smaller);
}
END_TEST

START_TEST(scopes_leave_each_other_alone)
{
	struct firewall firewall = sample_gateway();
	struct firewall_tunnel home = firewall.tunnels[2];
	struct err err = {0};
	home.masquerade_count = 0;
	struct firewall by_hand = {.scope = "up home", .tunnels = &home, .tunnel_count = 1};
	struct fw_ruleset *up = sample_build(&by_hand);
	firewall.tunnel_count = 2;
	struct fw_ruleset *agent = sample_build(&firewall);
	run("nft", "add table ip filter", NULL);
	apply(up);
	apply(agent);
	assert_in_place(up);
	ck_assert_msg(nft_remove(nft, "agent", &err) == 0, "%s", err.text);
	assert_in_place(up);
	ck_assert(observe(agent).fence_missing);
	ck_assert_msg(nft_remove(nft, "up home", &err) == 0, "%s", err.text);
	char *left = run_with_input(NULL, "nft", "list", "ruleset", NULL);
	ck_assert_str_eq(left, "table ip filter {\n}\n");
	ck_assert_int_eq(nft_remove(nft, "", &err), -EINVAL);
	free(left);
	fw_ruleset_free(up);
	fw_ruleset_free(agent);
}
END_TEST

/* From hand to hand: the rules are alike, the comment alone is not, and other tables without one stay. */
START_TEST(a_scope_takes_over_anothers_tables)
{
	struct firewall firewall = sample_gateway();
	struct firewall_tunnel home = firewall.tunnels[2];
	home.masquerade_count = 0;
	struct firewall nobodys = {.scope = "", .tunnels = &home, .tunnel_count = 1},
			ours = {.scope = "up home", .tunnels = &home, .tunnel_count = 1};
	struct fw_ruleset *before = sample_build(&nobodys), *after = sample_build(&ours);
	run("nft", "add table ip filter", NULL);
	apply(before);
	assert_in_place(before);
	assert_lists(before);
	ck_assert(observe(after).differs);
	ck_assert(apply(after));
	assert_in_place(after);
	assert_lists(after);
	ck_assert(observe(before).differs);
	ck_assert(apply(before));
	assert_in_place(before);
	assert_lists(before);
	run("nft", "delete table ip filter", NULL);
	fw_ruleset_free(before);
	fw_ruleset_free(after);
}
END_TEST

static enum nft_news next_news(struct nft_watch *watch)
{
	enum nft_news news = NFT_NEWS_NONE;
	int64_t end = wire_now_ms() + 5000;
	while (news == NFT_NEWS_NONE && wire_now_ms() < end && wire_wait(nft_watch_fd(watch), 100))
		news = nft_watch_read(watch);
	return news;
}

START_TEST(a_flush_by_others_is_noticed_and_undone)
{
	struct nft_seed seed = {permit, 60000};
	struct nft_watch *watch = NULL;
	struct err err = {0};
	ck_assert_msg(nft_watch_open(nft, &watch, &err) == 0, "%s", err.text);
	apply(everything);
	ck_assert_int_eq(nft_permit_acquire(nft, &permit, 60000), 0);
	ck_assert_int_eq(nft_permit_renew(nft, &permit, 60000), 0);
	ck_assert_msg(!wire_wait(nft_watch_fd(watch), 0), "our own changes wake us");
	run("nft", "add table ip filter", NULL);
	ck_assert_int_eq(nft_watch_read(watch), NFT_NEWS_OTHERS);
	run("nft", "flush ruleset", NULL);
	ck_assert_int_eq(next_news(watch), NFT_NEWS_GONE);
	ck_assert_int_eq(nft_permit_renew(nft, &permit, 60000), -ESTALE);
	ck_assert_msg(nft_apply(nft, everything, &seed, 1, NULL, &err) == 0, "%s", err.text);
	ck_assert_int_gt(left_ms(), 50000);
	ck_assert_int_eq(nft_permit_renew(nft, &permit, 60000), 0);
	run("nft", "add rule inet holdfast fence_in accept", NULL);
	ck_assert_int_eq(next_news(watch), NFT_NEWS_CHANGED);
	run("nft", "delete element arp holdfast announce4 { 10.9.0.100 }", NULL);
	ck_assert_int_eq(next_news(watch), NFT_NEWS_CHANGED);
	nft_watch_close(watch);
}
END_TEST

/* With handles and counters; without elements, whose time runs. */
static char *list(void)
{
	return run_with_input(NULL, "nft", "-a", "-t", "list", "ruleset", NULL);
}

static void assert_still_lists(char *before)
{
	char *now = list();
	ck_assert_str_eq(now, before);
	free(now);
	free(before);
}

/* Three packets from an address without a permit: the fence counts what it drops. */
static void make_it_count(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	site_join("eth7");
	run("ip", "addr", "add", "10.9.0.100/24", "dev", "eth7", NULL);
	inet_pton(AF_INET, "10.9.0.7", &to.sin_addr);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(sendto(fd, "", 1, 0, (struct sockaddr *)&to, sizeof to), -1);
	close(fd);
}

START_TEST(a_try_changes_nothing)
{
	struct firewall firewall = sample_gateway();
	struct nft_watch *watch = NULL;
	struct nft *other = NULL;
	struct err err = {0};
	firewall.tunnel_count = 2;
	struct fw_ruleset *smaller = sample_build(&firewall);
	apply(everything);
	make_it_count();
	ck_assert_int_eq(nft_permit_acquire(nft, &permit, 60000), 0);
	ck_assert_msg(nft_open(&other, &err) == 0, "%s", err.text);
	ck_assert_msg(nft_watch_open(other, &watch, &err) == 0, "%s", err.text); /* hears all but `other` */
	char *before = list();
	ck_assert_msg(strstr(before, "counter packets 3 ") != NULL, "nothing was counted");
	ck_assert(observe(smaller).differs);
	ck_assert_msg(nft_try(nft, smaller, &err) == 0, "%s", err.text);
	ck_assert_msg(nft_try(nft, everything, &err) == 0, "%s", err.text);
	assert_still_lists(before);
	ck_assert_msg(!wire_wait(nft_watch_fd(watch), 0), "others are told of a try");
	ck_assert_int_gt(left_ms(), 50000);
	ck_assert(apply(smaller));
	ck_assert_msg(wire_wait(nft_watch_fd(watch), 5000), "others are told of nothing");
	nft_watch_close(watch);
	nft_close(other);
	fw_ruleset_free(smaller);
}
END_TEST

static struct fw_ruleset *build_what_is_refused(void)
{
	struct firewall firewall = sample_gateway();
	struct fw_ruleset *ruleset = sample_build(&firewall);
	struct fw_chain *chain = &ruleset->tables[0].chains[1];
	for (size_t i = 0; i < chain->rules[1].count; i++)
		if (chain->rules[1].exprs[i].op == FW_OP_LOOKUP)
			strcpy(chain->rules[1].exprs[i].set, "nowhere");
	return ruleset;
}

START_TEST(a_refusal_names_what_was_refused)
{
	struct fw_ruleset *ruleset = build_what_is_refused();
	struct err tried = {0}, applied = {0};
	ck_assert_int_eq(nft_try(nft, ruleset, &tried), -EOPNOTSUPP);
	ck_assert_int_eq(nft_apply(nft, ruleset, NULL, 0, NULL, &applied), -EOPNOTSUPP);
	ck_assert_str_eq(tried.text,
		"the kernel refuses the firewall, a rule of chain fence_out in table inet holdfast: "
		"Operation "
		"not supported: its nftables lacks what that needs: install or load the modules (nft_fib, "
		"nft_ct, nft_nat, nft_masq)");
	ck_assert_str_eq(applied.text, tried.text);
	char *listed = list();
	ck_assert_str_eq(listed, "");
	free(listed);
	apply(everything);
	make_it_count();
	listed = list();
	ck_assert_int_eq(nft_try(nft, ruleset, &tried), -EOPNOTSUPP);
	assert_still_lists(listed);
	fw_ruleset_free(ruleset);
}
END_TEST

/* A table with an owner is gone with his socket, and nobody else may change it. */
static void own_table(struct nft *owner, uint16_t family, const char *name)
{
	struct nft_batch batch = {0};
	nft_batch_begin(&batch, owner);
	struct nlmsghdr *message = nft_batch_add(&batch, owner, NFT_MSG_NEWTABLE, family, NLM_F_CREATE);
	mnl_attr_put_strz(message, NFTA_TABLE_NAME, name);
	mnl_attr_put_u32(message, NFTA_TABLE_FLAGS, htonl(NFT_TABLE_F_OWNER));
	nft_batch_end(&batch, owner);
	ck_assert_int_eq(nft_commit(owner, &batch, NULL), 0);
	nft_batch_clear(&batch);
}

START_TEST(a_table_of_anothers_is_told_before_it_is_met)
{
	struct nft *owner = NULL;
	struct err err = {0};
	ck_assert_msg(nft_open(&owner, &err) == 0, "%s", err.text);
	own_table(owner, NFPROTO_IPV4, "wg-quick-home");
	char *listed = list();
	ck_assert_int_eq(nft_try(nft, everything, &err), -EPERM);
	ck_assert_str_eq(err.text,
		"the kernel refuses the firewall, table ip wg-quick-home: Operation not permitted: another "
		"program owns that table (nft list ruleset shows it with flags owner): end that program");
	assert_still_lists(listed);
	nft_close(owner);
	ck_assert_msg(nft_try(nft, everything, &err) == 0, "%s", err.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nft-apply");
	TCase *tcase = tcase_create("apply");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_is_applied_is_what_nft_lists);
	tcase_add_test(tcase, a_saved_listing_loads_again);
	tcase_add_loop_test(tcase, drift_is_seen_and_mended, 0, sizeof meddling / sizeof meddling[0]);
	tcase_add_test(tcase, a_deleted_set_comes_back_closed_or_with_what_is_held);
	tcase_add_test(tcase, another_firewall_keeps_the_permits);
	tcase_add_test(tcase, scopes_leave_each_other_alone);
	tcase_add_test(tcase, a_scope_takes_over_anothers_tables);
	tcase_add_test(tcase, a_flush_by_others_is_noticed_and_undone);
	tcase_add_test(tcase, a_try_changes_nothing);
	tcase_add_test(tcase, a_refusal_names_what_was_refused);
	tcase_add_test(tcase, a_table_of_anothers_is_told_before_it_is_met);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
