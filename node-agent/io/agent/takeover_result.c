/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/takeover_int.h"

void takeover_begin_result(struct agent_seat *seat)
{
	const struct order *order = &seat->seat.order;

	seat->result = (struct takeover){.epoch = seat->seat.epoch, .detect_ms = order->detect_ms};
	if (!agent_seat_serves(seat))
		return; /* nothing to tell of yet */
	text_copy(seat->result.endpoint, sizeof(seat->result.endpoint), seat->seat.config.endpoint);
	text_copy(seat->result.from, sizeof(seat->result.from), order->from);
	text_copy(seat->result.cause, sizeof(seat->result.cause), order->cause);
}

/* From the order to a moment that is told from the begin of waking. A guest's clients are back before it is ordered to serve. */
static uint32_t since_order_ms(const struct takeover_run *run, int64_t since_wake_ms)
{
	int64_t since_ms = run->wake_ms - run->seat->ordered_ms + since_wake_ms;

	return since_ms < 0 ? 0 : (uint32_t)since_ms;
}

void takeover_take_result(struct takeover_run *run)
{
	struct agent_seat *seat = run->seat;
	struct wake_result result = wake_result(run->wake, clock_now_ms());
	bool first = result.back > 0 && seat->result.back == 0;

	seat->result.sessions = result.sessions;
	seat->result.back = result.back;
	seat->result.first_ms = result.first_ms < 0 ? 0 : since_order_ms(run, result.first_ms);
	seat->result.took_ms = since_order_ms(run, result.took_ms);
	seat->result.over = result.over;
	if (!first && !result.over)
		return;
	seat->result_told = false;
	control_report_now(seat->agent->control);
}

void takeover_log_result(struct agent_seat *seat)
{
	const struct takeover *result = &seat->result;
	struct repeat_counters repeated = repeat_counters(seat->takeover ? seat->takeover->repeat : NULL);
	char epoch[EPOCH_TEXT_MAX];

	seat->agent->last_takeover_ms = result->took_ms;
	moments_note(seat, MOMENT_OVER, "", "%" PRIu32 " of %" PRIu32 " clients are back", result->back,
		result->sessions);
	log_notice("takeover", "takeover", log_text("endpoint", result->endpoint),
		log_text("epoch", epoch_format(&result->epoch, epoch)), log_text("from", result->from),
		log_text("cause", result->cause), log_u64("detect_ms", result->detect_ms),
		log_u64("sessions", result->sessions), log_u64("back", result->back),
		log_u64("first_ms", result->first_ms), log_u64("took_ms", result->took_ms),
		log_u64("repeated", repeated.repeated), log_u64("not_repeated", repeated.left_out));
	journal_note(&seat->agent->journal, "takeover", result->endpoint,
		"from %s (%s): %" PRIu32 " of %" PRIu32 " sessions back, first after %" PRIu32
		" ms, took %" PRIu32 " ms",
		result->from[0] ? result->from : "nobody", result->cause, result->back, result->sessions,
		result->first_ms, result->took_ms);
}

void takeover_tell_over(struct agent_seat *seat)
{
	struct seat_event pulled = {.kind = SEAT_EVENT_PULLED};

	if (agent_seat_serves(seat)) {
		takeover_log_result(seat);
		return;
	}
	seat->pulled = seat->result.back == seat->result.sessions;
	log_info("takeover", "pulled", log_text("endpoint", seat->seat.config.endpoint),
		log_u64("sessions", seat->result.sessions), log_u64("back", seat->result.back));
	agent_seat_step(seat, &pulled);
}
