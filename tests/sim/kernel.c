/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/world.h"

/*
 * A gateway's kernel: the permit in its nftables, and the address, which has a life of its own (valid_lft: the lease,
 * rounded up to a second). Both end by themselves and outlive the agent. `nft flush ruleset` by somebody else takes the
 * permit away and what it guards with it, so that the address is all that is left to end.
 */

static bool permits(const struct world *world, size_t gateway)
{
	return world->hosts[gateway].permit_until_ms > world->now;
}

bool kernel_serves(const struct world *world, size_t gateway)
{
	const struct host *h = &world->hosts[gateway];

	if (!h->power || !h->announces)
		return false;
	return h->flushed ? h->address_until_ms > world->now : permits(world, gateway);
}

bool kernel_permits(const struct world *world, size_t gateway)
{
	return world->hosts[gateway].power && permits(world, gateway);
}

int64_t kernel_permit_left_ms(const struct world *world, size_t gateway)
{
	const struct host *h = &world->hosts[gateway];

	return h->announces && permits(world, gateway) ? h->permit_until_ms - world->now : 0;
}

/* What was flushed is made anew with it, as the agent does on ESTALE. */
void kernel_permit(struct world *world, size_t gateway, uint32_t timeout_ms)
{
	struct host *h = &world->hosts[gateway];

	h->flushed = false;
	h->permit_until_ms = world->now + timeout_ms + (h->slow ? timeout_ms / 100 : 0);
	h->address_until_ms = world->now + (h->terms.lease_ms + 999) / 1000 * 1000;
}

void kernel_clear(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];

	h->flushed = false;
	h->permit_until_ms = h->address_until_ms = 0;
}

/* An agent that starts knows of no permit but the kernel's. */
void kernel_adopt(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];

	if (h->flushed)
		h->permit_until_ms = 0;
	h->flushed = false;
}

static void restore(struct world *world, size_t gateway)
{
	world_say(world, "the fence of %s is back", world_name(gateway));
	world->hosts[gateway].flushed = false; /* with what the agent knows to be left of its permit */
}

void fault_flush(struct world *world, size_t gateway)
{
	struct host *h = &world->hosts[gateway];

	world_say(world, "FAULT the ruleset of %s is flushed", world_name(gateway));
	h->flushed = true;
	h->restored_ms = world->now + 1 + (int64_t)world_random(world, FLUSHED_MAX_MS);
}

void kernel_tick(struct world *world, size_t gateway)
{
	if (world->hosts[gateway].flushed && world->hosts[gateway].restored_ms <= world->now)
		restore(world, gateway);
}

/* By itself, whatever becomes of the agent. */
int64_t kernel_end_ms(const struct world *world, size_t gateway)
{
	const struct host *h = &world->hosts[gateway];

	return h->flushed ? h->address_until_ms : h->permit_until_ms;
}
