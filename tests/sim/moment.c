/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/world.h"

/*
 * When something will next happen. Whatever the world does because a time has come has its time here; what is left out
 * happens too late, which schedule_skips_nothing() finds.
 */

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* A core that is not content with having been called is called again. */
static int64_t deadline(const struct world *world, int64_t ms)
{
	return ms > world->now ? ms : world->now + 1;
}

/* Done once; what lies in the past has happened. */
static int64_t once(const struct world *world, int64_t ms)
{
	return ms > world->now ? ms : INT64_MAX;
}

static int64_t arrival(const struct world *world)
{
	for (int64_t ms = 1; ms <= FLIGHT_MAX_MS; ms++)
		if (world->flying[(world->now + ms) % BUCKETS].first != NULL)
			return world->now + ms;
	return INT64_MAX;
}

/* Between TLS connections there is no order; one that waits for its link waits for a fault to be repaired. */
static int64_t tls_arrival(const struct world *world)
{
	int64_t ms = INT64_MAX;

	for (size_t i = 0; i < HOSTS; i++)
		for (size_t j = 0; j < HOSTS; j++)
			if (world->tls[i][j].first != NULL)
				ms = sooner(ms, once(world, world->tls[i][j].first->due_ms));
	return ms;
}

static int64_t of_watcher(const struct world *world, const struct host *h)
{
	int64_t ms = deadline(world, h->next_beat_ms);

	for (size_t i = 0; i < HOSTS; i++)
		if (h->others[i].watch)
			ms = sooner(ms, deadline(world, verdict_deadline(&h->others[i].verdict)));
	return ms;
}

static int64_t of_controller(const struct world *world, const struct host *h)
{
	int64_t ms = sooner(once(world, h->claim_ms), deadline(world, ownership_deadline(&h->ownership)));

	ms = sooner(ms, deadline(world, h->noted_ms));
	return h == &world->hosts[CTL] ? sooner(ms, deadline(world, generation_deadline(world))) : ms;
}

static int64_t of_gateway(const struct world *world, size_t gateway)
{
	const struct host *h = &world->hosts[gateway];
	int64_t ms = sooner(deadline(world, h->next_report_ms), deadline(world, seat_deadline(&h->seat)));

	ms = sooner(ms, deadline(world, successor_deadline(world, gateway)));
	ms = sooner(ms, deadline(world, h->holds_ms));
	if (h->flushed)
		ms = sooner(ms, deadline(world, h->restored_ms));
	if (h->forgotten_ms != 0)
		ms = sooner(ms, deadline(world, h->forgotten_ms));
	return h->pulled_ms != 0 ? sooner(ms, deadline(world, h->pulled_ms)) : ms;
}

static int64_t of_process(const struct world *world, size_t host)
{
	const struct host *h = &world->hosts[host];

	if (!h->running)
		return deadline(world, h->starts_ms);
	if (h->hung_until_ms > world->now)
		return h->hung_until_ms;
	return sooner(of_watcher(world, h),
		host_controls(host) ? of_controller(world, h) : of_gateway(world, host));
}

static int64_t of_host(const struct world *world, size_t host)
{
	const struct host *h = &world->hosts[host];

	return h->power ? sooner(once(world, kernel_end_ms(world, host)), of_process(world, host))
			: INT64_MAX;
}

int64_t moment_next(struct world *world)
{
	if (world->every_ms)
		return world->now + 1;
	int64_t ms = sooner(arrival(world), tls_arrival(world));

	if (world->attacker || world->hoarder)
		ms = sooner(ms, deadline(world, world->replays_ms));
	for (size_t i = 0; i < HOSTS; i++) {
		struct host *h = &world->hosts[i];
		if (h->wakes_ms <= world->now)
			h->wakes_ms = of_host(world, i);
		ms = sooner(ms, h->wakes_ms);
	}
	return ms;
}
