/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/reconcile/reconcile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/log.h"
#include "node-agent/io/reconcile/reconcile_int.h"
#include "node-agent/io/rtnl/link.h"

int reconcile_open(const char *config_path, const char *implementation, struct reconcile **ret_reconcile,
	struct err *err)
{
	struct reconcile *reconcile = mem_new(1, sizeof(*reconcile));
	int r = rtnl_open(RTNL_TIMEOUT_MS, &reconcile->rtnl, err);

	if (r >= 0)
		r = nft_open(&reconcile->nft, err);
	if (r < 0) {
		reconcile_close(reconcile);
		return r;
	}
	reconcile->patience_ms = RECONCILE_PATIENCE_MS;
	reconcile->config_path = mem_text(config_path);
	reconcile->implementation = mem_text(implementation);
	*ret_reconcile = reconcile;
	return 0;
}

void reconcile_close(struct reconcile *reconcile)
{
	if (!reconcile)
		return;
	for (size_t i = 0; i < reconcile->device_count; i++)
		wg_close(reconcile->devices[i].wg);
	given_clear(&reconcile->given);
	plan_world_clear(&reconcile->observed);
	nft_close(reconcile->nft);
	rtnl_close(reconcile->rtnl);
	free(reconcile->config_path);
	free(reconcile->implementation);
	free(reconcile);
}

struct nft *reconcile_nft(struct reconcile *reconcile)
{
	return reconcile->nft;
}

struct rtnl *reconcile_rtnl(struct reconcile *reconcile)
{
	return reconcile->rtnl;
}

const struct plan_world *reconcile_observed(const struct reconcile *reconcile)
{
	return &reconcile->observed;
}

int reconcile_wg(struct reconcile *reconcile, const char *tunnel, struct wg **ret_wg, struct err *err)
{
	struct reconcile_device *device;
	struct wg *wg;
	int r;

	for (size_t i = 0; i < reconcile->device_count; i++)
		if (!strcmp(reconcile->devices[i].name, tunnel)) {
			*ret_wg = reconcile->devices[i].wg;
			return 0;
		}
	if (reconcile->device_count == PROTO_TUNNELS_MAX)
		return err_set(err, -ENOSPC, "more than %d tunnels", (int)PROTO_TUNNELS_MAX);
	r = wg_open(tunnel, WG_TIMEOUT_MS, &wg, err);
	if (r < 0)
		return r;
	device = &reconcile->devices[reconcile->device_count++];
	text_copy(device->name, sizeof(device->name), tunnel);
	device->wg = wg;
	*ret_wg = wg;
	return 0;
}

void reconcile_forget_wg(struct reconcile *reconcile, const char *tunnel)
{
	reconcile_forget_given(reconcile, tunnel);
	for (size_t i = 0; i < reconcile->device_count; i++) {
		if (strcmp(reconcile->devices[i].name, tunnel))
			continue;
		wg_close(reconcile->devices[i].wg);
		reconcile->devices[i] = reconcile->devices[--reconcile->device_count];
		return;
	}
}

/* Addresses outlive the round: the hot path asks for them. The rest was borrowed. */
static void keep_addresses(struct reconcile *reconcile, const struct plan_world *world)
{
	plan_world_clear(&reconcile->observed);
	for (size_t i = 0; i < world->address_count; i++)
		*plan_world_address(&reconcile->observed, "", &world->addresses[i].prefix) =
			world->addresses[i];
}

static void overlook(const struct reconcile_input *input, struct plan_world *world)
{
	for (size_t i = 0; i < input->apart_count; i++)
		plan_world_overlook(world, input->apart[i]);
}

static void plan_and_apply(struct reconcile *reconcile, struct reconcile_input *input,
	struct observation *observation, struct reconcile_result *result)
{
	struct underlay underlay = {.reconcile = reconcile, .desired = input->facts.desired};
	struct plan_target target;
	struct plan plan;

	input->facts.underlay = observe_underlay;
	input->facts.underlay_context = &underlay;
	plan_target_init(&target, &input->facts);
	underlay_clear(&underlay);
	overlook(input, &target.world);
	overlook(input, &observation->world);
	result->bypasses = target.bypass_count;
	observe_sysctls(&target, &observation->world);
	observe_offloads(&target, &observation->world);
	plan_init(&plan, &target, &observation->world);
	result->changed = plan.count;
	apply(reconcile, input, &plan, result);
	plan_clear(&plan);
	plan_target_clear(&target);
}

int reconcile_run(struct reconcile *reconcile, const struct reconcile_input *input,
	struct reconcile_result *ret_result, struct err *err)
{
	struct reconcile_input mine = *input;
	struct reconcile_result result = {0};
	struct observation observation;
	const struct desired *desired = input->facts.desired;
	int r = observe(reconcile, input, &observation, &result.fence_was_missing, err);

	if (r < 0)
		return r;
	keep_addresses(reconcile, &observation.world);
	mine.facts.observed = &observation.world;
	for (size_t i = 0; i < desired->tunnel_count; i++)
		mine.facts.egress_mtu[i] = observe_egress_mtu(reconcile, &input->facts, &desired->tunnels[i]);
	plan_and_apply(reconcile, &mine, &observation, &result);
	observation_clear(&observation);
	*ret_result = result;
	return 0;
}

static int link_set(struct reconcile *reconcile, const char *name, unsigned set, struct err *err)
{
	struct rtnl_link_change change = {.set = set};

	text_copy(change.name, sizeof(change.name), name);
	return rtnl_link_change(reconcile->rtnl, &change, err);
}

int reconcile_bounce(struct reconcile *reconcile, const char *tunnel, struct err *err)
{
	int r = link_set(reconcile, tunnel, RTNL_LINK_DOWN, err);

	return r < 0 ? r : link_set(reconcile, tunnel, RTNL_LINK_UP, err);
}
