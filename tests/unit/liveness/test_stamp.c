/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cluster/contact.h"
#include "common/cluster/verdict.h"
#include "common/liveness/stamp.h"

#define MS INT64_C(1000)
#define SECOND (1000 * MS)
#define HOUR (3600 * SECOND)

enum { ME = 77, REMOTE = 1001 };

static const int64_t steps_us[] = {
	HOUR, -HOUR, 59 * SECOND, -59 * SECOND, SECOND, -SECOND, 101 * MS, -101 * MS};

/* A message with the kernel's stamp of that wall time. */
struct stamped {
	struct msghdr message;
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct timespec))];
};

static void stamp(struct stamped *stamped, int64_t wall_us)
{
	struct timespec time = {.tv_sec = wall_us / 1000000, .tv_nsec = wall_us % 1000000 * 1000};

	memset(stamped, 0, sizeof(*stamped));
	stamped->message.msg_control = stamped->control;
	stamped->message.msg_controllen = sizeof(stamped->control);
	struct cmsghdr *control = CMSG_FIRSTHDR(&stamped->message);
	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_TIMESTAMPNS;
	control->cmsg_len = CMSG_LEN(sizeof(time));
	memcpy(CMSG_DATA(control), &time, sizeof(time));
}

static int64_t received(const struct stamp_clock *clock, int64_t wall_us)
{
	struct stamped stamped;

	stamp(&stamped, wall_us);
	return stamp_us(&stamped.message, clock);
}

START_TEST(test_the_age_of_a_stamp_is_taken_off_the_present)
{
	struct stamp_clock clock = {0};

	stamp_clock_begin(&clock);
	stamp_clock_read(&clock, 100 * SECOND, 5 * HOUR);
	ck_assert_int_eq(received(&clock, 5 * HOUR), 100 * SECOND);
	ck_assert_int_eq(received(&clock, 5 * HOUR - 7 * MS), 100 * SECOND - 7 * MS);
	ck_assert_int_eq(received(&clock, 5 * HOUR - STAMP_OLDEST_US), 100 * SECOND - STAMP_OLDEST_US);
	ck_assert_int_eq(received(&clock, 5 * HOUR - STAMP_OLDEST_US - 1), 100 * SECOND);
	ck_assert_int_eq(received(&clock, 5 * HOUR + 1), 100 * SECOND);
	ck_assert_int_eq(stamp_us(&(struct msghdr){0}, &clock), 100 * SECOND);
}
END_TEST

START_TEST(test_after_a_step_no_stamp_of_that_reading_is_believed)
{
	for (size_t i = 0; i < sizeof(steps_us) / sizeof(*steps_us); i++) {
		struct stamp_clock clock = {0};

		stamp_clock_begin(&clock);
		stamp_clock_read(&clock, 100 * SECOND, 5 * HOUR);
		stamp_clock_begin(&clock);
		stamp_clock_read(&clock, 101 * SECOND, 5 * HOUR + SECOND + steps_us[i]);
		ck_assert_int_eq(received(&clock, clock.wall_us - 5 * MS), 101 * SECOND);
		stamp_clock_read(&clock, 101 * SECOND + MS, clock.wall_us + MS);
		ck_assert_int_eq(received(&clock, clock.wall_us - 5 * MS), 101 * SECOND + MS);
		stamp_clock_begin(&clock);
		stamp_clock_read(&clock, 102 * SECOND, clock.wall_us + SECOND - MS);
		ck_assert_int_eq(received(&clock, clock.wall_us - 5 * MS), 102 * SECOND - 5 * MS);
	}
}
END_TEST

START_TEST(test_a_clock_that_is_slewed_is_believed)
{
	struct stamp_clock clock = {0};

	stamp_clock_read(&clock, 100 * SECOND, 5 * HOUR);
	for (int64_t slew_us = -STAMP_STEP_US; slew_us <= STAMP_STEP_US; slew_us += 2 * STAMP_STEP_US) {
		int64_t wall_us = clock.wall_us + SECOND + slew_us;

		stamp_clock_begin(&clock);
		stamp_clock_read(&clock, clock.now_us + SECOND, wall_us);
		ck_assert_int_eq(received(&clock, wall_us - MS), clock.now_us - MS);
	}
}
END_TEST

/* ---- one that watches another, while its own wall clock is set ---- */

enum {
	BEAT_US = 55 * MS,
	LAST_BEAT_US = 10 * BEAT_US,
	READ_US = 2 * MS,
	UNDER_WAY_US = 300,
	TICK_US = MS,
	END_US = 1500 * MS
};

struct story {
	int64_t step_us; /* of the wall clock, between the last beat's stamp and its reading */
	int64_t deaf_us; /* from the last beat on nothing is read for so long */
};

struct told {
	unsigned changes;
	int64_t suspected_us, dead_us; /* when; 0: never */
	int64_t contact_us;            /* the last moment of contact */
	int64_t evidence_us;           /* a lease is extended on that */
};

struct watcher {
	struct contact contact;
	struct verdict verdict;
	struct stamp_clock clock;
	struct told told;
};

static void judge(struct watcher *watcher, enum verdict_event_kind kind, int64_t at_us, int64_t now_us)
{
	struct verdict_event event = {.kind = kind,
		.at_ms = at_us / MS,
		.view = {.other_heard_ms = now_us / MS,
			.silent = 1,
			.watched = 9,
			.wait_ms = 20,
			.probes = 500}};
	struct verdict_actions actions = {0};
	enum verdict_kind before = watcher->verdict.kind;

	verdict_step(&watcher->verdict, &event, now_us / MS, &actions);
	if (watcher->verdict.kind == before)
		return;
	watcher->told.changes++;
	if (watcher->verdict.kind == VERDICT_SUSPECT)
		watcher->told.suspected_us = now_us;
	if (watcher->verdict.kind == VERDICT_DEAD)
		watcher->told.dead_us = now_us;
}

/* A beat of the other, which heard me when it sent it: it was stamped before the clocks are what they are now. Whatever
 * waits is read at once, so nothing was read in between. */
static void read_beat(
	struct watcher *watcher, int64_t sent_us, int64_t stamp_wall_us, int64_t now_us, int64_t wall_us)
{
	struct datagram_head head = {.boot = REMOTE,
		.seq = (uint64_t)(sent_us / BEAT_US),
		.time_us = (uint64_t)(sent_us + 9 * HOUR),
		.echo = {.boot = ME, .time_us = (uint64_t)(sent_us - UNDER_WAY_US)}};
	stamp_clock_begin(&watcher->clock);
	stamp_clock_read(&watcher->clock, now_us, wall_us);
	int64_t received_us = received(&watcher->clock, stamp_wall_us);

	ck_assert_int_le(received_us, now_us);
	if (contact_receive(&watcher->contact, &head, received_us) == CONTACT_TAKEN)
		judge(watcher, VERDICT_EVENT_HEARD, received_us, now_us);
}

static bool is_read_at(const struct story *story, int64_t sent_us, int64_t now_us)
{
	int64_t late_us = sent_us == LAST_BEAT_US ? story->deaf_us : 0;

	return sent_us + READ_US + late_us == now_us;
}

/* Set a tick after that beat has come, and before that is read. */
static int64_t wall(int64_t now_us, int64_t step_us)
{
	return 5 * HOUR + now_us + (now_us > LAST_BEAT_US + TICK_US ? step_us : 0);
}

static struct told tell(const struct story *story)
{
	struct timing timing = timing_from_interval(50);
	struct watcher watcher = {0};

	contact_init(&watcher.contact, &timing, ME);
	verdict_init(&watcher.verdict, &timing, 0);
	for (int64_t now_us = TICK_US; now_us <= END_US; now_us += TICK_US) {
		int64_t wall_us = wall(now_us, story->step_us);

		for (int64_t sent_us = BEAT_US; sent_us <= LAST_BEAT_US; sent_us += BEAT_US)
			if (is_read_at(story, sent_us, now_us))
				read_beat(&watcher, sent_us, 5 * HOUR + sent_us + UNDER_WAY_US, now_us,
					wall_us);
		judge(&watcher, VERDICT_EVENT_TICK, 0, now_us);
		if (contact_is_made(&watcher.contact, now_us))
			watcher.told.contact_us = now_us;
	}
	watcher.told.evidence_us = watcher.contact.evidence_us;
	return watcher.told;
}

/* The beats go on: the longest that are allowed, so that one which counts too early by anything would be missed. */
START_TEST(test_a_step_makes_no_suspicion)
{
	for (size_t i = 0; i < sizeof(steps_us) / sizeof(*steps_us); i++) {
		struct timing timing = timing_from_interval(50);
		struct watcher watcher = {0};

		contact_init(&watcher.contact, &timing, ME);
		verdict_init(&watcher.verdict, &timing, 0);
		for (int64_t now_us = TICK_US; now_us <= END_US; now_us += TICK_US) {
			int64_t sent_us = now_us - READ_US, stamped_us = sent_us + UNDER_WAY_US;
			int64_t wall_us = wall(now_us, steps_us[i]),
				stamp_wall_us = wall(stamped_us, steps_us[i]);

			if (sent_us > 0 && sent_us % BEAT_US == 0)
				read_beat(&watcher, sent_us, stamp_wall_us, now_us, wall_us);
			judge(&watcher, VERDICT_EVENT_TICK, 0, now_us);
			ck_assert(now_us < 2 * BEAT_US || contact_is_made(&watcher.contact, now_us));
		}
		ck_assert_int_eq(watcher.verdict.kind, VERDICT_ALIVE);
		ck_assert_uint_eq(watcher.told.changes, 1);
	}
}
END_TEST

/* It dies as the clock is set: found out no later and no sooner than otherwise, but for how late its last beat was read. */
START_TEST(test_a_step_hides_no_death_and_keeps_no_lease)
{
	struct story story = {0};
	struct told plain = tell(&story);

	ck_assert_int_gt(plain.dead_us, LAST_BEAT_US + 150 * MS);
	for (size_t i = 0; i < sizeof(steps_us) / sizeof(*steps_us); i++) {
		story.step_us = steps_us[i];
		struct told told = tell(&story);

		ck_assert_uint_eq(told.changes, plain.changes);
		ck_assert_int_ge(told.suspected_us, plain.suspected_us);
		ck_assert_int_le(told.suspected_us, plain.suspected_us + READ_US);
		ck_assert_int_ge(told.dead_us, plain.dead_us);
		ck_assert_int_le(told.dead_us, plain.dead_us + READ_US);
		ck_assert_int_ge(told.contact_us, plain.contact_us);
		ck_assert_int_le(told.contact_us, plain.contact_us + READ_US);
		ck_assert_int_eq(told.evidence_us, plain.evidence_us);
	}
}
END_TEST

/* What has waited in the socket for most of a second is no contact, whatever the clock has done meanwhile. */
START_TEST(test_what_has_waited_is_not_made_fresh)
{
	struct story story = {.deaf_us = 800 * MS};
	int64_t away_us[] = {HOUR, -HOUR, 59 * SECOND, -800 * MS, -801 * MS, -750 * MS, -59 * SECOND, 0};

	for (size_t i = 0; i < sizeof(away_us) / sizeof(*away_us); i++) {
		story.step_us = away_us[i];
		struct told told = tell(&story);

		ck_assert_int_lt(told.contact_us, LAST_BEAT_US + story.deaf_us);
		ck_assert_int_le(told.evidence_us, LAST_BEAT_US);
		ck_assert_int_gt(told.dead_us, 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stamp");
	TCase *all = tcase_create("all");

	tcase_add_test(all, test_the_age_of_a_stamp_is_taken_off_the_present);
	tcase_add_test(all, test_after_a_step_no_stamp_of_that_reading_is_believed);
	tcase_add_test(all, test_a_clock_that_is_slewed_is_believed);
	tcase_add_test(all, test_a_step_makes_no_suspicion);
	tcase_add_test(all, test_a_step_hides_no_death_and_keeps_no_lease);
	tcase_add_test(all, test_what_has_waited_is_not_made_fresh);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
