/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[HOSTS] = {"gw-a", "gw-b", "gw-c", "ctl", "rival"};

const char *world_name(size_t host)
{
	return names[host];
}

uint64_t world_random(struct world *world, uint64_t below)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return (world->random >> 11) % below;
}

bool world_chance(struct world *world, double probability)
{
	return (double)world_random(world, 1000000) < probability * 1000000;
}

void world_fail(struct world *world, const char *format, ...)
{
	char text[200];
	va_list arguments;

	if (world->failure[0] != '\0')
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	snprintf(world->failure, sizeof(world->failure), "at %lld ms: %s", (long long)world->now, text);
}

void world_say(struct world *world, const char *format, ...)
{
	va_list arguments;

	if (!world->verbose)
		return;
	printf("%8lld  ", (long long)world->now);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

bool host_controls(size_t host)
{
	return host >= CTL;
}

bool host_exists(const struct world *world, size_t host)
{
	if (host == RIVAL)
		return world->rival;
	return host == CTL || host < world->gateways;
}

bool host_works(const struct world *world, size_t host)
{
	const struct host *h = &world->hosts[host];

	return h->power && h->running && world->now >= h->hung_until_ms;
}

static void start(struct world *world, size_t host)
{
	struct host *h = &world->hosts[host];

	h->running = true;
	h->starts_ms = INT64_MAX;
	h->resumed_ms = world->now;
	h->boot = world_random(world, UINT64_MAX) | 1;
	h->next_beat_ms = h->next_report_ms = world->now;
	world_say(world, "%s starts", names[host]);
	watcher_start(world, host);
	if (host_controls(host))
		controller_start(world, host);
	else
		gateway_start(world, host);
}

void world_init(struct world *world, uint64_t seed, size_t gateways, double loss)
{
	*world = (struct world){.seed = seed,
		.random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1,
		.gateways = gateways,
		.loss = loss};
	for (int i = 0; i < 8; i++)
		world_random(world, 2);
	world->now = world->replays_ms = 100000;
	world->timing = timing_from_interval(50);
	for (size_t i = 0; i < HOSTS; i++) {
		struct host *h = &world->hosts[i];
		h->permit_until_ms = 0;
		h->starts_ms = INT64_MAX;
		if (!host_exists(world, i) || i == RIVAL)
			continue;
		h->power = h->underlay = h->carrier = true;
		h->starts_ms = world->now + (int64_t)world_random(world, 100);
	}
	terms_init(world);
	generation_init(world);
}

void world_clear(struct world *world)
{
	for (size_t i = 0; i < BUCKETS; i++)
		queue_drop(world, &world->flying[i]);
	for (size_t i = 0; i < HOSTS; i++) {
		queue_drop(world, &world->hosts[i].backlog);
		for (size_t j = 0; j < HOSTS; j++)
			queue_drop(world, &world->tls[i][j]);
	}
	message_free_spare(world);
}

static void resume(struct world *world, size_t host)
{
	struct host *h = &world->hosts[host];
	int64_t hung_ms = world->now - h->hung_since_ms;
	struct queue backlog = h->backlog;
	struct message *message;

	h->hung_until_ms = 0;
	h->backlog = (struct queue){0};
	world_say(world, "%s goes on after %lld ms", names[host], (long long)hung_ms);
	if (hung_ms > world->timing.stall_ms) {
		h->resumed_ms = world->now;
		if (!host_controls(host)) {
			gateway_step(world, host, (struct seat_event){.kind = SEAT_EVENT_STALLED});
			successor_event(
				world, host, (struct succession_event){.kind = SUCCESSION_EVENT_STALLED});
		}
	}
	if (backlog.first == NULL)
		backlog.last = &backlog.first;
	while ((message = queue_take(&backlog)) != NULL) {
		watcher_receive(world, host, message);
		message_drop(world, message);
	}
	if (!host_controls(host))
		gateway_step(world, host, (struct seat_event){.kind = SEAT_EVENT_CARRIER, .up = h->carrier});
	for (size_t i = 0; i < HOSTS && hung_ms > world->timing.lag_ms; i++)
		if (h->others[i].used && h->others[i].watch)
			watcher_event(world, host, i, (struct verdict_event){.kind = VERDICT_EVENT_LAGGED});
}

static void run_host(struct world *world, size_t host)
{
	struct host *h = &world->hosts[host];

	if (h->power && !h->running && world->now >= h->starts_ms)
		start(world, host);
	if (!host_works(world, host))
		return;
	if (h->hung_until_ms != 0)
		resume(world, host);
	watcher_tick(world, host);
	if (host_controls(host))
		controller_tick(world, host);
	else
		gateway_tick(world, host);
}

/* To the next moment that matters; until then all is as it is now. */
static void pass(struct world *world, int64_t until_ms)
{
	int64_t next_ms = moment_next(world);

	if (next_ms > until_ms)
		next_ms = until_ms;
	invariant_check(world, next_ms - world->now);
	world->now = next_ms;
}

/* Whatever may have been done to them since. */
static void wake_all(struct world *world)
{
	for (size_t i = 0; i < HOSTS; i++)
		world->hosts[i].wakes_ms = world->now;
}

void world_run(struct world *world, int64_t until_ms)
{
	wake_all(world);
	while (world->now < until_ms && world->failure[0] == '\0') {
		network_deliver(world);
		for (size_t i = 0; i < HOSTS; i++)
			if (world->hosts[i].wakes_ms <= world->now)
				run_host(world, i);
		pass(world, until_ms);
	}
}

/* ---- faults ---- */

void fault_kill(struct world *world, size_t host, int64_t back_ms)
{
	struct host *h = &world->hosts[host];

	world_say(world, "FAULT %s killed, back in %lld ms", names[host], (long long)back_ms);
	h->running = false;
	h->hung_until_ms = 0;
	h->starts_ms = world->now + back_ms;
	queue_drop(world, &h->backlog);
	network_forget(world, host);
}

void fault_power(struct world *world, size_t gateway, int64_t back_ms)
{
	struct host *h = &world->hosts[gateway];

	fault_kill(world, gateway, back_ms);
	world_say(world, "FAULT %s has lost power", names[gateway]);
	kernel_clear(world, gateway);
	h->power = false;
	h->leaving = false;
}

void fault_leave(struct world *world, size_t gateway)
{
	world_say(world, "%s is about to go down", names[gateway]);
	world->hosts[gateway].leaving = true;
	world->hosts[gateway].next_report_ms = world->now;
}

void fault_hang(struct world *world, size_t host, int64_t ms)
{
	struct host *h = &world->hosts[host];

	if (!h->running || !h->power)
		return;
	world_say(world, "FAULT %s hangs for %lld ms", names[host], (long long)ms);
	h->hung_until_ms = world->now + ms;
	h->hung_since_ms = world->now;
}

void fault_restore(struct world *world)
{
	world_say(world, "FAULT an old database");
	world->hosts[CTL].stored_term = 0;
	world->hosts[CTL].noted = (struct order){0};
	world->hosts[CTL].terms = world->hosts[CTL].stored = (struct terms){1, LEASE_MS, world->gateways};
	world->hosts[CTL].before = (struct terms){0};
	world->hosts[CTL].stored_floor = 0;
	revoked_restored(world);
}

static void tell_carrier(struct world *world, size_t gateway)
{
	struct seat_event event = {.kind = SEAT_EVENT_CARRIER, .up = world->hosts[gateway].carrier};

	if (host_works(world, gateway))
		gateway_step(world, gateway, event);
}

void fault_cable(struct world *world, size_t gateway, bool carrier)
{
	world_say(world, "FAULT cable of %s cut%s", names[gateway], carrier ? ", carrier stays" : "");
	world->hosts[gateway].underlay = false;
	world->hosts[gateway].carrier = carrier;
	tell_carrier(world, gateway);
}

void fault_plug(struct world *world, size_t gateway)
{
	world_say(world, "cable of %s is back", names[gateway]);
	world->hosts[gateway].underlay = world->hosts[gateway].carrier = true;
	tell_carrier(world, gateway);
}
