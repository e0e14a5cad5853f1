/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/hook/course.h"

static void run(struct course *course, enum course_state state)
{
	course->state = state;
	course->asks = true;
}

void course_begin(struct course *course, bool was_made, bool owed)
{
	*course = (struct course){.state = COURSE_NONE, .there = was_made};
	if (was_made)
		course->state = owed ? COURSE_MADE : COURSE_UP;
}

void course_want(struct course *course, bool wanted)
{
	course->wanted = wanted;
}

void course_hurry(struct course *course)
{
	course->retry_ms = course->retry_at_ms = 0;
}

/* ---- looks ---- */

static void look_at_missing(struct course *course, int64_t now_ms)
{
	if (!course->wanted)
		course->state = COURSE_OVER;
	else if (now_ms >= course->retry_at_ms)
		run(course, COURSE_PREPARING);
}

/* One that somebody deleted is made anew, from the start. */
static void look_at_made(struct course *course, int64_t now_ms)
{
	if (!course->wanted) {
		run(course, course->there ? COURSE_PARTING : COURSE_CLOSING);
	} else if (!course->there) {
		course->state = COURSE_NONE;
		look_at_missing(course, now_ms);
	}
}

void course_look(struct course *course, enum course_sight sight, int64_t now_ms)
{
	bool there = sight == COURSE_SEEN;

	course->unseen = sight == COURSE_UNSEEN;
	if (course->unseen)
		return;
	course->there = there;
	if (course->state == COURSE_NONE && there) {
		course->state = COURSE_UP; /* others made it: it is taken over as it is */
		course_hurry(course);
	}
	if (course->state == COURSE_GOING && course->wanted)
		course->state = COURSE_MADE;
	switch (course->state) {
	case COURSE_NONE:
		look_at_missing(course, now_ms);
		return;
	case COURSE_READY:
		if (there || !course->wanted) {
			course->state = COURSE_MADE;
			look_at_made(course, now_ms); /* not wanted any more: what pre_up did is undone */
		}
		return;
	case COURSE_MADE:
	case COURSE_UP:
		look_at_made(course, now_ms);
		return;
	case COURSE_GOING:
		if (!there)
			run(course, COURSE_CLOSING);
		return;
	case COURSE_PREPARING:
	case COURSE_FOLLOWING:
	case COURSE_PARTING:
	case COURSE_CLOSING:
	case COURSE_OVER:
		return;
	}
}

/* From whatever state: the look may know better than course_look() did whether it was there. */
void course_made(struct course *course)
{
	if (!course_is_running(course))
		course->state = COURSE_MADE;
	course->there = true;
}

void course_removed(struct course *course)
{
	if (course->state == COURSE_GOING)
		run(course, COURSE_CLOSING);
}

void course_looked(struct course *course, bool well)
{
	if (course->state == COURSE_MADE && course->wanted && !course->unseen && well)
		run(course, COURSE_FOLLOWING);
}

bool course_is_apart(const struct course *course)
{
	if (course->unseen)
		return true;
	switch (course->state) {
	case COURSE_NONE:
	case COURSE_PREPARING:
	case COURSE_PARTING:
	case COURSE_CLOSING:
		return true;
	case COURSE_FOLLOWING:
		return !course->wanted || !course->there;
	case COURSE_READY:
	case COURSE_MADE:
	case COURSE_UP:
	case COURSE_GOING:
	case COURSE_OVER:
		return false;
	}
	return false;
}

bool course_shuts_out(const struct course *course)
{
	return !course->wanted && course->there &&
	       (course->unseen || course->state == COURSE_PARTING || course->state == COURSE_FOLLOWING);
}

/* ---- hooks ---- */

bool course_is_running(const struct course *course)
{
	return course->state == COURSE_PREPARING || course->state == COURSE_FOLLOWING ||
	       course->state == COURSE_PARTING || course->state == COURSE_CLOSING;
}

bool course_next(struct course *course, enum desired_hook *ret_hook)
{
	bool asks = course->asks && course_is_running(course);

	course->asks = false;
	if (asks)
		*ret_hook = course->state == COURSE_PREPARING   ? HOOK_PRE_UP
			    : course->state == COURSE_FOLLOWING ? HOOK_POST_UP
			    : course->state == COURSE_PARTING   ? HOOK_PRE_DOWN
								: HOOK_POST_DOWN;
	return asks;
}

static void prepared(struct course *course, bool well, int64_t now_ms)
{
	course->state = well ? COURSE_READY : COURSE_NONE;
	if (well) {
		course->retry_ms = course->retry_at_ms = 0;
		return;
	}
	course->retry_ms = course->retry_ms ? course->retry_ms * 2 : COURSE_RETRY_MIN_MS;
	if (course->retry_ms > COURSE_RETRY_MAX_MS)
		course->retry_ms = COURSE_RETRY_MAX_MS;
	course->retry_at_ms = now_ms + course->retry_ms;
}

void course_ended(struct course *course, bool well, int64_t now_ms)
{
	switch (course->state) {
	case COURSE_PREPARING:
		prepared(course, well, now_ms);
		return;
	case COURSE_FOLLOWING:
		course->state = COURSE_UP;
		return;
	case COURSE_PARTING:
		course->state = course->wanted ? COURSE_MADE : COURSE_GOING;
		return;
	case COURSE_CLOSING:
		course->state = course->wanted ? COURSE_NONE : COURSE_OVER;
		return;
	case COURSE_NONE:
	case COURSE_READY:
	case COURSE_MADE:
	case COURSE_UP:
	case COURSE_GOING:
	case COURSE_OVER:
		return;
	}
}

bool course_owes(const struct course *course)
{
	return course->state != COURSE_UP;
}
