/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/readiness/readiness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

void readiness_init(struct readiness *readiness)
{
	*readiness = (struct readiness){0};
}

/* ---- who is asked ---- */

static bool same_hop(const struct readiness_hop *a, const struct readiness_hop *b)
{
	return a->kind == b->kind && !strcmp(a->interface, b->interface) &&
	       addr_equal(&a->address, &b->address);
}

static const struct readiness_hop *find_hop(
	const struct readiness_hop *hops, size_t count, const struct readiness_hop *hop)
{
	for (size_t i = 0; i < count; i++)
		if (same_hop(&hops[i], hop))
			return &hops[i];
	return NULL;
}

void readiness_ask(
	struct readiness *readiness, const struct readiness_hop *hops, size_t count, int64_t now_ms)
{
	struct readiness before = *readiness;

	readiness->hop_count = readiness->hops_left_out = 0;
	for (size_t i = 0; i < count; i++) {
		const struct readiness_hop *known = find_hop(before.hops, before.hop_count, &hops[i]);
		struct readiness_hop *hop;

		if (find_hop(readiness->hops, readiness->hop_count, &hops[i]))
			continue; /* many routes lead to one router */
		if (readiness->hop_count == READINESS_HOPS_MAX) {
			readiness->hops_left_out++;
			continue;
		}
		hop = &readiness->hops[readiness->hop_count++];
		*hop = hops[i];
		hop->since_ms = known ? known->since_ms : now_ms;
		hop->answered_ms = known ? known->answered_ms : READINESS_NEVER;
	}
}

void readiness_answered(
	struct readiness *readiness, const struct addr *address, const char *interface, int64_t now_ms)
{
	for (size_t i = 0; i < readiness->hop_count; i++) {
		struct readiness_hop *hop = &readiness->hops[i];

		if (addr_equal(&hop->address, address) && (!interface || !strcmp(hop->interface, interface)))
			hop->answered_ms = now_ms;
	}
}

static bool answers(const struct readiness_hop *hop, int64_t now_ms)
{
	return hop->answered_ms != READINESS_NEVER && now_ms - hop->answered_ms < READINESS_SILENT_MS;
}

/* ---- the verdict ---- */

struct judging {
	const struct readiness_view *view;
	int64_t now_ms;
	struct standing *standing;
	int64_t proved_ms; /* the oldest of what it rests on */
};

__attribute__((format(printf, 2, 3))) static void remark(struct judging *judging, const char *format, ...)
{
	struct standing *standing = judging->standing;
	va_list list;

	if (standing->reason_count == STANDING_REASONS_MAX)
		return;
	va_start(list, format);
	vsnprintf(standing->reasons[standing->reason_count++], sizeof(standing->reasons[0]), format, list);
	va_end(list);
}

#define object(judging, ...) ((judging)->standing->ready = false, remark(judging, __VA_ARGS__))

static void prove(struct judging *judging, int64_t at_ms)
{
	if (at_ms < judging->proved_ms)
		judging->proved_ms = at_ms;
}

static void judge_kernel(struct judging *judging)
{
	const struct readiness_view *view = judging->view;

	prove(judging, view->compared_ms);
	if (view->difference[0])
		object(judging, "%s", view->difference);
	else if (view->compared_ms == READINESS_NEVER || view->compared_ms < view->standby_ms)
		object(judging, "its kernel has not been found in order yet since it became a standby");
	else if (judging->now_ms - view->compared_ms > READINESS_COMPARED_MS)
		object(judging, "its kernel was found in order %" PRId64 " s ago for the last time",
			(judging->now_ms - view->compared_ms) / 1000);
}

static bool is_usable(const struct readiness_view *view, const char *interface)
{
	for (size_t i = 0; i < view->link_count; i++)
		if (!strcmp(view->links[i].name, interface))
			return view->links[i].usable;
	return true;
}

static void judge_links(struct judging *judging)
{
	for (size_t i = 0; i < judging->view->link_count; i++)
		if (!judging->view->links[i].usable)
			object(judging, "%s is down, has no carrier, or is not there",
				judging->view->links[i].name);
}

static void judge_router(struct judging *judging, const struct readiness_hop *hop)
{
	char text[ADDR_TEXT_MAX];

	if (!is_usable(judging->view, hop->interface))
		return; /* said already */
	prove(judging, hop->answered_ms);
	if (!answers(hop, judging->now_ms))
		object(judging, "%s, where a route leads, does not answer on %s",
			addr_format(&hop->address, text, sizeof(text)), hop->interface);
}

static void judge_connections(struct judging *judging)
{
	const struct readiness_view *view = judging->view;

	if (!view->mirrors || !view->owner[0])
		return;
	prove(judging, view->mirrored_ms);
	if (view->mirrored_ms == READINESS_NEVER)
		object(judging,
			"its copy of %s's connections is not whole%s%s%s: TCP through translation would end",
			view->owner, view->mirror_why[0] ? " (" : "", view->mirror_why,
			view->mirror_why[0] ? ")" : "");
}

/* A generation is everywhere within moments; who stays behind would serve an old one. */
static void judge_generation(struct judging *judging, struct readiness *readiness)
{
	const struct readiness_view *view = judging->view;

	if (view->owner_generation <= view->generation) {
		readiness->behind_of = 0;
		return;
	}
	if (!readiness->behind_of)
		readiness->behind_ms = judging->now_ms;
	readiness->behind_of = view->owner_generation;
	if (judging->now_ms - readiness->behind_ms >= READINESS_BEHIND_MS)
		object(judging, "it holds generation %" PRIu64 ", and %s holds %" PRIu64, view->generation,
			view->owner, view->owner_generation);
}

/* Rule 10. */
static void judge_floor(struct judging *judging)
{
	const struct readiness_view *view = judging->view;

	if (view->generation < view->floor)
		object(judging,
			"it holds generation %" PRIu64 ", below the revocation floor %" PRIu64
			": a controller has to bring the newest",
			view->generation, view->floor);
	else if (!view->floor_confirmed)
		object(judging, "nobody has confirmed the revocation floor since it started: neither a "
				"controller nor a "
				"gateway of its pool was heard");
}

static void judge_steering(struct judging *judging)
{
	const struct readiness_view *view = judging->view;

	if (view->owner[0] && !view->owner_is_neighbour)
		remark(judging,
			"%s is not known as a neighbour on the outer interface: a planned move loses packets",
			view->owner);
}

/* Who says that it is not this gateway that is cut off? A pool of two has nobody but the witness. */
static void judge_alone(const struct readiness *readiness, struct judging *judging)
{
	const struct readiness_view *view = judging->view;
	char *alone = judging->standing->alone, text[ADDR_TEXT_MAX];
	const struct readiness_hop *silent = NULL;

	if (view->exclusive) {
		text_copy(alone, PROTO_REASON_MAX + 1,
			"isolation: fence moves nothing while no controller lives");
		return;
	}
	for (size_t i = 0; i < readiness->hop_count; i++) {
		if (readiness->hops[i].kind != READINESS_WITNESS)
			continue;
		if (answers(&readiness->hops[i], judging->now_ms))
			return;
		silent = &readiness->hops[i];
	}
	if (view->witnesses)
		return;
	if (silent)
		snprintf(alone, PROTO_REASON_MAX + 1,
			"the witness %s does not answer, and no third member of the pool is heard",
			addr_format(&silent->address, text, sizeof(text)));
	else
		text_copy(alone, PROTO_REASON_MAX + 1,
			"there is no witness (name one: witness:) and no third member of the pool is heard");
}

static void judge_sessions(struct judging *judging)
{
	if (judging->view->forgets)
		object(judging, "it has not forgotten yet the sessions from when it served last");
}

static uint32_t age_ms(const struct judging *judging)
{
	int64_t age_ms;

	if (judging->proved_ms == READINESS_NEVER)
		return STANDING_NEVER;
	age_ms = judging->now_ms - judging->proved_ms;
	if (age_ms >= STANDING_NEVER)
		return STANDING_NEVER;
	return age_ms < 0 ? 0 : (uint32_t)age_ms;
}

void readiness_judge(struct readiness *readiness, const struct readiness_view *view, int64_t now_ms,
	struct standing *ret_standing)
{
	struct judging judging = {
		.view = view, .now_ms = now_ms, .standing = ret_standing, .proved_ms = now_ms};

	ret_standing->ready = true;
	ret_standing->reason_count = 0;
	ret_standing->alone[0] = '\0';
	judge_kernel(&judging);
	judge_links(&judging);
	judge_sessions(&judging);
	for (size_t i = 0; i < readiness->hop_count; i++)
		if (readiness->hops[i].kind == READINESS_ROUTER)
			judge_router(&judging, &readiness->hops[i]);
	judge_connections(&judging);
	judge_floor(&judging);
	judge_generation(&judging, readiness);
	judge_steering(&judging);
	if (readiness->hops_left_out)
		remark(&judging, "%zu more next hops are not asked", readiness->hops_left_out);
	judge_alone(readiness, &judging);
	ret_standing->proved_ago_ms = age_ms(&judging);
}
