/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"

/* forgetting.c between a WireGuard program of two tunnels, which hangs when it is told to, and a thread that reads when it is told to. */

enum { PEERS = 80, TUNNELS = 2, NEVER = 1000 };

static const char *const names[TUNNELS] = {"wg0", "wg1"};

static struct program {
	bool userspace, hangs;
	bool spoke[PEERS]; /* it has a session */
	unsigned messages, made_anew, bounced;
	unsigned hangs_after; /* so many messages */
} programs[TUNNELS];

static struct agent agent;
static struct agent_seat seat;
static struct desired_endpoint endpoint;
static bool small, asked[TUNNELS];
static unsigned looks, told;

static size_t index_of(const char *tunnel)
{
	return (size_t)(tunnel[2] - '0');
}

static struct program *program_of(const char *tunnel)
{
	return &programs[index_of(tunnel)];
}

static struct key key_of(size_t peer)
{
	return (struct key){{(uint8_t)peer}};
}

static bool answers(struct program *program)
{
	program->hangs = program->hangs || program->messages >= program->hangs_after;
	return !program->hangs;
}

/* ---- the neighbours ---- */

bool reconcile_may_ask(struct reconcile *reconcile, const char *tunnel)
{
	(void)reconcile;
	return !program_of(tunnel)->hangs;
}

int agent_get_device(struct agent *of, const char *tunnel, struct wg_device *ret_device)
{
	struct program *program = program_of(tunnel);

	(void)of;
	if (!answers(program))
		return -ETIMEDOUT;
	*ret_device = (struct wg_device){.userspace = program->userspace, .peer_count = PEERS};
	strcpy(ret_device->name, tunnel);
	ret_device->peers = mem_new(PEERS, sizeof(*ret_device->peers));
	for (size_t i = 0; i < PEERS; i++)
		ret_device->peers[i] =
			(struct wg_peer){.public_key = key_of(i), .handshake_s = program->spoke[i]};
	return 0;
}

int agent_set_peers(struct agent *of, const char *tunnel, const struct wg_peer_change *changes, size_t count,
	struct err *err)
{
	struct program *program = program_of(tunnel);

	(void)of;
	if (!count)
		return 0;
	if (!answers(program))
		return err_set(err, -ETIMEDOUT, "%s does not answer", tunnel);
	program->messages++;
	for (size_t i = 0; i < count; i++)
		if (changes[i].flags & WG_PEER_REMOVE) {
			program->spoke[changes[i].public_key.bytes[0]] = false;
			program->made_anew++;
		}
	return 0;
}

size_t agent_recreate_peer(const struct agent *of, const char *tunnel, const struct key *public_key,
	const struct endpoint *to, uint16_t keepalive_s, struct wg_peer_change *changes)
{
	(void)of;
	(void)tunnel;
	(void)to;
	changes[0] = (struct wg_peer_change){.public_key = *public_key, .flags = WG_PEER_REMOVE};
	changes[1] = (struct wg_peer_change){
		.public_key = *public_key, .flags = WG_PEER_SET_KEEPALIVE, .keepalive_s = keepalive_s};
	return 2;
}

int reconcile_bounce(struct reconcile *reconcile, const char *tunnel, struct err *err)
{
	(void)reconcile;
	(void)err;
	program_of(tunnel)->bounced++;
	return 0;
}

const struct endpoint *standby_live_endpoint(const char *tunnel, const struct key *public_key, void *of)
{
	(void)tunnel;
	(void)public_key;
	(void)of;
	return NULL;
}

const struct desired_endpoint *agent_seat_endpoint(const struct agent_seat *of)
{
	(void)of;
	return &endpoint;
}

bool aside_is_small(const struct agent *of)
{
	(void)of;
	return small;
}

void owner_ask(struct agent *of, const char *tunnel)
{
	(void)of;
	asked[index_of(tunnel)] |= !program_of(tunnel)->hangs;
}

bool device_reader_is_asked(const struct device_reader *reader, const char *tunnel)
{
	(void)reader;
	return asked[index_of(tunnel)];
}

void agent_look_soon(struct agent *of)
{
	(void)of;
	looks++;
}

void agent_seat_step(struct agent_seat *of, const struct seat_event *event)
{
	ck_assert_int_eq(event->kind, SEAT_EVENT_FORGOTTEN);
	ck_assert_ptr_null(of->forgetting);
	told++;
}

/* ---- what happens ---- */

static void setup(void)
{
	memset(programs, 0, sizeof(programs));
	endpoint = (struct desired_endpoint){.tunnel_count = TUNNELS};
	for (size_t i = 0; i < TUNNELS; i++) {
		programs[i].userspace = true;
		programs[i].hangs_after = NEVER;
		memset(programs[i].spoke, true, sizeof(programs[i].spoke));
		strcpy(endpoint.tunnels[i], names[i]);
		asked[i] = false;
	}
	agent = (struct agent){.base = event_base_new(), .seat_count = 1, .seats = {&seat}};
	seat = (struct agent_seat){.agent = &agent};
	small = false;
	looks = told = 0;
}

static void teardown(void)
{
	event_base_free(agent.base);
}

/* The thread has read what it was asked for. */
static void answer(size_t tunnel)
{
	struct device_read read = {.began_ms = clock_now_ms() + 1, .userspace = programs[tunnel].userspace};

	ck_assert(asked[tunnel]);
	asked[tunnel] = false;
	strcpy(read.tunnel, names[tunnel]);
	read.result = agent_get_device(&agent, names[tunnel], &read.device);
	forgetting_take_read(&agent, &read);
	wg_device_clear(&read.device);
}

static size_t sessions(size_t tunnel)
{
	size_t count = 0;

	for (size_t i = 0; i < PEERS; i++)
		count += programs[tunnel].spoke[i];
	return count;
}

static void next_turn(void)
{
	ck_assert_int_ge(event_base_loop(agent.base, EVLOOP_ONCE), 0);
}

static void turns_until_read(size_t tunnel)
{
	while (!asked[tunnel])
		next_turn();
}

START_TEST(many_peers_are_forgotten_in_parts)
{
	ck_assert(!forgetting_begin(&seat));
	ck_assert_uint_eq(sessions(0), PEERS);
	answer(0);
	ck_assert_uint_eq(programs[0].messages, 0);
	next_turn();
	ck_assert_uint_eq(programs[0].messages, 1);
	turns_until_read(1);
	ck_assert_uint_eq(sessions(0), 0);
	ck_assert_uint_eq(programs[0].messages, 3);
	answer(1);
	ck_assert_uint_eq(told, 0);
	while (seat.forgetting)
		next_turn();
	ck_assert_uint_eq(sessions(1), 0);
	ck_assert_uint_eq(looks, 1);
	ck_assert_uint_eq(told, 1);
}
END_TEST

START_TEST(whoever_was_in_a_message_that_was_not_answered_is_made_anew_once_more)
{
	ck_assert(!forgetting_begin(&seat));
	answer(0);
	programs[0].hangs_after = 1;
	next_turn();
	next_turn(); /* not answered */
	ck_assert(programs[0].hangs);
	programs[0].hangs_after = NEVER;
	programs[0].hangs = false;
	turns_until_read(1);
	ck_assert_uint_eq(sessions(0), 0);
	ck_assert_uint_eq(programs[0].made_anew, PEERS);
	forgetting_finish(&seat);
}
END_TEST

/* Few of them, so that it was to be done at once. */
START_TEST(one_that_hangs_in_the_middle_is_read_again)
{
	small = true;
	programs[0].hangs_after = 1;
	ck_assert(!forgetting_begin(&seat));
	ck_assert_ptr_nonnull(seat.forgetting);
	ck_assert_uint_gt(sessions(0), 0);
	ck_assert_uint_eq(sessions(1), 0); /* the other does not wait for it */
	programs[0].hangs_after = NEVER;
	programs[0].hangs = false;
	turns_until_read(0);
	answer(0);
	while (seat.forgetting)
		next_turn();
	ck_assert_uint_eq(sessions(0), 0);
}
END_TEST

START_TEST(few_are_forgotten_at_once)
{
	small = true;
	ck_assert(forgetting_begin(&seat));
	ck_assert_uint_eq(sessions(0) + sessions(1), 0);
	ck_assert_uint_eq(told, 0); /* whoever began it knows */
}
END_TEST

START_TEST(the_rest_of_one_that_hangs_is_not_said_to_be_forgotten)
{
	char said[400];
	int pipe_fds[2];

	ck_assert_int_eq(pipe(pipe_fds), 0);
	log_set_output(pipe_fds[1], false);
	ck_assert(!forgetting_begin(&seat));
	answer(0);
	next_turn();
	programs[0].hangs_after = 2; /* the last message is not answered */
	forgetting_finish(&seat);
	log_set_output(2, false);
	close(pipe_fds[1]);
	said[read(pipe_fds[0], said, sizeof(said) - 1)] = '\0';
	close(pipe_fds[0]);
	ck_assert_ptr_nonnull(strstr(said, "sessions-not-forgotten tunnel=wg0"));
	ck_assert_ptr_null(strstr(said, "sessions-not-forgotten tunnel=wg1"));
	ck_assert_uint_gt(sessions(0), 0);
	ck_assert_uint_eq(sessions(1), 0);
	ck_assert_ptr_null(seat.forgetting);
	ck_assert_uint_eq(told, 0);
}
END_TEST

START_TEST(the_kernels_link_goes_down_and_up)
{
	programs[0].userspace = programs[1].userspace = false;
	ck_assert(!forgetting_begin(&seat));
	answer(0);
	answer(1);
	ck_assert_uint_eq(programs[0].bounced, 1);
	ck_assert_uint_eq(programs[1].bounced, 1);
	ck_assert_ptr_null(seat.forgetting);
	ck_assert_uint_eq(told, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("forgetting");
	TCase *tcase = tcase_create("forgetting");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, many_peers_are_forgotten_in_parts);
	tcase_add_test(tcase, whoever_was_in_a_message_that_was_not_answered_is_made_anew_once_more);
	tcase_add_test(tcase, one_that_hangs_in_the_middle_is_read_again);
	tcase_add_test(tcase, few_are_forgotten_at_once);
	tcase_add_test(tcase, the_rest_of_one_that_hangs_is_not_said_to_be_forgotten);
	tcase_add_test(tcase, the_kernels_link_goes_down_and_up);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
