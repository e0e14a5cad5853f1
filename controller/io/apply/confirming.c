/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/apply/confirming.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/duration.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "controller/io/apply/apply.h"
#include "controller/io/audit.h"
#include "controller/io/controller.h"
#include "controller/io/fleet_file.h"

struct confirming {
	struct controller *controller;
	struct confirmation state;
	struct store_confirmation record;
	struct event *timer;
	char error[CONFIRMING_TEXT_MAX];
	bool writing; /* it has been confirmed, and the store is being told */
	char confirmer[STORE_WHO_MAX + 1];
	confirming_done *done;
	void *context;
};

static void arm(struct confirming *confirming)
{
	int64_t at_ms = confirmation_deadline(&confirming->state), wait_ms = at_ms - clock_now_ms();
	evtimer_del(confirming->timer);
	if (at_ms < 0)
		return;
	if (wait_ms < 0)
		wait_ms = 0;
	const struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000L};
	evtimer_add(confirming->timer, &wait);
}

static void tell(struct confirming *confirming, const char *event, const char *text)
{
	log_notice(
		"apply", event, log_u64("generation", confirming->state.generation), log_text("text", text));
	journal_add(confirming->controller->journal,
		&(struct journal_entry){
			.event = event, .text = text, .generation = confirming->state.generation});
}

/* "5m", "5m 20s", "12.500s": whatever is left, in whole seconds. */
static const char *format_left(int64_t left_ms, char *buffer, size_t size)
{
	return duration_format((left_ms + 999) / 1000 * 1000, buffer, size);
}

void confirming_describe(const struct confirming *confirming, char *text, size_t size)
{
	const struct confirmation *state = &confirming->state;
	int64_t now_ms = clock_now_ms();
	char left[32];
	if (confirmation_is_over(state, now_ms))
		snprintf(text, size,
			"generation %" PRIu64 " was not confirmed: it is being rolled back to %" PRIu64
			"%s%s",
			state->generation, state->back_to,
			*confirming->error ? "; refused, and tried again: " : "", confirming->error);
	else
		snprintf(text, size,
			"generation %" PRIu64
			" awaits a confirmation for another %s: 'holdfast confirm' keeps it, "
			"'holdfast rollback %" PRIu64 "' takes it back",
			state->generation,
			format_left(confirmation_left_ms(state, now_ms), left, sizeof left), state->back_to);
}

static void on_rolled_back(const struct apply_result *result, void *context)
{
	struct confirming *confirming = context;
	const char *why = result->errors->count ? result->errors->items[0] : "";
	char what[STORE_WHAT_MAX + 1], text[2 * CONFIRMING_TEXT_MAX];
	snprintf(what, sizeof what, "generation %" PRIu64, confirming->record.back_to);
	if (!result->changed)
		audit_add(confirming->controller, AUDIT_OWN, "rollback", what, result->status, why);
	if (result->status == 200) {
		if (!result->changed) /* its files are those in force: nothing was written */
			confirming_end(confirming);
		return; /* commit() has ended it */
	}
	snprintf(text, sizeof text,
		"generation %" PRIu64 " was not confirmed, and cannot be rolled back to %" PRIu64
		" yet: %s; tried again every %d s",
		confirming->state.generation, confirming->state.back_to, why, CONFIRMATION_RETRY_MS / 1000);
	if (!*confirming->error)
		tell(confirming, "alarm", text);
	text_copy(confirming->error, sizeof confirming->error, why);
}

static void roll_back(struct confirming *confirming)
{
	const struct confirmation *state = &confirming->state;
	char what[STORE_WHAT_MAX + 1], given[32];
	snprintf(what, sizeof what,
		"rollback to %" PRIu64 ": generation %" PRIu64 " was not confirmed within %s", state->back_to,
		state->generation, duration_format(state->given_ms, given, sizeof given));
	apply_start(confirming->controller,
		&(struct apply_request){
			.rollback_to = state->back_to, .who = AUDIT_OWN, .what = what, .forced = true},
		on_rolled_back, confirming);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct confirming *confirming = context;
	(void)fd;
	(void)what;
	if (!confirming->writing && confirmation_attempt(&confirming->state, clock_now_ms()))
		roll_back(confirming);
	arm(confirming);
}

void confirming_begin(struct confirming *confirming, const struct store_confirmation *record)
{
	char text[CONFIRMING_TEXT_MAX];
	confirming->record = *record;
	confirming->error[0] = '\0';
	confirmation_begin(
		&confirming->state, record->generation, record->back_to, record->given_ms, clock_now_ms());
	confirming_describe(confirming, text, sizeof text);
	tell(confirming, "unconfirmed", text);
	arm(confirming);
}

void confirming_end(struct confirming *confirming)
{
	confirmation_end(&confirming->state);
	confirming->error[0] = '\0';
	evtimer_del(confirming->timer);
	fleet_file_retry(confirming->controller->fleet_file);
}

int confirming_new(struct controller *controller, struct confirming **ret_confirming, struct err *err)
{
	struct confirming *confirming = mem_new(1, sizeof *confirming);
	struct store_confirmation *record = &confirming->record;
	confirming->controller = controller;
	confirming->timer = evtimer_new(controller->base, on_timer, confirming);
	int r = store_load_confirmation(controller->store, record, err);
	if (r < 0 && r != -ENOENT) {
		confirming_free(confirming);
		return r;
	}
	if (r >= 0)
		confirmation_resume(&confirming->state, record->generation, record->back_to, record->given_ms,
			record->deadline_ms, clock_wall_ms(), clock_now_ms());
	arm(confirming);
	*ret_confirming = confirming;
	return 0;
}

void confirming_free(struct confirming *confirming)
{
	if (!confirming)
		return;
	event_free(confirming->timer);
	free(confirming);
}

bool confirming_is_awaited(const struct confirming *confirming)
{
	return confirming->state.awaited;
}

const struct confirmation *confirming_state(const struct confirming *confirming)
{
	return &confirming->state;
}

const char *confirming_who(const struct confirming *confirming)
{
	return confirming->record.who;
}

const char *confirming_error(const struct confirming *confirming)
{
	return confirming->error;
}

const struct store_confirmation *confirming_record(const struct confirming *confirming)
{
	return confirming->state.awaited ? &confirming->record : NULL;
}

static int write_confirmed(struct store *store, void *context, struct err *err)
{
	(void)context;
	return store_clear_confirmation(store, err);
}

static void on_written(void *context, int r, const struct err *err)
{
	struct confirming *confirming = context;
	uint64_t generation = confirming->state.generation;
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX], text[STORE_WHO_MAX + 64];
	confirming->writing = false;
	if (r >= 0 && confirming->state.awaited) {
		snprintf(text, sizeof text, "generation %" PRIu64 " is confirmed (by %s)", generation,
			confirming->confirmer);
		tell(confirming, "confirmed", text);
		confirming_end(confirming);
	} else {
		arm(confirming);
	}
	if (confirming->done)
		confirming->done(
			r, r < 0 ? err_format(err, line, sizeof line) : "", generation, confirming->context);
	confirming->done = NULL;
}

/* Something else is about to take its place. Its own apply may still wait for gateways to say that they hold it. */
static bool is_being_replaced(const struct confirming *confirming)
{
	const struct apply *apply = confirming->controller->apply;
	return apply && apply_look(apply).generation != confirming->state.generation;
}

/* It stays: the store is told. */
static int keep(struct confirming *confirming, const char *who, confirming_done *done, void *context)
{
	confirming->writing = true;
	confirming->done = done;
	confirming->context = context;
	text_copy(confirming->confirmer, sizeof confirming->confirmer, who);
	writer_add(confirming->controller->writer,
		&(struct writer_job){.write = write_confirmed, .done = on_written, .context = confirming});
	return 0;
}

static int check_may_stay(const struct confirming *confirming, struct err *err)
{
	const struct confirmation *state = &confirming->state;
	if (!state->awaited)
		return err_set(err, -ENOENT, "no generation awaits a confirmation");
	if (confirmation_is_over(state, clock_now_ms()))
		return err_set(err, -EBUSY,
			"too late: generation %" PRIu64 " is being rolled back to %" PRIu64,
			state->generation, state->back_to);
	if (confirming->writing)
		return err_set(err, -EBUSY, "somebody else is confirming it at this moment");
	return 0;
}

int confirming_confirm(
	struct confirming *confirming, const char *who, confirming_done *done, void *context, struct err *err)
{
	int r = check_may_stay(confirming, err);
	if (r < 0)
		return r;
	if (is_being_replaced(confirming))
		return err_set(err, -EBUSY, "too late: somebody is rolling generation %" PRIu64 " back",
			confirming->state.generation);
	return keep(confirming, who, done, context);
}

int confirming_choose(
	struct confirming *confirming, const char *who, confirming_done *done, void *context, struct err *err)
{
	int r = check_may_stay(confirming, err);
	return r < 0 ? r : keep(confirming, who, done, context);
}

void confirming_forget(struct confirming *confirming, const void *context)
{
	if (confirming->context == context)
		confirming->done = NULL;
}
