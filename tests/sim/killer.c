/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "tests/sim/killers/killers.h"

#define TWO_CONTROLLERS "two-controllers"

static const struct killer {
	const char *name;
	void (*run)(struct world *world);
} killers[] = {
	{"owner-cut-one-way", killer_owner_cut_one_way},
	{"split-with-the-owner", killer_split_with_the_owner},
	{"split-from-the-owner", killer_split_from_the_owner},
	{"standby-cable-out", killer_standby_cable_out},
	{"liveness-port-blocked", killer_liveness_port_blocked},
	{"controller-restored", killer_controller_restored},
	{TWO_CONTROLLERS, killer_two_controllers},
	{"one-after-the-other", killer_one_after_the_other},
	{"standby-without-controller", killer_standby_without_controller},
	{"standby-beside-a-leaver", killer_standby_beside_a_leaver},
	{"frozen-without-controller", killer_frozen_without_controller},
	{"two-successors", killer_two_successors},
	{"owner-filtered", killer_owner_filtered},
	{"guest-paused", killer_guest_paused},
	{"order-read-late", killer_order_read_late},
	{"cable-replugged", killer_cable_replugged},
	{"half-silent", killer_half_silent},
	{"ruleset-flushed", killer_ruleset_flushed},
	{"standby-flushed", killer_standby_flushed},
	{"grant-read-late", killer_grant_read_late},
	{"owner-cut-from-controller", killer_owner_cut_from_controller},
	{"controller-gone", killer_controller_gone},
	{"box-of-both", killer_box_of_both},
	{"move-interrupted", killer_move_interrupted},
	{"controller-gone-after-the-release", killer_controller_gone_after_the_release},
	{"controller-and-standby-gone", killer_controller_and_standby_gone},
	{"promised-and-ordered", killer_promised_and_ordered},
	{"some-promise", killer_some_promise},
	{"controller-restarts-without-the-owner", killer_controller_restarts_without_the_owner},
	{"controller-restarts-beside-a-cut", killer_controller_restarts_beside_a_cut},
	{"fenced-beside-a-cut", killer_fenced_beside_a_cut},
	{"terms-changed", killer_terms_changed},
	{"joined-behind-a-cut", killer_joined_behind_a_cut},
	{"revoked-while-away", killer_revoked_while_away},
	{"owner-behind", killer_owner_behind},
	{"owner-behind-alone", killer_owner_behind_alone},
	{"owner-behind-restarts", killer_owner_behind_restarts},
	{"all-were-away", killer_all_were_away},
	{"owner-dies-at-the-commit", killer_owner_dies_at_the_commit},
	{"revoked-and-restored", killer_revoked_and_restored},
	{"stored-and-not-committed", killer_stored_and_not_committed},
};

size_t killer_count(void)
{
	return ARRAY_COUNT(killers);
}

const char *killer_name(size_t index)
{
	return killers[index].name;
}

static const struct killer *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(killers); i++)
		if (strcmp(killers[i].name, name) == 0)
			return &killers[i];
	return NULL;
}

bool killer_exists(const char *name)
{
	return find(name) != NULL;
}

bool killer_wants_rival(const char *name)
{
	return strcmp(name, TWO_CONTROLLERS) == 0;
}

void killer_run(struct world *world, const char *name)
{
	find(name)->run(world);
}
