/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/liveness/host.h"

#include <check.h>
#include <event2/event.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"

struct event_base *host_base;

static void fill(void *context, struct datagram_beat *beat)
{
	struct host *host = context;

	beat->generation = 3;
	beat->seat_count = 1;
	text_copy(beat->seats[0].endpoint, sizeof(beat->seats[0].endpoint), "vpn");
	beat->seats[0].role = host->serves ? SEAT_SERVING : SEAT_STANDBY;
	beat->seats[0].epoch = (struct epoch){.term = 1, .n = host->serves};
}

static void on_beat(void *context, const char *partner, const struct datagram *datagram,
	const struct liveness_receipt *receipt)
{
	struct host *host = context;

	(void)partner;
	ck_assert_int_le(receipt->received_ms, clock_now_ms());
	host->beats++;
	if (datagram->beat.seat_count > 0)
		host->seat = datagram->beat.seats[0];
}

static void on_heard(void *context, const char *partner, const struct liveness_receipt *receipt)
{
	struct host *host = context;

	(void)partner;
	ck_assert(receipt->proven);
	ck_assert_int_le(receipt->evidence_ms, receipt->received_ms);
	host->heard++;
}

static void on_contact(void *context, const char *partner, const struct liveness_view *view)
{
	struct host *host = context;

	(void)partner;
	(void)view;
	host->contacts++;
}

static void on_verdict(void *context, const char *partner, const struct liveness_view *view)
{
	struct host *host = context;

	text_copy(host->about, sizeof(host->about), partner);
	host->verdict = view->verdict;
	host->told_ms = clock_now_ms();
	host->changes++;
}

static void on_silence(void *context, const char *partner, const struct datagram_silence *silence)
{
	struct host *host = context;

	(void)partner;
	(void)silence;
	host->silences++;
}

static void on_stalled(void *context, int64_t gap_ms)
{
	struct host *host = context;

	ck_assert_int_gt(gap_ms, 100);
	host->stalls++;
}

static void on_kernel_probe(void *context, const char *partner, const struct addr *address, uint32_t count)
{
	struct host *host = context;

	ck_assert_int_eq(address->family, AF_INET);
	host->kernel_probes += count;
	if (host->kernel_answers)
		liveness_kernel_answered(host->liveness, partner);
}

static struct addr loopback(uint8_t last)
{
	return (struct addr){.family = AF_INET, .bytes = {127, 0, 0, last}};
}

void host_start(struct host *host, uint64_t boot)
{
	struct liveness_config config = {
		.is_controller = host->is_controller, .boot = boot, .local_count = 1};
	struct liveness_ops ops = {
		.fill = host->is_controller ? NULL : fill,
		.beat = on_beat,
		.heard = on_heard,
		.contact = on_contact,
		.verdict = on_verdict,
		.silence = on_silence,
		.stalled = on_stalled,
		.kernel_probe = on_kernel_probe,
	};
	struct err err;

	text_copy(config.name, sizeof(config.name), host->name);
	config.timing = timing_from_interval(50);
	config.locals[0].address = loopback(host->address);
	ck_assert_int_eq(liveness_new(host_base, &config, &ops, host, &host->liveness, &err), 0);
}

void host_stop(struct host *host)
{
	liveness_free(host->liveness);
	host->liveness = NULL;
}

struct key host_key(const char *a, const char *b)
{
	struct key key = {0};
	size_t length = strlen(a) < KEY_BYTES ? strlen(a) : KEY_BYTES;

	memcpy(key.bytes, a, length);
	for (size_t i = 0; i < KEY_BYTES && b[i] != '\0'; i++)
		key.bytes[i] ^= (uint8_t)b[i];
	return key;
}

void host_join(struct host *host, struct host *const others[])
{
	struct liveness_partner partners[8] = {0};
	size_t count = 0;

	for (; others[count] != NULL; count++) {
		const struct host *other = others[count];
		struct liveness_partner *partner = &partners[count];
		text_copy(partner->name, sizeof(partner->name), other->name);
		partner->is_controller = other->is_controller;
		partner->watch = !other->is_controller;
		partner->underlay = !other->is_controller && !host->is_controller;
		partner->learn = host->is_controller;
		partner->pair_key = host_key(host->name, other->name);
		partner->locals[0] = partner->locals[1] = SIZE_MAX;
		if (host->is_controller || other->liveness == NULL)
			continue;
		partner->address_count = 1;
		partner->addresses[0] = loopback(other->address);
		partner->port = liveness_local_port(other->liveness, 0);
	}
	ck_assert_int_eq(liveness_set_partners(host->liveness, partners, count), 0);
}

struct liveness_view host_view(const struct host *host, const struct host *of)
{
	struct liveness_view view;

	ck_assert_int_eq(liveness_view(host->liveness, of->name, &view), 0);
	return view;
}

static void wake_up(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
}

bool host_wait(bool (*condition)(void *context), void *context)
{
	int64_t end_ms = clock_now_ms() + 5000;
	struct event *tick = event_new(host_base, -1, EV_PERSIST, wake_up, NULL);
	bool met = condition(context);

	event_add(tick, &(struct timeval){.tv_usec = 5000});
	while (!met && clock_now_ms() < end_ms) {
		event_base_loop(host_base, EVLOOP_ONCE);
		met = condition(context);
	}
	event_free(tick);
	return met;
}

static bool is_past(void *context)
{
	return clock_now_ms() >= *(int64_t *)context;
}

void host_run(int64_t ms)
{
	int64_t end_ms = clock_now_ms() + ms;

	host_wait(is_past, &end_ms);
}
