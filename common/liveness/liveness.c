/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/liveness/liveness.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/liveness/internal.h"

static int64_t boottime_offset_ms(void)
{
	return clock_boottime_ms() - clock_now_ms();
}

static void note_lag(struct liveness *liveness, int64_t lag_us, int64_t now_us)
{
	int64_t second = now_us / 1000000;
	uint32_t lag_ms = (uint32_t)(lag_us / 1000);

	if (second != liveness->lag_second) {
		liveness->lag_before_ms = second == liveness->lag_second + 1 ? liveness->lag_worst_ms : 0;
		liveness->lag_worst_ms = 0;
		liveness->lag_second = second;
	}
	if (lag_ms > liveness->lag_worst_ms)
		liveness->lag_worst_ms = lag_ms;
}

/* Did the loop stand still? Whoever holds a lease must know before it takes in what arrived meanwhile. */
static void check_lag(struct liveness *liveness)
{
	const struct timing *timing = &liveness->config.timing;
	int64_t now_us = clock_now_us(), offset_ms = boottime_offset_ms();
	int64_t lag_us = liveness->due_us < now_us ? now_us - liveness->due_us : 0;
	int64_t gap_ms = lag_us / 1000, jump_ms = offset_ms - liveness->boottime_ms;

	liveness->boottime_ms = offset_ms;
	liveness->due_us = INT64_MAX;
	note_lag(liveness, lag_us, now_us);
	if (jump_ms > gap_ms)
		gap_ms = jump_ms;
	if (gap_ms > timing->lag_ms)
		liveness->lagged = true;
	if (gap_ms > timing->stall_ms && liveness->ops.stalled != NULL)
		liveness->ops.stalled(liveness->context, gap_ms);
}

static void free_gone(struct liveness *liveness)
{
	while (liveness->gone_count > 0)
		partner_free(liveness->gone[--liveness->gone_count]);
}

static int64_t next_us(const struct liveness *liveness, int64_t now_us)
{
	int64_t next = liveness->next_beat_us;

	for (size_t i = 0; i < liveness->partner_count; i++) {
		const struct partner *partner = liveness->partners[i];
		int64_t contact_us = contact_deadline(&partner->contact, now_us);
		int64_t verdict_ms = partner->config.watch ? verdict_deadline(&partner->verdict) : INT64_MAX;
		next = contact_us < next ? contact_us : next;
		if (verdict_ms < INT64_MAX / 1000)
			next = verdict_ms * 1000 < next ? verdict_ms * 1000 : next;
	}
	return next;
}

static void schedule(struct liveness *liveness)
{
	int64_t now_us = clock_now_us();
	int64_t due_us = next_us(liveness, now_us);
	int64_t wait_us = due_us > now_us ? due_us - now_us : 0;
	struct timeval wait = {.tv_sec = wait_us / 1000000, .tv_usec = wait_us % 1000000};

	if (liveness->partner_count == 0) {
		evtimer_del(liveness->timer);
		liveness->due_us = INT64_MAX;
		return;
	}
	liveness->due_us = now_us + wait_us;
	evtimer_add(liveness->timer, &wait);
}

/* Everything that is due now, and the outbox on its way; at the end of whatever was done. */
void liveness_settle(struct liveness *liveness)
{
	if (liveness->busy > 0)
		return;
	liveness->busy++;
	for (size_t i = 0; i < liveness->partner_count; i++)
		contact_tell(liveness, liveness->partners[i]);
	watch_tick(liveness);
	int64_t now_us = clock_now_us();
	if (now_us >= liveness->next_beat_us && liveness->partner_count > 0)
		send_beats(liveness, now_us);
	outbox_flush(liveness);
	liveness->busy--;
	free_gone(liveness);
	schedule(liveness);
}

void liveness_enter(struct liveness *liveness)
{
	liveness->busy++;
	check_lag(liveness);
	for (size_t i = 0; i < liveness->config.local_count; i++)
		local_drain(liveness, i);
	liveness->busy--;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	liveness_enter(context);
	liveness_settle(context);
}

int liveness_new(struct event_base *base, const struct liveness_config *config,
	const struct liveness_ops *ops, void *context, struct liveness **ret_liveness, struct err *err)
{
	struct liveness *liveness;

	if (config->local_count == 0 || config->local_count > LIVENESS_LOCALS_MAX)
		return err_set(err, -EINVAL, "liveness needs 1 to %d own addresses", LIVENESS_LOCALS_MAX);
	liveness = mem_new(1, sizeof(*liveness));
	liveness->base = base;
	liveness->config = *config;
	liveness->ops = *ops;
	liveness->context = context;
	liveness->random = config->boot | 1;
	liveness->witnessed_ms = VERDICT_NEVER;
	liveness->due_us = INT64_MAX;
	liveness->boottime_ms = boottime_offset_ms();
	for (size_t i = 0; i < LIVENESS_LOCALS_MAX; i++)
		liveness->locals[i].fd = -1;
	liveness->timer = evtimer_new(base, on_timer, liveness);
	for (size_t i = 0; i < config->local_count; i++) {
		liveness->locals[i].config = config->locals[i];
		int r = local_open(liveness, i, err);
		if (r < 0) {
			liveness_free(liveness);
			return r;
		}
	}
	*ret_liveness = liveness;
	return 0;
}

void liveness_free(struct liveness *liveness)
{
	if (liveness == NULL)
		return;
	for (size_t i = 0; i < LIVENESS_LOCALS_MAX; i++)
		local_close(&liveness->locals[i]);
	for (size_t i = 0; i < liveness->partner_count; i++)
		partner_free(liveness->partners[i]);
	free_gone(liveness);
	event_free(liveness->timer);
	free(liveness);
}

void liveness_set_store(struct liveness *liveness, uint64_t store)
{
	liveness->config.store = store;
}

void liveness_set_timing(struct liveness *liveness, const struct timing *timing)
{
	liveness->config.timing = *timing;
	for (size_t i = 0; i < liveness->partner_count; i++) {
		liveness->partners[i]->contact.timing = *timing;
		liveness->partners[i]->verdict.timing = *timing;
	}
	liveness->next_beat_us = clock_now_us();
	liveness_settle(liveness);
}

void liveness_set_blind(struct liveness *liveness, bool blind)
{
	liveness->blind = blind;
}

void liveness_beat_now(struct liveness *liveness)
{
	liveness->next_beat_us = clock_now_us();
	liveness_settle(liveness);
}

void liveness_set_witnessed(struct liveness *liveness, int64_t at_ms)
{
	if (at_ms > liveness->witnessed_ms)
		liveness->witnessed_ms = at_ms;
}

int liveness_send(struct liveness *liveness, const char *partner, struct datagram *datagram)
{
	struct partner *found = partner_find(liveness, partner);

	if (found == NULL)
		return -ENOENT;
	send_letter(liveness, found, datagram);
	liveness_settle(liveness);
	return 0;
}

static void partner_event(struct liveness *liveness, const char *name, enum verdict_event_kind kind)
{
	struct partner *partner = partner_find(liveness, name);

	if (partner == NULL)
		return;
	liveness->busy++;
	watch_event(liveness, partner, kind);
	liveness->busy--;
	liveness_settle(liveness);
}

void liveness_tls_contact(struct liveness *liveness, const char *partner)
{
	partner_event(liveness, partner, VERDICT_EVENT_TLS);
}

void liveness_kernel_answered(struct liveness *liveness, const char *partner)
{
	partner_event(liveness, partner, VERDICT_EVENT_KERNEL);
}

int liveness_view(const struct liveness *liveness, const char *partner, struct liveness_view *ret_view)
{
	const struct partner *found = partner_find(liveness, partner);

	if (found == NULL)
		return -ENOENT;
	partner_view(found, clock_now_us(), ret_view);
	return 0;
}

struct liveness_counters liveness_counters(const struct liveness *liveness)
{
	struct liveness_counters counters = liveness->counters;

	counters.lag_ms = liveness->lag_worst_ms > liveness->lag_before_ms ? liveness->lag_worst_ms
									   : liveness->lag_before_ms;
	return counters;
}

bool liveness_has_controller(const struct liveness *liveness)
{
	int64_t now_us = clock_now_us();

	for (size_t i = 0; i < liveness->partner_count; i++)
		if (liveness->partners[i]->config.is_controller &&
			partner_is_in_contact(liveness->partners[i], now_us))
			return true;
	return false;
}

uint16_t liveness_local_port(const struct liveness *liveness, size_t local)
{
	struct sockaddr_storage sockaddr;
	socklen_t length = sizeof(sockaddr);
	struct endpoint endpoint = {0};

	if (local < liveness->config.local_count &&
		getsockname(liveness->locals[local].fd, (struct sockaddr *)&sockaddr, &length) == 0)
		endpoint_from_sockaddr((struct sockaddr *)&sockaddr, &endpoint);
	return endpoint.port;
}
