/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "node-agent/io/nft/groups.h"
#include "node-agent/io/nft/socket.h"
#include "tests/integration/nft/gateway.h"
#include "tests/integration/nft/suite.h"
#include "tests/integration/nft/wire.h"

/*
 * Peers of wg0 (a veth pair here: rules know an interface by its name), and what their groups let them reach of a LAN. Each
 * peer is an address of one client: whose packet it is follows from where it comes from.
 */
#define STAFF4 "10.50.0.2"
#define STAFF6 "fd50::2"
#define NOBODY4 "10.50.0.3" /* in no group */
#define BOTH4 "10.50.0.4"
#define INNER4 "10.50.77.5" /* in no group, inside the network of a peer of staff */
#define OUTER4 "10.50.77.6"
#define PRINTER4 "192.168.1.10" /* what staff may reach */
#define PRINTER6 "fd01::10"
#define SERVER4 "192.168.1.20" /* what admin may reach */
#define SERVER6 "fd01::20"

enum { PORT = 9000, REPLY_PORT = 9001, MANY = 20000 };

static struct site site;
static struct peer client, lan;
static struct nft *nft;
static struct desired *desired;

static void address(const struct peer *peer, const char *const *addresses, const char *const *awaited,
	const char *const routers[2])
{
	site_enter(peer->namespace);
	for (; *addresses; addresses++) {
		if (strchr(*addresses, ':'))
			run("ip", "addr", "add", *addresses, "dev", "eth0", "nodad", NULL);
		else
			run("ip", "addr", "add", *addresses, "dev", "eth0", NULL);
	}
	for (size_t i = 0; awaited[i]; i++)
		site_await_group("eth0", awaited[i]);
	run("ip", "route", "add", "default", "via", routers[0], NULL);
	run("ip", "-6", "route", "add", "default", "via", routers[1], NULL);
	site_enter(site.gateway);
}

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;

	ck_assert_int_eq(prefix_parse(text, &prefix, NULL), 0);
	return prefix;
}

static int compare_prefixes(const void *left, const void *right)
{
	return prefix_compare(left, right);
}

static struct prefix *prefixes_of(const char *const *texts, size_t *ret_count)
{
	struct prefix *prefixes = mem_new(8, sizeof(*prefixes));

	for (*ret_count = 0; texts[*ret_count]; (*ret_count)++)
		prefixes[*ret_count] = prefix_of(texts[*ret_count]);
	if (*ret_count)
		qsort(prefixes, *ret_count, sizeof(*prefixes), compare_prefixes);
	return prefixes;
}

static void add_group(const char *name, const char *const *may_reach)
{
	struct desired_group *group = &desired->groups[desired->group_count++];

	(void)snprintf(group->name, sizeof(group->name), "%s", name);
	group->may_reach = prefixes_of(may_reach, &group->may_reach_count);
}

static void add_peer(const char *groups, const char *const *allowed_ips)
{
	struct desired_peer *peer = &desired->peers[desired->peer_count];

	(void)snprintf(peer->tunnel, sizeof(peer->tunnel), "wg0");
	memcpy(peer->public_key.bytes, &desired->peer_count, sizeof(desired->peer_count));
	peer->groups = mem_text(groups);
	peer->allowed_ips = prefixes_of(allowed_ips, &peer->allowed_ip_count);
	desired->peer_count++;
}

static void desire(void)
{
	desired = desired_new();
	desired->tunnels = mem_new(1, sizeof(*desired->tunnels));
	desired->tunnel_count = 1;
	(void)snprintf(desired->tunnels[0].name, sizeof(desired->tunnels[0].name), "wg0");
	desired->groups = mem_new(2, sizeof(*desired->groups));
	desired->peers = mem_new(MANY + 10, sizeof(*desired->peers));
	add_group("admin", (const char *const[]){SERVER4 "/32", SERVER6 "/128", NULL});
	add_group("staff", (const char *const[]){PRINTER4 "/32", PRINTER6 "/128", NULL});
	add_peer("staff", (const char *const[]){STAFF4 "/32", STAFF6 "/128", NULL});
	add_peer(NULL, (const char *const[]){NOBODY4 "/32", NULL});
	add_peer("admin,staff", (const char *const[]){BOTH4 "/32", NULL});
	add_peer("staff", (const char *const[]){"10.50.77.0/24", NULL});
	add_peer(NULL, (const char *const[]){INNER4 "/32", NULL});
}

/* For what needs no packets. */
static void open_gateway(void)
{
	struct err err = {0};

	site = site_open();
	ck_assert_msg(nft_open(&nft, &err) == 0, "%s", err.text);
	desire();
}

static void setup(void)
{
	static const char *const of_client[] = {
		STAFF4 "/16", NOBODY4 "/16", BOTH4 "/16", INNER4 "/16", OUTER4 "/16", STAFF6 "/64", NULL};
	static const char *const of_lan[] = {
		PRINTER4 "/24", SERVER4 "/24", PRINTER6 "/64", SERVER6 "/64", NULL};

	open_gateway();
	site_keep_order();
	client = site_join("wg0");
	lan = site_join("lan0");
	run("ip", "addr", "add", "10.50.0.1/16", "dev", "wg0", NULL);
	run("ip", "addr", "add", "fd50::1/64", "dev", "wg0", "nodad", NULL);
	run("ip", "addr", "add", "192.168.1.1/24", "dev", "lan0", NULL);
	run("ip", "addr", "add", "fd01::1/64", "dev", "lan0", "nodad", NULL);
	write_sysctl("ipv4/ip_forward", "1");
	write_sysctl("ipv6/conf/all/forwarding", "1");
	address(&client, of_client, (const char *const[]){STAFF6, NULL},
		(const char *const[]){"10.50.0.1", "fd50::1"});
	address(&lan, of_lan, (const char *const[]){PRINTER6, SERVER6, NULL},
		(const char *const[]){"192.168.1.1", "fd01::1"});
	site_await_group("wg0", "fd50::1");
	site_await_group("lan0", "fd01::1");
}

static void teardown(void)
{
	nft_close(nft);
	desired_free(desired);
}

static struct reach *make(void)
{
	struct reach *reach;
	struct err err = {0};

	ck_assert_msg(reach_from_desired(desired, &reach, &err) == 0, "%s", err.text);
	return reach;
}

static void apply(const struct reach *from, const struct reach *to)
{
	struct err err = {0};

	ck_assert_msg(nft_reach_apply(nft, from, to, &err) == 0, "%s", err.text);
}

static uint8_t family_of(const char *text)
{
	return strchr(text, ':') ? AF_INET6 : AF_INET;
}

static int udp_in(const struct peer *peer, const char *address, uint16_t port)
{
	int fd;

	site_enter(peer->namespace);
	fd = wire_udp(family_of(address), address, port, 0);
	site_enter(site.gateway);
	return fd;
}

/* Does a datagram from one get to the other? After it comes one that does not pass through the gateway. */
static bool passes(const struct peer *from_peer, const char *from, const struct peer *to_peer, const char *to)
{
	int sends = udp_in(from_peer, from, PORT), hears = udp_in(to_peer, to, PORT);
	int marks = udp_in(to_peer, to, REPLY_PORT);
	struct endpoint sender;
	char text[16];
	bool came;

	ck_assert_int_eq(wire_send(sends, to, PORT, "through"), 0);
	(void)wire_send(marks, to, PORT, "beside");
	ck_assert(wire_receive(hears, text, sizeof(text), &sender, SOON_MS));
	came = !strcmp(text, "through");
	if (!came) { /* dropped ones go no further than the rule: what is to come would have come before another round trip */
		(void)wire_send(marks, to, PORT, "beside");
		ck_assert(wire_receive(hears, text, sizeof(text), &sender, SOON_MS));
		came = !strcmp(text, "through");
	}
	close(sends);
	close(hears);
	close(marks);
	return came;
}

static bool reaches(const char *from, const char *to)
{
	return passes(&client, from, &lan, to);
}

static void acquaint_one(const char *from, const char *to)
{
	int64_t until_ms = wire_now_ms() + SOON_MS;

	while (!reaches(from, to))
		ck_assert_int_lt(wire_now_ms(), until_ms);
}

/* The neighbours are known, so that no packet waits for a question. */
static void acquaint(void)
{
	static const char *const froms[] = {STAFF4, NOBODY4, BOTH4, INNER4, OUTER4};

	for (size_t i = 0; i < ARRAY_COUNT(froms); i++) {
		acquaint_one(froms[i], PRINTER4);
		acquaint_one(froms[i], SERVER4);
	}
	acquaint_one(STAFF6, PRINTER6);
	acquaint_one(STAFF6, SERVER6);
	ck_assert(passes(&lan, SERVER4, &client, STAFF4));
}

START_TEST(a_peer_reaches_what_its_groups_may)
{
	struct reach *reach = make();

	acquaint();
	apply(NULL, reach);
	ck_assert(reaches(STAFF4, PRINTER4));
	ck_assert(!reaches(STAFF4, SERVER4));
	ck_assert(reaches(STAFF6, PRINTER6));
	ck_assert(!reaches(STAFF6, SERVER6));
	ck_assert(reaches(BOTH4, PRINTER4));
	ck_assert(reaches(BOTH4, SERVER4));
	ck_assert(reaches(NOBODY4, SERVER4));
	ck_assert(reaches(INNER4, SERVER4));
	ck_assert(!reaches(OUTER4, SERVER4));
	ck_assert(reaches(OUTER4, PRINTER4));
	reach_free(reach);
}
END_TEST

START_TEST(an_answer_passes_and_what_is_dropped_is_counted)
{
	struct reach *reach = make();
	char *listing;

	acquaint();
	apply(NULL, reach);
	ck_assert(!reaches(STAFF4, SERVER4));
	ck_assert(passes(&lan, SERVER4, &client, STAFF4));
	ck_assert(reaches(STAFF4, SERVER4)); /* the same ports the other way round: the answer */
	listing = run_with_input(NULL, "nft", "list", "chain", "inet", "holdfast_groups", "forward", NULL);
	ck_assert_msg(strstr(listing, "ip saddr @from4.wg0.staff counter packets 1 ") != NULL, "%s", listing);
	free(listing);
	reach_free(reach);
}
END_TEST

START_TEST(a_change_is_a_change_of_elements)
{
	struct reach *before = make(), *after;

	acquaint();
	apply(NULL, before);
	ck_assert(!reaches(STAFF4, SERVER4));
	free(desired->peers[0].groups);
	desired->peers[0].groups = mem_text("admin");
	after = make();
	ck_assert(reach_same_rules(before, after));
	apply(before, after);
	ck_assert(reaches(STAFF4, SERVER4));
	ck_assert(!reaches(STAFF4, PRINTER4));
	reach_free(before);
	for (size_t i = 0; i < desired->peer_count; i++) {
		free(desired->peers[i].groups);
		desired->peers[i].groups = NULL;
	}
	before = after;
	after = make();
	apply(before, after);
	ck_assert_int_ne(run_status("nft", "list", "table", "inet", "holdfast_groups", NULL), 0);
	ck_assert(reaches(STAFF4, PRINTER4));
	reach_free(before);
	reach_free(after);
}
END_TEST

/* While peers make way for others: who is to go is held to what he might reach, until he has gone. */
START_TEST(who_goes_stays_in_bounds_until_then)
{
	struct reach *before = make(), *between, *after;

	acquaint();
	apply(NULL, before);
	free(desired->peers[0].groups);
	desired->peers[0].groups = NULL;
	after = make();
	between = reach_between(before, after);
	ck_assert(reach_same_rules(before, between));
	apply(before, between);
	ck_assert(!reaches(STAFF4, SERVER4));
	ck_assert(reaches(STAFF4, PRINTER4));
	ck_assert(!reaches(STAFF6, SERVER6));
	apply(between, after);
	ck_assert(reaches(STAFF4, SERVER4));
	reach_free(before);
	reach_free(between);
	/* The last ones, and with them the rules. */
	before = after;
	for (size_t i = 0; i < desired->peer_count; i++) {
		free(desired->peers[i].groups);
		desired->peers[i].groups = NULL;
	}
	after = make();
	between = reach_between(before, after);
	apply(before, between);
	ck_assert(!reaches(OUTER4, SERVER4));
	ck_assert(reaches(OUTER4, PRINTER4));
	ck_assert(reaches(BOTH4, SERVER4));
	apply(between, after);
	ck_assert(reaches(OUTER4, SERVER4));
	reach_free(before);
	reach_free(between);
	reach_free(after);
}
END_TEST

/* From nothing, by elements, and anew: tried before, and nothing comes of it. */
START_TEST(a_try_changes_nothing)
{
	struct reach *before = make(), *after;
	struct err err = {0};
	char *was, *is;

	ck_assert_msg(nft_reach_try(nft, NULL, before, &err) == 0, "%s", err.text);
	was = run_with_input(NULL, "nft", "list", "ruleset", NULL);
	ck_assert_str_eq(was, "");
	free(was);
	acquaint();
	apply(NULL, before);
	ck_assert(!reaches(STAFF4, SERVER4));
	was = run_with_input(NULL, "nft", "-a", "list", "ruleset", NULL);
	free(desired->peers[0].groups);
	desired->peers[0].groups = mem_text("admin");
	after = make();
	ck_assert_msg(nft_reach_try(nft, before, after, &err) == 0, "%s", err.text);
	ck_assert_msg(nft_reach_try(nft, NULL, after, &err) == 0, "%s", err.text);
	is = run_with_input(NULL, "nft", "-a", "list", "ruleset", NULL);
	ck_assert_str_eq(is, was);
	run("nft", "delete", "table", "inet", "holdfast_groups", NULL);
	/* Elements of sets that are gone cannot change: it is the whole that is tried. */
	ck_assert_msg(nft_reach_try(nft, before, after, &err) == 0, "%s", err.text);
	free(was);
	free(is);
	reach_free(before);
	reach_free(after);
}
END_TEST

/* Somebody has taken elements away: what was thought to be there is not, and the table is made anew. */
START_TEST(what_others_changed_is_made_anew)
{
	struct reach *before = make(), *after;

	acquaint();
	apply(NULL, before);
	run("nft", "flush", "set", "inet", "holdfast_groups", "from4.wg0.staff", NULL);
	ck_assert(reaches(STAFF4, SERVER4));
	free(desired->peers[0].groups);
	desired->peers[0].groups = mem_text("admin");
	after = make();
	apply(before, after);
	ck_assert(!reaches(OUTER4, SERVER4));
	ck_assert(reaches(BOTH4, SERVER4));
	reach_free(before);
	reach_free(after);
}
END_TEST

START_TEST(a_listing_loads_again)
{
	struct reach *reach = make();
	char *listing;

	apply(NULL, reach);
	listing = run_with_input(NULL, "nft", "list", "table", "inet", "holdfast_groups", NULL);
	run("nft", "delete", "table", "inet", "holdfast_groups", NULL);
	free(run_with_input(listing, "nft", "-f", "-", NULL));
	free(listing);
	reach_free(reach);
}
END_TEST

/* As many as there is time for; the batch of the one that changes is the same with 100,000, and as small. */
START_TEST(one_of_many_is_a_small_change)
{
	struct reach *before, *after;
	char text[32];
	int64_t start_ms, loaded_ms, changed_ms;

	for (size_t i = 0; i < MANY; i++) {
		/* Apart from each other, or they would be one range. */
		(void)snprintf(
			text, sizeof(text), "10.%zu.%zu.%zu/32", 64 + (i >> 15), i >> 7 & 255, (i & 127) * 2);
		add_peer("staff", (const char *const[]){text, NULL});
	}
	before = make();
	start_ms = wire_now_ms();
	apply(NULL, before);
	loaded_ms = wire_now_ms();
	free(desired->peers[MANY / 2].groups);
	desired->peers[MANY / 2].groups = NULL;
	after = make();
	changed_ms = wire_now_ms();
	apply(before, after);
	printf("%d peers in a group: loaded in %" PRId64 " ms, the change of one made in %" PRId64
	       " ms, applied in %" PRId64 " ms\n",
		MANY, loaded_ms - start_ms, changed_ms - loaded_ms, wire_now_ms() - changed_ms);
	/* Begin, an element and its end out, end. */
	ck_assert_uint_lt(nft->batch.length, 512);
	reach_free(before);
	reach_free(after);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("groups");
	TCase *tcase = tcase_create("groups"), *rules = tcase_create("rules");

	tcase_set_timeout(tcase, 240);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_peer_reaches_what_its_groups_may);
	tcase_add_test(tcase, an_answer_passes_and_what_is_dropped_is_counted);
	tcase_add_test(tcase, a_change_is_a_change_of_elements);
	tcase_add_test(tcase, who_goes_stays_in_bounds_until_then);
	tcase_add_test(tcase, what_others_changed_is_made_anew);
	tcase_add_test(tcase, a_try_changes_nothing);
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(rules, 240);
	tcase_add_checked_fixture(rules, open_gateway, teardown);
	tcase_add_test(rules, a_listing_loads_again);
	tcase_add_test(rules, one_of_many_is_a_small_change);
	suite_add_tcase(suite, rules);
	return suite_run(suite);
}
