/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "node-agent/io/agent/holding_int.h"
#include "tests/unit/holder/world.h"

/* holding.c with two routers of one network in wg0, which is in no endpoint, and readings of that device by another thread. */

enum { PEERS = 2 };

static struct world world; /* for its peers */
static struct agent agent;
static int reports; /* that were to be sent */

/* ---- the neighbours ---- */

bool agent_seat_serves(const struct agent_seat *seat)
{
	(void)seat;
	return false;
}

struct agent_seat *agent_seat_of_tunnel(struct agent *of, const char *tunnel)
{
	(void)of;
	(void)tunnel;
	return NULL;
}

int agent_get_device(struct agent *of, const char *tunnel, struct wg_device *ret_device)
{
	(void)of;
	(void)tunnel;
	(void)ret_device;
	return -1; /* it is yet to be made */
}

void control_report_now(struct control *control)
{
	(void)control;
	reports++;
}

void owner_ask(struct agent *of, const char *tunnel)
{
	(void)of;
	(void)tunnel;
}

void holding_carry_out(struct agent *of, const struct holder_move *moves, size_t count)
{
	(void)of;
	(void)moves;
	(void)count;
}

void holding_tell(struct agent *of, const struct holder_move *moves, size_t count)
{
	(void)of;
	(void)moves;
	(void)count;
}

void holding_notice(struct agent *of, const struct holder_move *moves, size_t count)
{
	(void)of;
	(void)moves;
	(void)count;
}

void holding_ask(struct agent *of)
{
	(void)of;
}

void holding_drop_ways(struct agent *of)
{
	(void)of;
}

void holding_forget_ways(struct holding *holding)
{
	(void)holding;
}

/* ---- what happens ---- */

static void setup(void)
{
	reports = 0;
	world_begin(&world);
	world_share(world_add(&world, "wg0", "a"), "192.168.77.0/24", 2, NULL, 0);
	world_share(world_add(&world, "wg0", "b"), "192.168.77.0/24", 1, NULL, 0);
	agent = (struct agent){.base = event_base_new(), .held.desired = world.desired};
	agent.sessions = sessions_new();
	holding_open(&agent);
	holding_update(&agent);
	agent.committed_ms = clock_now_ms();
}

static void teardown(void)
{
	holding_close(&agent);
	sessions_free(agent.sessions);
	event_base_free(agent.base);
	desired_free(world.desired);
}

/* Both have just shaken hands, it says. */
static void take_read(int64_t began_ms)
{
	struct endpoint from = {.port = 51820};
	struct device_read read = {.tunnel = "wg0", .began_ms = began_ms, .took_us = 80000};

	ck_assert_int_eq(addr_parse("203.0.113.7", &from.addr, NULL), 0);
	read.device.peers = mem_new(PEERS, sizeof(*read.device.peers));
	read.device.peer_count = PEERS;
	for (size_t i = 0; i < PEERS; i++)
		read.device.peers[i] = (struct wg_peer){.public_key = world.desired->peers[i].public_key,
			.endpoint = from,
			.handshake_s = clock_wall_ms() / 1000};
	holding_take_read(&agent, &read);
	wg_device_clear(&read.device);
}

static bool is_known(size_t peer)
{
	return agent.holding->holder->peers[peer].handshake_ms != HOLDER_NEVER;
}

START_TEST(a_reading_since_the_commit_tells_of_handshakes)
{
	take_read(agent.committed_ms + 1);
	ck_assert(is_known(0) && is_known(1));
}
END_TEST

START_TEST(one_that_began_before_tells_of_peers_that_may_be_others_by_now)
{
	int64_t next_poll_ms = agent.holding->next_poll_ms;

	take_read(agent.committed_ms);
	ck_assert(!is_known(0) && !is_known(1));
	ck_assert_int_gt(agent.holding->next_poll_ms, next_poll_ms); /* it cost as much */
}
END_TEST

START_TEST(other_verdicts_of_probes_are_reported_together)
{
	holding_step(&agent);
	ck_assert(!event_pending(agent.holding->telling, EV_TIMEOUT, NULL));
	for (int i = 0; i < 3; i++) {
		agent.holding->holder->verdicts++;
		holding_step(&agent);
	}
	ck_assert_int_eq(reports, 0);
	while (event_pending(agent.holding->telling, EV_TIMEOUT, NULL))
		ck_assert_int_eq(event_base_loop(agent.base, EVLOOP_ONCE), 0);
	ck_assert_int_eq(reports, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("holding");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, a_reading_since_the_commit_tells_of_handshakes);
	tcase_add_test(all, one_that_began_before_tells_of_peers_that_may_be_others_by_now);
	tcase_add_test(all, other_verdicts_of_probes_are_reported_together);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
