/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/takeover_int.h"

/* takeover_device.c under a virtual clock, with a WireGuard program that takes 5 ms for a message and may hang. */

enum { MESSAGE_PEERS = 16, PEERS = MESSAGE_PEERS + 4, ANSWER_MS = 5, PATIENCE_MS = 150 };

static int64_t now;
static struct agent agent;
static struct agent_seat seat;
static struct desired_endpoint endpoint;
static struct takeover_run run;
static bool hangs, refuses;
static unsigned messages, hangs_after;

/* ---- the neighbours ---- */

int64_t clock_now_ms(void)
{
	return now;
}

int64_t clock_wall_ms(void)
{
	return now;
}

const struct desired_endpoint *agent_seat_endpoint(const struct agent_seat *of)
{
	(void)of;
	return &endpoint;
}

bool reconcile_may_ask(struct reconcile *reconcile, const char *tunnel)
{
	(void)reconcile;
	(void)tunnel;
	return !hangs;
}

int agent_set_peers(struct agent *of, const char *tunnel, const struct wg_peer_change *changes, size_t count,
	struct err *err)
{
	(void)of;
	(void)changes;
	ck_assert_uint_le(count, 2 * MESSAGE_PEERS);
	hangs = messages++ >= hangs_after;
	now += hangs ? PATIENCE_MS : ANSWER_MS;
	if (hangs || refuses)
		return err_set(err, hangs ? -ETIMEDOUT : -EINVAL, "%s fails", tunnel);
	return 0;
}

size_t agent_recreate_peer(const struct agent *of, const char *tunnel, const struct key *public_key,
	const struct endpoint *to, uint16_t keepalive_s, struct wg_peer_change *changes)
{
	(void)of;
	(void)tunnel;
	(void)public_key;
	(void)to;
	(void)keepalive_s;
	memset(changes, 0, 2 * sizeof(*changes));
	return 2;
}

void owner_ask(struct agent *of, const char *tunnel)
{
	(void)of;
	(void)tunnel;
}

bool device_reader_is_asked(const struct device_reader *reader, const char *tunnel)
{
	(void)reader;
	(void)tunnel;
	return false;
}

void moments_back(struct agent_seat *of, const char *tunnel, const struct key *public_key, uint32_t back)
{
	(void)of;
	(void)tunnel;
	(void)public_key;
	(void)back;
}

void log_write(enum log_level level, const char *module, const char *event, const char *limit_key,
	const struct log_field *fields, size_t count)
{
	(void)level;
	(void)module;
	(void)event;
	(void)limit_key;
	(void)fields;
	(void)count;
}

/* ---- what happens ---- */

static void setup(void)
{
	struct wake_peer peer = {.tunnel = "wg0"};

	now = 1000000;
	hangs = refuses = false;
	messages = 0;
	hangs_after = 1000;
	endpoint = (struct desired_endpoint){.tunnel_count = 1, .tunnels = {"wg0"}};
	seat = (struct agent_seat){.agent = &agent};
	run = (struct takeover_run){.seat = &seat, .wake = wake_new(now, 1)};
	peer.handshake_ms = peer.active_ms = now;
	ck_assert_int_eq(addr_parse("203.0.113.7", &peer.endpoint.addr, NULL), 0);
	for (uint8_t i = 0; i < PEERS; i++) {
		peer.public_key.bytes[0] = i;
		ck_assert(wake_add(run.wake, &peer));
	}
	wake_step(run.wake, now, &run.actions);
	ck_assert_uint_eq(run.actions.count, PEERS);
}

static void teardown(void)
{
	wake_free(run.wake);
}

/* As the next look finds all of them silent. */
static size_t made_anew_after(int64_t ms)
{
	size_t count = 0;

	now += ms;
	wake_looked(run.wake, "wg0", now);
	wake_step(run.wake, now, &run.actions);
	for (size_t i = 0; i < run.actions.count; i++)
		count += run.actions.items[i].kind == WAKE_RECREATE;
	return count;
}

START_TEST(a_try_counts_from_its_answer)
{
	now += 400; /* others had the loop */
	takeover_do_some(&run);
	takeover_do_some(&run);
	ck_assert(!takeover_has_actions(&run));
	ck_assert_uint_eq(messages, 2);
	ck_assert_uint_eq(made_anew_after(WAKE_IN_FLIGHT_MS - 1), MESSAGE_PEERS); /* 5 ms earlier */
	ck_assert_uint_eq(made_anew_after(1 + WAKE_JITTER_MS), PEERS - MESSAGE_PEERS);
}
END_TEST

START_TEST(who_was_not_answered_is_not_said_to_be_told)
{
	hangs_after = 1;
	takeover_do_some(&run);
	ck_assert(hangs && takeover_is_silent(&run));
	ck_assert_uint_eq(made_anew_after(10 * WAKE_IN_FLIGHT_MS), MESSAGE_PEERS);
	wake_answers(run.wake, "wg0", now);
	ck_assert_uint_gt(made_anew_after(10 * WAKE_IN_FLIGHT_MS), 0);
}
END_TEST

START_TEST(what_was_refused_was_tried)
{
	refuses = true;
	takeover_do_some(&run);
	takeover_do_some(&run);
	ck_assert_uint_eq(made_anew_after(WAKE_IN_FLIGHT_MS + ANSWER_MS), PEERS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("takeover-device");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, a_try_counts_from_its_answer);
	tcase_add_test(all, who_was_not_answered_is_not_said_to_be_told);
	tcase_add_test(all, what_was_refused_was_tried);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
