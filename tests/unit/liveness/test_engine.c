/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io/clock.h"
#include "tests/unit/liveness/host.h"

/* A controller and two gateways; loopback never loses anything, so what is waited for comes soon. */
static struct host ctl, a, b;

static void join_all(void)
{
	host_join(&a, (struct host *const[]){&b, &ctl, NULL});
	host_join(&b, (struct host *const[]){&a, &ctl, NULL});
	host_join(&ctl, (struct host *const[]){&a, &b, NULL});
}

static void setup(void)
{
	host_base = event_base_new();
	ctl = (struct host){.name = "ctl", .is_controller = true, .address = 20};
	a = (struct host){.name = "gw-a", .address = 11, .serves = 7};
	b = (struct host){.name = "gw-b", .address = 12};
	host_start(&ctl, 1001);
	host_start(&a, 1002);
	host_start(&b, 1003);
	join_all();
}

static void teardown(void)
{
	host_stop(&ctl);
	host_stop(&a);
	host_stop(&b);
	event_base_free(host_base);
}

static bool all_in_contact(void *context)
{
	(void)context;
	return host_view(&ctl, &a).contact_made && host_view(&ctl, &b).contact_made &&
	       host_view(&a, &b).contact_made && host_view(&b, &a).contact_made &&
	       liveness_has_controller(a.liveness) && liveness_has_controller(b.liveness);
}

static void meet(void)
{
	ck_assert(host_wait(all_in_contact, NULL));
}

static bool has_verdict(void *context)
{
	return host_view(&ctl, &a).verdict == *(enum verdict_kind *)context;
}

static bool ctl_says(enum verdict_kind kind)
{
	return host_wait(has_verdict, &kind);
}

START_TEST(test_all_find_each_other)
{
	meet();
	ck_assert(ctl_says(VERDICT_ALIVE));
	ck_assert_uint_eq(host_view(&ctl, &a).boot, 1002);
	ck_assert_uint_gt(host_view(&ctl, &a).rtt_us, 0);
	ck_assert_int_eq(host_view(&ctl, &a).contact, CONTACT_TWO_WAY);
	/* the controller was told no address: it has learned them */
	ck_assert_uint_eq(host_view(&ctl, &a).address.port, liveness_local_port(a.liveness, 0));
	ck_assert_uint_gt(ctl.beats, 0);
	ck_assert_uint_gt(a.heard, 0);
}
END_TEST

static bool b_knows_the_owner(void *context)
{
	(void)context;
	return b.seat.role == SEAT_SERVING && b.seat.epoch.n == 7;
}

START_TEST(test_beats_carry_seats)
{
	ck_assert(host_wait(b_knows_the_owner, NULL));
	ck_assert_str_eq(b.seat.endpoint, "vpn");
}
END_TEST

START_TEST(test_beats_go_every_interval_and_at_once_when_asked)
{
	meet();
	unsigned before = ctl.beats;
	host_run(1000);
	/* two gateways, 20 a second each */
	ck_assert_uint_ge(ctl.beats - before, 30);
	ck_assert_uint_le(ctl.beats - before, 46);
	a.serves = 8;
	before = liveness_counters(a.liveness).sent;
	liveness_beat_now(a.liveness);
	ck_assert_uint_eq(liveness_counters(a.liveness).sent - before, 2);
}
END_TEST

START_TEST(test_a_silent_gateway_is_dead_soon_and_both_agree)
{
	meet();
	host_run(200);
	int64_t last_ms = host_view(&ctl, &a).heard_ms;
	host_stop(&a);
	ck_assert(ctl_says(VERDICT_DEAD));
	/* the rest of an interval, 110 ms, a burst, and what this machine adds */
	ck_assert_int_ge(ctl.told_ms - last_ms, 158);
	ck_assert_int_le(ctl.told_ms - last_ms, 500);
	ck_assert_uint_ge(ctl.kernel_probes, 3);
	ck_assert_int_eq(host_view(&ctl, &b).verdict, VERDICT_ALIVE);
	ck_assert_uint_gt(b.silences, 0);
	ck_assert_uint_gt(ctl.silences, 0);
}
END_TEST

START_TEST(test_only_the_kernel_answers)
{
	meet();
	ctl.kernel_answers = true;
	host_stop(&a);
	ck_assert(ctl_says(VERDICT_AGENT_DOWN));
}
END_TEST

START_TEST(test_tls_alone_is_life_with_an_alarm)
{
	meet();
	host_stop(&a);
	ck_assert(ctl_says(VERDICT_DEAD));
	liveness_tls_contact(ctl.liveness, "gw-a");
	liveness_tls_contact(ctl.liveness, "gw-x");
	ck_assert_int_eq(host_view(&ctl, &a).verdict, VERDICT_ALIVE);
	ck_assert(host_view(&ctl, &a).blocked);
}
END_TEST

static bool ctl_knows_the_new_life(void *context)
{
	(void)context;
	return host_view(&ctl, &a).boot == 2002 && host_view(&ctl, &a).contact_made;
}

START_TEST(test_a_new_life_on_another_port_is_met_at_once)
{
	meet();
	host_stop(&a);
	host_start(&a, 2002);
	int64_t start_ms = clock_now_ms();
	host_join(&a, (struct host *const[]){&b, &ctl, NULL});
	ck_assert(host_wait(ctl_knows_the_new_life, NULL));
	ck_assert_int_le(clock_now_ms() - start_ms, 100);
	ck_assert_uint_eq(host_view(&ctl, &a).address.port, liveness_local_port(a.liveness, 0));
}
END_TEST

START_TEST(test_one_that_only_others_hear_lives)
{
	meet();
	host_join(&a, (struct host *const[]){&b, NULL}); /* gw-a no longer speaks to the controller */
	host_run(600);
	ck_assert_int_eq(host_view(&ctl, &a).verdict, VERDICT_ALIVE);
	ck_assert(host_view(&ctl, &a).by_others);
	ck_assert_int_lt(host_view(&ctl, &a).heard_ms, clock_now_ms() - 500);
}
END_TEST

static void stand_still(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	usleep(250000);
}

static bool a_has_stalled(void *context)
{
	(void)context;
	return a.stalls > 0;
}

START_TEST(test_own_stall_is_noticed_and_blamed_on_nobody)
{
	meet();
	unsigned before = ctl.changes;
	event_base_once(host_base, -1, EV_TIMEOUT, stand_still, NULL, &(struct timeval){0});
	ck_assert(host_wait(a_has_stalled, NULL));
	ck_assert_uint_ge(liveness_counters(a.liveness).lag_ms, 100);
	host_run(300);
	ck_assert_int_eq(host_view(&ctl, &a).verdict, VERDICT_ALIVE);
	(void)before;
}
END_TEST

static bool ctl_is_alone(void *context)
{
	(void)context;
	return host_view(&ctl, &a).verdict == VERDICT_BLIND && host_view(&ctl, &b).verdict == VERDICT_BLIND;
}

START_TEST(test_who_loses_everyone_at_once_is_blind)
{
	meet();
	host_run(200);
	host_stop(&a);
	host_stop(&b);
	ck_assert(host_wait(ctl_is_alone, NULL));
}
END_TEST

static bool b_is_buried_by_a(void *context)
{
	(void)context;
	liveness_set_witnessed(a.liveness, clock_now_ms());
	return host_view(&a, &b).verdict == VERDICT_DEAD;
}

/* All but its witness are silent: that is as good as a word from somebody else. */
START_TEST(test_a_witness_tells_a_death_from_the_own_deafness)
{
	meet();
	host_run(200);
	host_stop(&ctl);
	host_stop(&b);
	ck_assert(host_wait(b_is_buried_by_a, NULL));
}
END_TEST

START_TEST(test_partners_come_and_go)
{
	struct liveness_view view;
	struct liveness_partner many[LIVENESS_PARTNERS_MAX + 1] = {0};

	meet();
	host_join(&ctl, (struct host *const[]){&b, NULL});
	ck_assert_int_eq(liveness_view(ctl.liveness, "gw-a", &view), -ENOENT);
	ck_assert(host_view(&ctl, &b).contact_made);
	host_join(&ctl, (struct host *const[]){&a, &b, NULL});
	meet();
	ck_assert_int_eq(liveness_set_partners(ctl.liveness, many, LIVENESS_PARTNERS_MAX + 1), -E2BIG);
	ck_assert(host_view(&ctl, &a).contact_made);
}
END_TEST

START_TEST(test_an_address_that_is_not_there_is_named)
{
	struct liveness_config config = {.name = "gw-z", .boot = 9, .local_count = 1};
	struct liveness_ops ops = {0};
	struct liveness *none = NULL;
	struct err err;

	config.timing = timing_from_interval(50);
	config.locals[0].address = (struct addr){.family = AF_INET, .bytes = {192, 0, 2, 77}};
	config.locals[0].port = LIVENESS_PORT;
	ck_assert_int_eq(liveness_new(host_base, &config, &ops, NULL, &none, &err), -EADDRNOTAVAIL);
	ck_assert(strstr(err.text, "192.0.2.77:7443/udp") != NULL);
	ck_assert(none == NULL);
	config.local_count = 0;
	ck_assert_int_eq(liveness_new(host_base, &config, &ops, NULL, &none, &err), -EINVAL);
	liveness_free(NULL);
}
END_TEST

START_TEST(test_who_has_a_taken_port_is_guessed)
{
	struct liveness_config config = {.name = "gw-z", .boot = 9, .local_count = 1};
	struct liveness_ops ops = {0};
	struct liveness *first = NULL, *second = NULL;
	struct err err;

	config.timing = timing_from_interval(50);
	config.locals[0].address = (struct addr){.family = AF_INET, .bytes = {127, 7, 44, 3}};
	config.locals[0].port = LIVENESS_PORT;
	ck_assert_int_eq(liveness_new(host_base, &config, &ops, NULL, &first, &err), 0);
	ck_assert_int_eq(liveness_new(host_base, &config, &ops, NULL, &second, &err), -EADDRINUSE);
	ck_assert(strstr(err.text, "127.7.44.3:7443/udp") != NULL && strstr(err.text, "listen:") != NULL);
	liveness_free(first);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engine");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_set_timeout(all, 20);
	tcase_add_test(all, test_all_find_each_other);
	tcase_add_test(all, test_beats_carry_seats);
	tcase_add_test(all, test_beats_go_every_interval_and_at_once_when_asked);
	tcase_add_test(all, test_a_silent_gateway_is_dead_soon_and_both_agree);
	tcase_add_test(all, test_only_the_kernel_answers);
	tcase_add_test(all, test_tls_alone_is_life_with_an_alarm);
	tcase_add_test(all, test_a_new_life_on_another_port_is_met_at_once);
	tcase_add_test(all, test_one_that_only_others_hear_lives);
	tcase_add_test(all, test_own_stall_is_noticed_and_blamed_on_nobody);
	tcase_add_test(all, test_who_loses_everyone_at_once_is_blind);
	tcase_add_test(all, test_a_witness_tells_a_death_from_the_own_deafness);
	tcase_add_test(all, test_partners_come_and_go);
	tcase_add_test(all, test_an_address_that_is_not_there_is_named);
	tcase_add_test(all, test_who_has_a_taken_port_is_guessed);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
