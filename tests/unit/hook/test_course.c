/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>

#include "node-agent/core/hook/course.h"

/* A gateway with one tunnel: what is there, and what a look would do. */
struct world {
	struct course course;
	bool there, broken,
		blind; /* broken: what makes it fails; blind: the kernel does not say what is there */
	int64_t now_ms;
};

static struct world fresh(void)
{
	struct world world = {.now_ms = 1000};

	course_begin(&world.course, false, false);
	course_want(&world.course, true);
	return world;
}

/* A look of the plan engine, which makes what is wanted and removes what is not. */
static void look(struct world *world)
{
	struct course *course = &world->course;

	course_look(course,
		world->blind   ? COURSE_UNSEEN
		: world->there ? COURSE_SEEN
			       : COURSE_MISSING,
		world->now_ms);
	if (!course_is_apart(course) && course->wanted && !world->there) {
		world->there = true;
		course_made(course);
	} else if (!course_is_apart(course) && !course->wanted && world->there) {
		world->there = false;
		course_removed(course);
	}
	course_looked(course, !world->broken);
}

static void ends(struct world *world, bool well)
{
	course_ended(&world->course, well, world->now_ms);
}

/* These hooks run next, and no others. */
static void check_runs(struct world *world, enum desired_hook expected)
{
	enum desired_hook hook = HOOKS;

	ck_assert(course_next(&world->course, &hook));
	ck_assert_int_eq(hook, expected);
	ck_assert(!course_next(&world->course, &hook));
	ck_assert(course_is_running(&world->course));
}

static void check_quiet(struct world *world)
{
	enum desired_hook hook;

	for (int i = 0; i < 3; i++) {
		look(world);
		ck_assert(!course_next(&world->course, &hook));
		ck_assert(!course_is_running(&world->course));
		world->now_ms += 60000;
	}
}

static struct world up(void)
{
	struct world world = fresh();

	look(&world);
	check_runs(&world, HOOK_PRE_UP);
	ck_assert(!world.there);
	ends(&world, true);
	look(&world);
	ck_assert(world.there);
	check_runs(&world, HOOK_POST_UP);
	ends(&world, true);
	return world;
}

START_TEST(hooks_run_once_around_making_and_removing)
{
	struct world world = up();

	check_quiet(&world);
	ck_assert(!course_owes(&world.course));
	ck_assert(!course_shuts_out(&world.course));
	course_want(&world.course, false);
	look(&world);
	check_runs(&world, HOOK_PRE_DOWN);
	look(&world);
	ck_assert(world.there); /* it stays while they run, for nobody */
	ck_assert(course_shuts_out(&world.course));
	ends(&world, true);
	look(&world);
	ck_assert(!world.there);
	check_runs(&world, HOOK_POST_DOWN);
	ends(&world, true);
	ck_assert_int_eq(world.course.state, COURSE_OVER);
	check_quiet(&world);
}
END_TEST

START_TEST(what_runs_is_not_run_again_by_looks)
{
	struct world world = fresh();
	enum desired_hook hook;

	look(&world);
	check_runs(&world, HOOK_PRE_UP);
	for (int i = 0; i < 3; i++) {
		look(&world);
		ck_assert(!course_next(&world.course, &hook));
		ck_assert(!world.there && course_is_apart(&world.course));
	}
}
END_TEST

START_TEST(pre_up_that_fails_keeps_it_away_and_is_tried_again)
{
	struct world world = fresh();
	enum desired_hook hook;
	int64_t wait_ms = COURSE_RETRY_MIN_MS;

	for (int i = 0; i < 8; i++) {
		look(&world);
		check_runs(&world, HOOK_PRE_UP);
		ends(&world, false);
		world.now_ms += wait_ms - 1;
		look(&world);
		ck_assert(!course_next(&world.course, &hook));
		ck_assert(!world.there);
		world.now_ms++;
		wait_ms = wait_ms * 2 > COURSE_RETRY_MAX_MS ? COURSE_RETRY_MAX_MS : wait_ms * 2;
	}
	look(&world);
	check_runs(&world, HOOK_PRE_UP);
	ends(&world, true);
	look(&world);
	ck_assert(world.there);
}
END_TEST

START_TEST(pre_up_that_was_corrected_is_tried_at_once)
{
	struct world world = fresh();
	enum desired_hook hook;

	for (int i = 0; i < 3; i++) {
		look(&world);
		check_runs(&world, HOOK_PRE_UP);
		ends(&world, false);
		world.now_ms += COURSE_RETRY_MAX_MS;
	}
	look(&world);
	check_runs(&world, HOOK_PRE_UP);
	ends(&world, false);
	look(&world);
	ck_assert(!course_next(&world.course, &hook));
	course_hurry(&world.course);
	look(&world);
	check_runs(&world, HOOK_PRE_UP);
	ends(&world, false);
	world.now_ms += COURSE_RETRY_MIN_MS; /* as after a first time */
	look(&world);
	check_runs(&world, HOOK_PRE_UP);
	ends(&world, false);
	world.there = true; /* others made it, and delete it again: no failure is waited for any more */
	look(&world);
	world.there = false;
	look(&world);
	check_runs(&world, HOOK_PRE_UP);
}
END_TEST

START_TEST(post_up_waits_until_it_is_whole)
{
	struct world world = fresh();
	enum desired_hook hook;

	look(&world);
	check_runs(&world, HOOK_PRE_UP);
	ends(&world, true);
	world.broken = true;
	look(&world);
	look(&world);
	ck_assert(world.there);
	ck_assert(!course_next(&world.course, &hook));
	ck_assert(course_owes(&world.course));
	world.broken = false;
	look(&world);
	check_runs(&world, HOOK_POST_UP);
}
END_TEST

START_TEST(others_that_fail_change_nothing)
{
	struct world world = fresh();

	look(&world);
	check_runs(&world, HOOK_PRE_UP);
	ends(&world, true);
	look(&world);
	check_runs(&world, HOOK_POST_UP);
	ends(&world, false);
	check_quiet(&world);
	course_want(&world.course, false);
	look(&world);
	check_runs(&world, HOOK_PRE_DOWN);
	ends(&world, false);
	look(&world);
	ck_assert(!world.there);
	check_runs(&world, HOOK_POST_DOWN);
	ends(&world, false);
	ck_assert_int_eq(world.course.state, COURSE_OVER);
}
END_TEST

START_TEST(one_that_was_there_before_is_taken_as_it_is)
{
	struct world world = {.there = true, .now_ms = 1000};

	course_begin(&world.course, true, false);
	course_want(&world.course, true);
	check_quiet(&world);
}
END_TEST

START_TEST(one_whose_post_up_was_cut_off_gets_it)
{
	struct world world = {.there = true, .now_ms = 1000};

	course_begin(&world.course, true, true);
	course_want(&world.course, true);
	look(&world);
	check_runs(&world, HOOK_POST_UP);
	ends(&world, true);
	check_quiet(&world);
}
END_TEST

START_TEST(a_removal_that_was_cut_off_goes_on)
{
	struct world world = {.there = true, .now_ms = 1000};

	course_begin(&world.course, true, true);
	look(&world);
	check_runs(&world, HOOK_PRE_DOWN);
	world = (struct world){.now_ms = 1000};
	course_begin(&world.course, true, true);
	look(&world);
	check_runs(&world, HOOK_POST_DOWN);
}
END_TEST

START_TEST(one_that_somebody_deleted_is_made_anew)
{
	struct world world = up();

	world.there = false;
	look(&world);
	check_runs(&world, HOOK_PRE_UP);
	ck_assert(!world.there);
	ends(&world, true);
	look(&world);
	ck_assert(world.there);
	check_runs(&world, HOOK_POST_UP);
	world.there = false; /* while post_up runs */
	look(&world);
	ck_assert(!world.there);
	ends(&world, true);
	look(&world);
	check_runs(&world, HOOK_PRE_UP);
}
END_TEST

START_TEST(what_is_not_known_to_be_gone_is_not_taken_for_gone)
{
	struct world world = up();

	world.blind = true;
	check_quiet(&world);
	ck_assert_int_eq(world.course.state, COURSE_UP);
	ck_assert(!course_shuts_out(&world.course));
	course_want(&world.course, false);
	check_quiet(&world);
	ck_assert_int_eq(world.course.state, COURSE_UP);
	ck_assert(world.there); /* not removed without its pre_down, but let nobody in */
	ck_assert(course_shuts_out(&world.course));
	world.blind = false;
	look(&world);
	check_runs(&world, HOOK_PRE_DOWN);
	ends(&world, true);
	world.blind = true;
	check_quiet(&world);
	ck_assert_int_eq(world.course.state, COURSE_GOING);
	ck_assert(world.there);
	world.blind = false;
	look(&world);
	check_runs(&world, HOOK_POST_DOWN);

	world = (struct world){.there = true, .blind = true, .now_ms = 1000};
	course_begin(&world.course, true, true);
	course_want(&world.course, true);
	check_quiet(&world); /* it may not be whole */
	world.blind = false;
	look(&world);
	check_runs(&world, HOOK_POST_UP);
}
END_TEST

START_TEST(one_that_is_wanted_again_stays)
{
	struct world world = up();

	course_want(&world.course, false);
	look(&world);
	check_runs(&world, HOOK_PRE_DOWN);
	course_want(&world.course, true);
	look(&world);
	ck_assert(!course_shuts_out(&world.course));
	ends(&world, true);
	look(&world);
	ck_assert(world.there);
	check_runs(&world, HOOK_POST_UP);
	ends(&world, true);
	check_quiet(&world);
}
END_TEST

START_TEST(one_that_is_wanted_again_too_late_is_made_anew)
{
	struct world world = up();

	course_want(&world.course, false);
	look(&world);
	check_runs(&world, HOOK_PRE_DOWN);
	ends(&world, true);
	look(&world);
	check_runs(&world, HOOK_POST_DOWN);
	course_want(&world.course, true);
	look(&world);
	ck_assert(!world.there);
	ends(&world, true);
	look(&world);
	check_runs(&world, HOOK_PRE_UP);
}
END_TEST

START_TEST(one_that_is_not_wanted_any_more_goes_when_its_hooks_have_ended)
{
	struct world world = fresh();

	look(&world);
	check_runs(&world, HOOK_PRE_UP);
	course_want(&world.course, false);
	look(&world);
	ends(&world, true);
	look(&world);
	ck_assert(!world.there);
	check_runs(&world, HOOK_POST_DOWN);

	world = fresh();
	look(&world);
	check_runs(&world, HOOK_PRE_UP);
	ends(&world, true);
	look(&world);
	check_runs(&world, HOOK_POST_UP);
	course_want(&world.course, false);
	look(&world);
	ck_assert(world.there); /* post_up runs */
	ck_assert(course_shuts_out(&world.course));
	ends(&world, true);
	look(&world);
	check_runs(&world, HOOK_PRE_DOWN);
}
END_TEST

START_TEST(one_whose_pre_up_failed_is_forgotten)
{
	struct world world = fresh();

	look(&world);
	check_runs(&world, HOOK_PRE_UP);
	course_want(&world.course, false);
	ends(&world, false);
	look(&world);
	ck_assert_int_eq(world.course.state, COURSE_OVER);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("courses");
	TCase *tcase = tcase_create("courses");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, hooks_run_once_around_making_and_removing);
	tcase_add_test(tcase, what_runs_is_not_run_again_by_looks);
	tcase_add_test(tcase, pre_up_that_fails_keeps_it_away_and_is_tried_again);
	tcase_add_test(tcase, pre_up_that_was_corrected_is_tried_at_once);
	tcase_add_test(tcase, post_up_waits_until_it_is_whole);
	tcase_add_test(tcase, others_that_fail_change_nothing);
	tcase_add_test(tcase, one_that_was_there_before_is_taken_as_it_is);
	tcase_add_test(tcase, one_whose_post_up_was_cut_off_gets_it);
	tcase_add_test(tcase, a_removal_that_was_cut_off_goes_on);
	tcase_add_test(tcase, one_that_somebody_deleted_is_made_anew);
	tcase_add_test(tcase, what_is_not_known_to_be_gone_is_not_taken_for_gone);
	tcase_add_test(tcase, one_that_is_wanted_again_stays);
	tcase_add_test(tcase, one_that_is_wanted_again_too_late_is_made_anew);
	tcase_add_test(tcase, one_that_is_not_wanted_any_more_goes_when_its_hooks_have_ended);
	tcase_add_test(tcase, one_whose_pre_up_failed_is_forgotten);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
