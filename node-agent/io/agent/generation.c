/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/mac.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/stage/stage.h"

void generation_clear(struct generation *generation)
{
	if (generation->desired)
		stage_keys_free(generation->preshared_keys, generation->desired->peer_count);
	if (generation->whole)
		stage_keys_free(generation->whole_keys, generation->whole->peer_count);
	desired_free(generation->whole);
	desired_free(generation->desired);
	fw_ruleset_free(generation->ruleset);
	reach_free(generation->reach);
	*generation = (struct generation){0};
}

static void hash_of(const struct desired *desired, char hash[65])
{
	char *json = desired_encode(desired);
	size_t size = strlen(json);

	sha256_hex(json, size, hash);
	mem_wipe(json, size);
	free(json);
}

/* Takes over desired and preshared_keys, whatever comes of it. */
int generation_make_again(struct desired *desired, struct key *preshared_keys, const char hash[65],
	struct generation *ret_generation, struct err *err)
{
	struct generation generation = {.desired = desired, .preshared_keys = preshared_keys};
	int r;

	generation_expire(&generation);
	r = firewall_from_desired(generation.desired, &generation.ruleset, err);
	if (r >= 0)
		r = reach_from_desired(generation.desired, &generation.reach, err);
	if (r < 0) {
		generation_clear(&generation);
		return r;
	}
	text_copy(generation.hash, sizeof(generation.hash), hash);
	*ret_generation = generation;
	return 0;
}

int generation_make(struct desired *desired, struct key *preshared_keys, struct generation *ret_generation,
	struct err *err)
{
	char hash[65];

	hash_of(desired, hash);
	return generation_make_again(desired, preshared_keys, hash, ret_generation, err);
}

/* As it came: what a change is a change to. */
static const struct desired *whole_of(const struct generation *generation)
{
	return generation->whole ? generation->whole : generation->desired;
}

/* As whoever serves all of it: this gateway may have to. */
static int try_staged(struct agent *agent, struct err *err)
{
	struct generation *staged = &agent->staged;
	struct reconcile_input input = {.ruleset = staged->ruleset,
		.facts = {.desired = staged->desired,
			.previous = agent->held.desired,
			.left = &agent->left,
			.preshared_keys = staged->preshared_keys}};
	int r;

	for (size_t i = 0; i < staged->desired->endpoint_count; i++)
		input.facts.serving[i] = true;
	r = reconcile_try(agent->reconcile, &input, err);
	return r < 0 ? r : reach_try(agent, staged->reach, err);
}

static int stage(struct agent *agent, const struct desired_delta *delta, struct err *err)
{
	struct stage_host host = {.config = agent->config,
		.store = agent->held.desired ? agent->held.desired->store : 0,
		.floor = agent->floor.known,
		.current = agent->held.desired};
	struct desired *desired;
	struct key *preshared_keys = NULL;
	int r = desired_patch(delta->base ? whole_of(&agent->held) : NULL, delta, &desired, err);

	if (r < 0)
		return r;
	r = stage_check(&host, agent->reconcile, desired, &preshared_keys, err);
	if (r < 0) {
		desired_free(desired);
		return r;
	}
	r = generation_make(desired, preshared_keys, &agent->staged, err);
	if (r >= 0)
		r = try_staged(agent, err);
	if (r < 0)
		generation_clear(&agent->staged);
	return r;
}

void agent_stage(struct agent *agent, const struct desired_delta *delta)
{
	struct staged staged = {
		.boot = agent->boot, .generation = delta->head_and_set_peers->generation, .ok = true};
	struct err err = {0};

	aside_forget_staged(agent);
	generation_clear(&agent->staged);
	text_copy(staged.gateway, sizeof(staged.gateway), agent->config->gateway);
	if (stage(agent, delta, &err) < 0) {
		staged.ok = false;
		err_format(&err, staged.error, sizeof(staged.error));
		journal_add(&agent->journal, "stage-refused", NULL, "generation %" PRIu64 ": %s",
			staged.generation, staged.error);
	}
	if (!staged.ok || !aside_staged(agent, &staged))
		control_staged(agent->control, &staged);
}

/* Peers that the new generation lacks: nobody wakes them or keeps them warm any more. */
static void forget_peers(struct agent *agent)
{
	for (size_t i = 0; i < agent->seat_count; i++)
		takeover_refresh(agent->seats[i], agent->previous);
	for (size_t i = 0; agent->previous && i < agent->previous->peer_count; i++) {
		const struct desired_peer *peer = &agent->previous->peers[i];

		if (!agent_find_peer(agent->held.desired, peer->tunnel, &peer->public_key))
			sessions_remove(agent->sessions, peer->tunnel, &peer->public_key);
	}
}

/* From here on it is the generation held: on disk after the kernel, so that what the last one had is still
 * known should we die in between. */
void generation_hold(struct agent *agent, struct generation *generation)
{
	bool was_stranger;

	agent_seats_leave(agent, generation->desired);
	if (agent->previous)
		plan_scope_generation(&agent->left, agent->previous);
	desired_free(agent->previous);
	agent->previous = agent->held.desired;
	agent->held.desired = NULL;
	if (agent->previous)
		stage_keys_free(agent->held.preshared_keys, agent->previous->peer_count);
	agent->held.preshared_keys = NULL;
	reach_replaced(agent);
	generation_clear(&agent->held);
	agent->held = *generation;
	was_stranger = agent->stranger;
	agent->stranger = false;
	*generation = (struct generation){0};
	agent_seats_update(agent);
	if (was_stranger)
		agent_save_seats(agent);
	holding_update(agent);
	checking_update(agent);
	telling_update(agent);
	hooks_update(agent);
	forget_peers(agent);
	agent_look_now(agent);
	agent_floor_held(agent);
	agent->committed_ms = clock_now_ms();
	agent_beats_update(agent);
	state_writer_desired(agent->writer, whole_of(&agent->held));
	malloc_trim(0); /* it came as text and as a tree: that goes back to the system */
}

void agent_commit(struct agent *agent, uint64_t number)
{
	if (agent->held.desired && agent->held.desired->generation == number)
		return;
	if (!agent->staged.desired || agent->staged.desired->generation != number) {
		log_warning("agent", "commit-of-unstaged", log_u64("generation", number));
		return;
	}
	aside_forget_staged(agent);
	journal_add(&agent->journal, "generation", NULL, "generation %" PRIu64 " of fleet %s", number,
		agent->staged.desired->fleet);
	generation_hold(agent, &agent->staged);
	control_report_now(agent->control);
}
