/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/io/agent/agent_int.h"

/* aside.c between a thread that reads two tunnels' devices, a look that takes what was read, and a controller that is told. */

enum { MANY = 200, TUNNELS = 2, TRIES = 3 };

static const char *const names[TUNNELS] = {"wg0", "wg1"};

static struct agent agent;
static struct desired desired;
static struct desired_tunnel tunnels[TUNNELS];
static char thread; /* its address is all that counts */
static bool asked[TUNNELS], given[TUNNELS], stale[TUNNELS], hangs[TUNNELS];
static unsigned questions[TUNNELS], looks, told;

static size_t index_of(const char *tunnel)
{
	return (size_t)(tunnel[2] - '0');
}

/* ---- the neighbours ---- */

void owner_ask(struct agent *of, const char *tunnel)
{
	size_t i = index_of(tunnel);

	(void)of;
	if (asked[i] || hangs[i])
		return;
	asked[i] = true;
	questions[i]++;
}

bool device_reader_is_asked(const struct device_reader *reader, const char *tunnel)
{
	(void)reader;
	return asked[index_of(tunnel)];
}

bool reconcile_is_given(const struct reconcile *reconcile, const char *tunnel)
{
	(void)reconcile;
	return given[index_of(tunnel)];
}

bool reconcile_give(
	struct reconcile *reconcile, const char *tunnel, struct wg_device *device, int64_t began_ms)
{
	(void)reconcile;
	(void)device;
	(void)began_ms;
	given[index_of(tunnel)] = !stale[index_of(tunnel)];
	return !stale[index_of(tunnel)];
}

/* As a look does: what was given is used up. */
void agent_look_now(struct agent *of)
{
	of->aside.looks = false;
	given[0] = given[1] = false;
	looks++;
}

void control_staged(struct control *control, const struct staged *staged)
{
	(void)control;
	ck_assert_uint_eq(staged->generation, 7);
	told++;
}

/* ---- what happens ---- */

static void setup(void)
{
	desired = (struct desired){.tunnel_count = TUNNELS, .tunnels = tunnels, .peer_count = MANY};
	for (size_t i = 0; i < TUNNELS; i++) {
		strcpy(tunnels[i].name, names[i]);
		asked[i] = given[i] = stale[i] = hangs[i] = false;
		questions[i] = 0;
	}
	agent = (struct agent){.held.desired = &desired, .reader = (struct device_reader *)&thread};
	looks = told = 0;
}

static void answer(size_t tunnel, int result)
{
	struct device_read read = {.result = result};

	ck_assert(asked[tunnel]);
	asked[tunnel] = false;
	strcpy(read.tunnel, names[tunnel]);
	aside_take_read(&agent, &read);
}

static bool stage(void)
{
	return aside_staged(&agent, &(struct staged){.generation = 7});
}

START_TEST(few_peers_are_not_worth_a_thread)
{
	desired.peer_count = MANY - 1;
	ck_assert(aside_is_small(&agent) && !aside_look(&agent) && !stage());
	desired.peer_count = MANY;
	ck_assert(!aside_is_small(&agent) && aside_look(&agent));
	agent.reader = NULL; /* alone */
	ck_assert(aside_is_small(&agent));
}
END_TEST

START_TEST(a_look_is_taken_when_all_is_read)
{
	ck_assert(aside_look(&agent) && aside_look(&agent));
	ck_assert(asked[0] && asked[1]);
	answer(0, 0);
	ck_assert_uint_eq(looks, 0);
	answer(1, 0);
	ck_assert_uint_eq(looks, 1);
	ck_assert_uint_eq(questions[0] + questions[1], 2);
}
END_TEST

START_TEST(what_changed_while_it_was_read_is_read_again_beside_another)
{
	ck_assert(aside_look(&agent));
	stale[0] = true;
	answer(0, 0);
	ck_assert(asked[0]); /* though wg1 is being read */
	stale[0] = false;
	answer(1, 0);
	ck_assert_uint_eq(looks, 0);
	answer(0, 0);
	ck_assert_uint_eq(looks, 1);
	ck_assert_uint_eq(questions[0], 2);
	ck_assert_uint_eq(questions[1], 1);
}
END_TEST

START_TEST(the_last_one_that_changed_is_read_again_too)
{
	ck_assert(aside_look(&agent));
	answer(0, 0);
	stale[1] = true;
	answer(1, 0);
	ck_assert_uint_eq(looks, 0);
	stale[1] = false;
	answer(1, 0);
	ck_assert_uint_eq(looks, 1);
	ck_assert_uint_eq(questions[0], 1);
}
END_TEST

START_TEST(what_changes_all_the_time_is_left_to_the_look)
{
	stale[0] = true;
	ck_assert(aside_look(&agent));
	answer(1, 0);
	for (unsigned i = 0; i < TRIES; i++) {
		ck_assert_uint_eq(looks, 0);
		answer(0, 0);
	}
	ck_assert_uint_eq(looks, 1);
	ck_assert_uint_eq(questions[0], TRIES);
	ck_assert(!asked[0]);
}
END_TEST

START_TEST(who_does_not_answer_is_not_waited_for)
{
	ck_assert(aside_look(&agent));
	hangs[0] = true;
	answer(0, -ETIMEDOUT);
	ck_assert_uint_eq(looks, 0);
	answer(1, 0);
	ck_assert_uint_eq(looks, 1);
}
END_TEST

START_TEST(a_generation_is_told_when_all_is_read)
{
	ck_assert(stage());
	answer(0, 0);
	ck_assert_uint_eq(told, 0);
	answer(1, 0);
	ck_assert_uint_eq(told, 1);
	ck_assert_uint_eq(looks, 0);
	ck_assert(!stage()); /* it is there already */
}
END_TEST

START_TEST(a_look_in_between_uses_it_up)
{
	ck_assert(stage());
	ck_assert(aside_look(&agent));
	answer(0, 0);
	answer(1, 0);
	ck_assert_uint_eq(looks, 1);
	ck_assert_uint_eq(told, 0);
	answer(0, 0);
	answer(1, 0);
	ck_assert_uint_eq(told, 1);
}
END_TEST

START_TEST(a_generation_that_came_to_nothing_is_not_told)
{
	ck_assert(stage());
	aside_forget_staged(&agent);
	answer(0, 0);
	answer(1, 0);
	ck_assert_uint_eq(told, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("aside");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, few_peers_are_not_worth_a_thread);
	tcase_add_test(all, a_look_is_taken_when_all_is_read);
	tcase_add_test(all, what_changed_while_it_was_read_is_read_again_beside_another);
	tcase_add_test(all, the_last_one_that_changed_is_read_again_too);
	tcase_add_test(all, what_changes_all_the_time_is_left_to_the_look);
	tcase_add_test(all, who_does_not_answer_is_not_waited_for);
	tcase_add_test(all, a_generation_is_told_when_all_is_read);
	tcase_add_test(all, a_look_in_between_uses_it_up);
	tcase_add_test(all, a_generation_that_came_to_nothing_is_not_told);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
