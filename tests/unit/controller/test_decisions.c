/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io/clock.h"
#include "controller/io/agents/registry.h"
#include "controller/io/apply/holding.h"
#include "controller/io/controller.h"
#include "scratch.h"

/* The machines are tested in tests/unit/ownership; here, that what they decide gets out, and what is asked gets an answer. */

enum { PATIENCE_MS = 5000 };

static struct scratch scratch;
static struct event_base *base;
static struct store *store;
static struct journal *journal;
static struct decisions *decisions;

static struct order last_order[2]; /* for gw-a, gw-b */
static int order_count;
static uint32_t claimed;
static bool claim_at_once;

static size_t number_of(const char *gateway)
{
	return strcmp(gateway, "gw-a") == 0 ? 0 : 1;
}

static void on_order(const char *gateway, const struct order *order, void *context)
{
	ck_assert_ptr_eq(context, &order_count);
	last_order[number_of(gateway)] = *order;
	order_count++;
}

static void on_claim(uint32_t term, void *context)
{
	(void)context;
	claimed = term;
	if (claim_at_once)
		decisions_claimed(decisions, term, true);
}

static struct claim granted;
static int grant_count;

static void on_grant(const char *via, const struct claim *claim, void *context)
{
	(void)context;
	ck_assert_str_eq(via, "gw-b");
	granted = *claim;
	grant_count++;
}

static struct decisions_endpoint vpn(void)
{
	struct decisions_endpoint endpoint = {.config = {.name = "vpn",
						      .lease_ms = 3000,
						      .preempt_ms = -1,
						      .member_count = 2,
						      .members = {"gw-a", "gw-b"}},
		.tunnel_count = 1,
		.tunnels = {"wg0"}};
	return endpoint;
}

static void setup(void)
{
	struct decisions_hooks hooks = {
		.order = on_order, .grant = on_grant, .claim = on_claim, .context = &order_count};
	struct decisions_endpoint endpoint = vpn();
	scratch_make(&scratch);
	base = event_base_new();
	memset(last_order, 0, sizeof last_order);
	order_count = 0;
	claim_at_once = true;
	ck_assert_int_eq(store_open(scratch_path(&scratch, "controller.db"), &store, NULL), 0);
	ck_assert_int_eq(journal_new(base, store, &journal, NULL), 0);
	decisions = decisions_new(base, journal, 41, &hooks);
	decisions_start(decisions);
	decisions_set_endpoints(decisions, &endpoint, 1);
}

static void teardown(void)
{
	decisions_free(decisions);
	journal_free(journal);
	store_close(store);
	event_base_free(base);
	scratch_remove(&scratch);
}

/* The simulated gateway serves what it was ordered to, and says so. */
static void speak(const char *gateway)
{
	const struct order *order = &last_order[number_of(gateway)];
	struct seat_state seat = {.endpoint = "vpn", .highest = order->epoch};
	if (strcmp(order->owner, gateway) == 0) {
		seat.role = SEAT_SERVING;
		seat.epoch = order->epoch;
		seat.permit_left_ms = 3000;
	} else {
		seat.released = order->epoch;
	}
	decisions_verdict(decisions, gateway, VERDICT_ALIVE, clock_now_ms());
	decisions_seat(decisions, gateway, &seat);
	decisions_fitness(decisions, gateway, &(struct report){.fit = true}, NULL);
}

static void on_pulse(evutil_socket_t fd, short what, void *context)
{
	const char *const *speakers = context;
	(void)fd;
	(void)what;
	for (; *speakers; speakers++)
		speak(*speakers);
}

static const char *owner(void)
{
	const struct ownership *ownership = decisions_find(decisions, "vpn");
	return ownership->phase == OWNERSHIP_STABLE ? ownership->config.members[ownership->owner] : "";
}

static const char *const both[] = {"gw-a", "gw-b", NULL}, *const only_b[] = {"gw-b", NULL};

/* Gateways speak every 10 ms until the owner is another. */
static void run_until_owner(const char *wanted, const char *const *speakers)
{
	struct event *pulse = event_new(base, -1, EV_PERSIST, on_pulse, (void *)(uintptr_t)speakers);
	int64_t end_ms = clock_now_ms() + PATIENCE_MS;
	event_add(pulse, &(struct timeval){.tv_usec = 10000});
	while (strcmp(owner(), wanted) != 0 && clock_now_ms() < end_ms)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(pulse);
	ck_assert_str_eq(owner(), wanted);
}

START_TEST(the_first_term_is_above_the_stored_and_the_clock)
{
	int64_t seconds = (clock_wall_ms() - 1735689600000) / 1000;
	ck_assert_uint_gt(claimed, 41);
	ck_assert_int_ge(claimed, seconds);
	ck_assert_uint_eq(decisions_term(decisions), claimed);
}
END_TEST

START_TEST(a_first_owner_is_named_to_all)
{
	run_until_owner("gw-a", both);
	ck_assert_str_eq(last_order[0].owner, "gw-a");
	ck_assert_str_eq(last_order[1].owner, "gw-a");
	ck_assert_str_eq(last_order[1].cause, "first");
	ck_assert_uint_eq(last_order[0].epoch.term, claimed);
}
END_TEST

START_TEST(a_death_is_an_order_before_the_call_returns)
{
	run_until_owner("gw-a", both);
	struct epoch before = last_order[1].epoch;
	decisions_verdict(decisions, "gw-a", VERDICT_DEAD, clock_now_ms());
	ck_assert_str_eq(last_order[1].owner, "gw-b");
	ck_assert_str_eq(last_order[1].from, "gw-a");
	ck_assert_str_eq(last_order[1].cause, "host-dead");
	ck_assert_int_gt(epoch_compare(&last_order[1].epoch, &before), 0);
	run_until_owner("gw-b", only_b);
}
END_TEST

START_TEST(a_takers_result_is_told)
{
	run_until_owner("gw-a", both);
	struct takeover takeover = {.endpoint = "vpn",
		.epoch = last_order[0].epoch,
		.sessions = 3,
		.back = 3,
		.took_ms = 39,
		.over = true};
	uint64_t before = journal_newest(journal);
	decisions_takeover(decisions, "gw-b", &takeover); /* not the taker */
	ck_assert_uint_eq(journal_newest(journal), before);
	decisions_takeover(decisions, "gw-a", &takeover);
	decisions_takeover(decisions, "gw-a", &takeover); /* told once */
	char *text = journal_answer(journal, before, 10);
	ck_assert_ptr_nonnull(strstr(text, "\"event\":\"takeover\""));
	ck_assert_ptr_nonnull(strstr(text, "\"took_ms\":39"));
	ck_assert_uint_eq(journal_newest(journal), before + 1);
	free(text);
}
END_TEST

/* It was taken while no controller lived, and is told by one that is back. */
START_TEST(a_succession_is_told)
{
	struct takeover takeover = {.endpoint = "vpn",
		.epoch = {7, 3, 1},
		.from = "gw-a",
		.cause = "no-controller",
		.detect_ms = 460,
		.sessions = 2,
		.back = 2,
		.took_ms = 9,
		.over = true};
	uint64_t before = journal_newest(journal);

	decisions_takeover(decisions, "gw-b", &takeover);
	decisions_takeover(decisions, "gw-b", &takeover); /* told once */
	ck_assert_uint_eq(journal_newest(journal), before + 1);
	char *text = journal_answer(journal, before, 10);
	ck_assert_ptr_nonnull(strstr(text, "\"cause\":\"no-controller\""));
	ck_assert_ptr_nonnull(strstr(text, "\"epoch\":\"7.3.1\""));
	ck_assert_ptr_nonnull(strstr(text, "\"from\":\"gw-a\""));
	ck_assert_ptr_nonnull(strstr(text, "\"to\":\"gw-b\""));
	ck_assert_ptr_nonnull(strstr(text, "\"back\":2"));
	ck_assert_int_eq(order_count, 0);
	free(text);
}
END_TEST

START_TEST(a_claim_is_granted_by_the_way_that_it_came)
{
	struct decisions_endpoint endpoint = vpn();
	struct claim claim = {.endpoint = "vpn", .gateway = "gw-a", .serves = true, .nonce = {7, 1}};
	struct err err = {0};
	endpoint.config.exclusive = true;
	decisions_set_endpoints(decisions, NULL, 0);
	decisions_set_endpoints(decisions, &endpoint, 1);
	grant_count = 0;
	claim.epoch = (struct epoch){.term = 90000000, .n = 1};
	claim.terms = decisions_ownership(decisions, 0)->terms;
	decisions_claim(decisions, "gw-x", &claim); /* of no pool */
	ck_assert_int_eq(grant_count, 0);
	decisions_claim(decisions, "gw-b", &claim); /* gw-a serves, says gw-b, while we listen */
	ck_assert_int_eq(grant_count, 1);
	ck_assert_str_eq(granted.gateway, "gw-a");
	ck_assert_uint_eq(granted.nonce.boot, 7);
	claim.terms++;
	decisions_claim(decisions, "gw-b", &claim);
	strcpy(claim.endpoint, "other");
	decisions_claim(decisions, "gw-b", &claim);
	ck_assert_int_eq(grant_count, 1);
	ck_assert_uint_eq(decisions_grant_count(decisions), 1);
	ck_assert_int_eq(decisions_check(decisions, &endpoint, 1, &err), 0);
	strcpy(endpoint.config.members[0], "gw-x");
	strcpy(endpoint.config.members[1], "gw-y");
	ck_assert_int_eq(decisions_check(decisions, &endpoint, 1, &err), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err.text, "has to stay"));
}
END_TEST

START_TEST(orders_are_repeated_on_demand)
{
	decisions_repeat_orders(decisions, "gw-a");
	ck_assert_int_eq(order_count, 0);
	run_until_owner("gw-a", both);
	memset(last_order, 0, sizeof last_order);
	decisions_repeat_orders(decisions, "gw-b");
	ck_assert_str_eq(last_order[1].owner, "gw-a");
	ck_assert_str_eq(last_order[0].owner, "");
}
END_TEST

/* FAILOVER rule 10: the floor rose after gw-b was ordered, and before it connects. */
START_TEST(no_order_is_repeated_to_whom_the_floor_bars)
{
	decisions_generation(decisions, "gw-a", 6);
	decisions_generation(decisions, "gw-b", 6);
	run_until_owner("gw-a", both);
	decisions_verdict(decisions, "gw-a", VERDICT_DEAD, clock_now_ms());
	ck_assert_str_eq(last_order[1].owner, "gw-b");
	decisions_set_floor(decisions, 7);
	memset(last_order, 0, sizeof last_order);
	decisions_repeat_orders(decisions, "gw-b");
	ck_assert_str_eq(last_order[1].owner, "");
	decisions_repeat_orders(decisions, "gw-a"); /* it hears that it owns it no more */
	ck_assert_str_eq(last_order[0].owner, "gw-b");
	decisions_generation(decisions, "gw-b", 7);
	decisions_repeat_orders(decisions, "gw-b");
	ck_assert_str_eq(last_order[1].owner, "gw-b");
}
END_TEST

static void nothing(struct agent *agent, void *context)
{
	(void)agent;
	(void)context;
}

/* ... and no beat has said yet that gw-b holds the newest generation, when its report does. */
START_TEST(an_order_is_repeated_to_whom_a_report_makes_current)
{
	struct generation_gateway gateway = {.name = "gw-b", .hash = "abc"};
	struct generation generation = {.number = 7, .gateway_count = 1, .gateways = &gateway};
	struct controller controller = {.decisions = decisions, .current = &generation, .floor = 7};
	struct holding holding = {.state = HOLDING_COMMITTING, .generation = 7};
	struct agents *agents = agents_new(base, 1, 2,
		&(struct agents_hooks){.added = nothing, .removed = nothing, .disconnected = nothing});
	struct agent *gw_b = agents_admit(agents, "gw-b");

	decisions_generation(decisions, "gw-b", 6);
	run_until_owner("gw-a", both);
	decisions_verdict(decisions, "gw-a", VERDICT_DEAD, clock_now_ms());
	decisions_set_floor(decisions, 7);
	memset(last_order, 0, sizeof last_order);
	gw_b->holding = &holding;
	gw_b->connected = gw_b->reported = true;
	gw_b->report.generation = 7;
	strcpy(gw_b->report.hash, "abc");
	holding_sync(&controller, gw_b);
	ck_assert_int_eq(holding.state, HOLDING_CURRENT);
	ck_assert_str_eq(last_order[1].owner, "gw-b");
	agents_free(agents);
}
END_TEST

/* By the word of gw-b, a member; another's is worth nothing. */
START_TEST(an_owner_that_let_go_by_others_word_is_followed)
{
	struct hearsay heard = {.gateway = "gw-a", .seat = {.endpoint = "vpn", .role = SEAT_FENCED}};
	run_until_owner("gw-a", both);
	heard.seat.epoch = heard.seat.highest = heard.seat.released = last_order[0].epoch;
	decisions_relayed(decisions, "gw-x", &heard);
	ck_assert_str_eq(last_order[1].owner, "gw-a");
	strcpy(heard.seat.endpoint, "lan"); /* which there is not */
	decisions_relayed(decisions, "gw-b", &heard);
	ck_assert_str_eq(last_order[1].owner, "gw-a");
	strcpy(heard.seat.endpoint, "vpn");
	decisions_relayed(decisions, "gw-b", &heard); /* but it has just said itself that it serves */
	ck_assert_str_eq(last_order[1].owner, "gw-a");
	decisions_verdict(decisions, "gw-a", VERDICT_SUSPECT, clock_now_ms());
	decisions_relayed(decisions, "gw-b", &heard);
	ck_assert_str_eq(last_order[1].owner, "gw-b");
	ck_assert_str_eq(last_order[1].cause, "fenced");
}
END_TEST

struct answer {
	int count, r;
	char text[256];
};

static void on_answer(int r, const char *text, void *context)
{
	struct answer *answer = context;
	answer->count++;
	answer->r = r;
	snprintf(answer->text, sizeof answer->text, "%s", text);
}

START_TEST(a_move_is_answered_when_it_is_done)
{
	struct answer answer = {0};
	struct wish *wish = NULL;
	run_until_owner("gw-a", both);
	ck_assert_int_eq(decisions_move(decisions, "vpn", "gw-b", on_answer, &answer, &wish, NULL), 0);
	ck_assert_str_eq(last_order[0].guest, "gw-b");
	ck_assert_int_eq(answer.count, 0);
	run_until_owner("gw-b", both);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(answer.count, 1);
	ck_assert_msg(answer.r == 0, "%s", answer.text);
}
END_TEST

START_TEST(a_move_that_cannot_be_says_why)
{
	struct answer answer = {0};
	struct wish *wish = NULL;
	struct err err = {0};
	run_until_owner("gw-a", both);
	ck_assert_int_eq(decisions_move(decisions, "vpm", "gw-b", on_answer, &answer, &wish, &err), -ENOENT);
	ck_assert_str_eq(err.text, "no endpoint \"vpm\" in the fleet");
	ck_assert_int_eq(decisions_move(decisions, "vpn", "gw-c", on_answer, &answer, &wish, &err), -ENOENT);
	ck_assert_int_eq(
		decisions_move(decisions, "vpn", "gw-a", on_answer, &answer, &wish, &err), -EALREADY);
	decisions_fitness(
		decisions, "gw-b", &(struct report){.fit = true}, "does not hold the newest generation");
	ck_assert_int_lt(decisions_move(decisions, "vpn", "gw-b", on_answer, &answer, &wish, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "does not hold the newest generation"));
	ck_assert_ptr_null(wish);
	ck_assert_int_eq(answer.count, 0);
}
END_TEST

START_TEST(an_obstacle_leaves_an_owner_alone)
{
	run_until_owner("gw-a", both);
	decisions_fitness(decisions, "gw-a", &(struct report){.fit = true}, "not connected");
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_str_eq(last_order[1].owner, "gw-a");
	ck_assert_str_eq(owner(), "gw-a");
}
END_TEST

START_TEST(a_drain_is_answered_when_nothing_is_left)
{
	struct answer answer = {0};
	run_until_owner("gw-a", both);
	decisions_set_drained(decisions, "gw-a", true);
	ck_assert(decisions_is_drained(decisions, "gw-a"));
	decisions_await_drained(decisions, "gw-a", on_answer, &answer);
	ck_assert_int_eq(answer.count, 0);
	run_until_owner("gw-b", both);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(answer.count, 1);
	ck_assert_msg(answer.r == 0, "%s", answer.text);
	decisions_set_drained(decisions, "gw-a", false);
	ck_assert(!decisions_is_drained(decisions, "gw-a"));
}
END_TEST

START_TEST(a_drain_with_nowhere_to_go_says_so)
{
	struct answer answer = {0};
	run_until_owner("gw-a", both);
	decisions_fitness(decisions, "gw-b",
		&(struct report){.reason_count = 1, .reasons = {"no carrier on ens3"}}, NULL);
	decisions_set_drained(decisions, "gw-a", true);
	decisions_await_drained(decisions, "gw-a", on_answer, &answer);
	int64_t end_ms = clock_now_ms() + PATIENCE_MS;
	while (!answer.count && clock_now_ms() < end_ms)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_int_eq(answer.r, -EHOSTDOWN);
	ck_assert_ptr_nonnull(strstr(answer.text, "no carrier on ens3"));
}
END_TEST

START_TEST(a_wish_can_be_given_up)
{
	struct answer answer = {0};
	struct wish *wish = NULL;
	run_until_owner("gw-a", both);
	ck_assert_int_eq(decisions_move(decisions, "vpn", "gw-b", on_answer, &answer, &wish, NULL), 0);
	wish_cancel(wish);
	run_until_owner("gw-b", both);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_int_eq(answer.count, 0);
}
END_TEST

START_TEST(settings_hold_for_a_new_generation)
{
	struct decisions_endpoint endpoints[2] = {vpn(), vpn()};
	strcpy(endpoints[1].config.name, "lan");
	decisions_set_drained(decisions, "gw-b", true);
	decisions_set_frozen(decisions, true);
	decisions_set_endpoints(decisions, endpoints, 2);
	const struct ownership *lan = decisions_find(decisions, "lan");
	ck_assert(lan->members[1].drained);
	ck_assert(lan->frozen);
	decisions_set_endpoints(decisions, endpoints, 1);
	ck_assert_ptr_null(decisions_find(decisions, "lan"));
	ck_assert_ptr_nonnull(decisions_of_tunnel(decisions, "wg0"));
	ck_assert_ptr_null(decisions_of_tunnel(decisions, "wg1"));
}
END_TEST

START_TEST(a_higher_term_that_is_heard_is_topped)
{
	struct seat_state seat = {.endpoint = "vpn", .highest = {.term = claimed + 1000, .n = 5}};
	decisions_seat(decisions, "gw-b", &seat);
	ck_assert_uint_gt(claimed, seat.highest.term);
	run_until_owner("gw-a", both);
	ck_assert_uint_eq(last_order[0].epoch.term, claimed);
}
END_TEST

/* Another controller on the same store. */
static void restart(void)
{
	struct decisions_hooks hooks = {
		.order = on_order, .grant = on_grant, .claim = on_claim, .context = &order_count};
	struct decisions_endpoint endpoint = vpn();

	decisions_free(decisions);
	decisions = decisions_new(base, journal, claimed, &hooks);
	decisions_start(decisions);
	decisions_set_endpoints(decisions, &endpoint, 1);
}

static void note_order(const char *from, const char *to, const char *cause)
{
	journal_add(journal, &(struct journal_entry){.event = "order",
				     .text = "vpn goes",
				     .endpoint = "vpn",
				     .from = from,
				     .to = to,
				     .cause = cause});
}

static bool is_held_down(const char *gateway)
{
	const struct ownership *ownership = decisions_find(decisions, "vpn");

	return !ownership_is_first_choice(
		ownership, ownership_find(ownership, gateway), clock_now_ms(), NULL);
}

START_TEST(who_was_held_down_still_is)
{
	for (int i = 0; i < HOLDDOWN_LOSSES - 1; i++)
		note_order("gw-a", "gw-b", "host-dead");
	restart();
	ck_assert(!is_held_down("gw-a"));
	note_order("gw-b", "gw-a", "drain"); /* nobody's fault */
	note_order("gw-a", "gw-b", "impaired");
	restart();
	ck_assert(is_held_down("gw-a"));
	ck_assert(!is_held_down("gw-b"));
	note_order("gw-b", "gw-a", "move");
	restart();
	ck_assert(!is_held_down("gw-a"));
}
END_TEST

START_TEST(whose_an_epoch_was_is_known)
{
	const struct ownership *ownership;

	run_until_owner("gw-a", both);
	restart();
	ownership = decisions_find(decisions, "vpn");
	ck_assert_int_eq(epoch_compare(&ownership->members[0].recalled, &last_order[0].epoch), 0);
	ck_assert(!epoch_is_zero(&ownership->members[0].recalled));
	ck_assert(epoch_is_zero(&ownership->members[1].recalled));
}
END_TEST

/* Nobody gets the endpoint by hosting a guest, under whosesoever epoch that is. */
START_TEST(a_move_of_what_was_adopted_is_one_order)
{
	struct answer answer = {0};
	struct wish *wish = NULL;

	run_until_owner("gw-a", both);
	restart();
	run_until_owner("gw-a", both);
	uint64_t before = journal_newest(journal);
	ck_assert_int_eq(decisions_move(decisions, "vpn", "gw-b", on_answer, &answer, &wish, NULL), 0);
	ck_assert_str_eq(last_order[0].guest, "gw-b");
	ck_assert_uint_eq(decisions_order_count(decisions), 0);
	ck_assert_uint_eq(journal_newest(journal), before);
	run_until_owner("gw-b", both);
	ck_assert_uint_eq(decisions_order_count(decisions), 1);
	char *text = journal_answer(journal, before, 10);
	ck_assert_ptr_nonnull(strstr(text, "\"event\":\"order\""));
	ck_assert_ptr_nonnull(strstr(text, "\"to\":\"gw-b\""));
	ck_assert_ptr_null(strstr(text, "\"to\":\"gw-a\""));
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decisions");
	TCase *tests = tcase_create("decisions");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 20);
	tcase_add_test(tests, the_first_term_is_above_the_stored_and_the_clock);
	tcase_add_test(tests, a_first_owner_is_named_to_all);
	tcase_add_test(tests, a_death_is_an_order_before_the_call_returns);
	tcase_add_test(tests, a_takers_result_is_told);
	tcase_add_test(tests, a_succession_is_told);
	tcase_add_test(tests, orders_are_repeated_on_demand);
	tcase_add_test(tests, no_order_is_repeated_to_whom_the_floor_bars);
	tcase_add_test(tests, an_order_is_repeated_to_whom_a_report_makes_current);
	tcase_add_test(tests, an_owner_that_let_go_by_others_word_is_followed);
	tcase_add_test(tests, a_claim_is_granted_by_the_way_that_it_came);
	tcase_add_test(tests, a_move_is_answered_when_it_is_done);
	tcase_add_test(tests, a_move_that_cannot_be_says_why);
	tcase_add_test(tests, an_obstacle_leaves_an_owner_alone);
	tcase_add_test(tests, a_drain_is_answered_when_nothing_is_left);
	tcase_add_test(tests, a_drain_with_nowhere_to_go_says_so);
	tcase_add_test(tests, a_wish_can_be_given_up);
	tcase_add_test(tests, settings_hold_for_a_new_generation);
	tcase_add_test(tests, a_higher_term_that_is_heard_is_topped);
	tcase_add_test(tests, who_was_held_down_still_is);
	tcase_add_test(tests, whose_an_epoch_was_is_known);
	tcase_add_test(tests, a_move_of_what_was_adopted_is_one_order);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
