/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "controller/io/decisions/state.h"

static struct wish *wish_new(struct decisions *decisions, const char *endpoint, const char *gateway,
	wish_done *done, void *context)
{
	struct wish *wish = mem_new(1, sizeof *wish);
	wish->decisions = decisions;
	text_copy(wish->endpoint, sizeof wish->endpoint, endpoint);
	text_copy(wish->gateway, sizeof wish->gateway, gateway);
	wish->deadline_ms = clock_now_ms() + DECISIONS_WISH_MS;
	wish->done = done;
	wish->context = context;
	DL_PREPEND(decisions->wishes, wish);
	return wish;
}

void wish_cancel(struct wish *wish)
{
	if (!wish)
		return;
	DL_DELETE(wish->decisions->wishes, wish);
	free(wish);
}

int decisions_move(struct decisions *decisions, const char *endpoint, const char *to, wish_done *done,
	void *context, struct wish **ret_wish, struct err *err)
{
	struct decided *decided = decided_find(decisions, endpoint);
	struct ownership_actions actions = {0};
	if (!decided)
		return err_set(err, -ENOENT, "no endpoint \"%s\" in the fleet", endpoint);
	size_t member = ownership_find(&decided->ownership, to);
	if (member == OWNERSHIP_NOBODY)
		return err_set(err, -ENOENT, "no gateway \"%s\" in the pool of %s", to, endpoint);
	int r = ownership_move(&decided->ownership, member, clock_now_ms(), &actions, err);
	if (r < 0)
		return r;
	*ret_wish = wish_new(decisions, endpoint, to, done, context);
	decided_act(decisions, decided, &actions);
	decisions_stepped(decisions);
	return 0;
}

struct wish *decisions_await_drained(
	struct decisions *decisions, const char *gateway, wish_done *done, void *context)
{
	struct wish *wish = wish_new(decisions, "", gateway, done, context);
	decisions_stepped(decisions);
	return wish;
}

static bool is_changing(const struct ownership *ownership)
{
	return ownership->phase == OWNERSHIP_MOVING || ownership->phase == OWNERSHIP_TAKING;
}

/* 0: came true; -EAGAIN: not yet; else why it never will. */
static int check_move(const struct wish *wish, char *text, size_t size)
{
	const struct decided *decided = decided_find(wish->decisions, wish->endpoint);
	if (!decided) {
		snprintf(text, size, "%s has left the fleet", wish->endpoint);
		return -ENOENT;
	}
	const struct ownership *ownership = &decided->ownership;
	if (is_changing(ownership))
		return -EAGAIN;
	if (decisions_owns(wish->decisions, ownership, wish->gateway) && ownership->phase == OWNERSHIP_STABLE)
		return 0;
	const char *why = ownership->why[0] ? ownership->why : decided->last_text;
	snprintf(text, size, "%s did not move to %s%s%s", wish->endpoint, wish->gateway, *why ? ": " : "",
		why);
	return -EHOSTDOWN;
}

static bool anybody_can_take(const struct ownership *ownership, int64_t now_ms, struct err *err)
{
	for (size_t i = 0; i < ownership->config.member_count; i++)
		if (i != ownership->owner && ownership_can_take(ownership, i, now_ms, err))
			return true;
	return false;
}

static int check_drain(const struct wish *wish, int64_t now_ms, char *text, size_t size)
{
	const struct decisions *decisions = wish->decisions;
	int r = 0;
	for (size_t i = 0; i < decisions->count; i++) {
		const struct ownership *ownership = &decisions->items[i]->ownership;
		struct err err = {.text = "nobody else is in its pool"};
		if (!decisions_owns(decisions, ownership, wish->gateway))
			continue;
		r = -EAGAIN;
		if (is_changing(ownership) || anybody_can_take(ownership, now_ms, &err))
			continue;
		snprintf(text, size, "%s stays on %s until somebody else can have it: %s",
			ownership->config.name, wish->gateway, err.text);
		return -EHOSTDOWN;
	}
	return r;
}

static bool conclude(struct wish *wish, int64_t now_ms)
{
	char text[1024] = "";
	wish_done *done = wish->done;
	void *context = wish->context;
	int r = wish->endpoint[0] ? check_move(wish, text, sizeof text)
				  : check_drain(wish, now_ms, text, sizeof text);
	if (r == -EAGAIN && now_ms < wish->deadline_ms)
		return false;
	if (r == -EAGAIN) {
		r = -ETIMEDOUT;
		snprintf(text, sizeof text, "not done within %d s; it goes on", DECISIONS_WISH_MS / 1000);
	}
	wish_cancel(wish);
	done(r, text, context);
	return true;
}

static bool conclude_one(struct decisions *decisions, int64_t now_ms)
{
	for (struct wish *wish = decisions->wishes; wish; wish = wish->next)
		if (conclude(wish, now_ms))
			return true;
	return false;
}

/* A done() may make and cancel wishes: begin anew after each. */
void wishes_check(struct decisions *decisions, int64_t now_ms)
{
	while (conclude_one(decisions, now_ms))
		;
}

int64_t wishes_deadline(const struct decisions *decisions)
{
	int64_t deadline_ms = INT64_MAX;
	for (const struct wish *wish = decisions->wishes; wish; wish = wish->next)
		if (wish->deadline_ms < deadline_ms)
			deadline_ms = wish->deadline_ms;
	return deadline_ms;
}
