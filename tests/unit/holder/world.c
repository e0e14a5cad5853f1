/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/holder/world.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

enum { TICK_MS = 5, LOOK_MS = 1000, REKEY_MS = 120000, ANSWER_MS = 5, START_MS = 1000000 };

void world_begin(struct world *world)
{
	*world = (struct world){.now_ms = START_MS, .desired = desired_new()};
	world->desired->peers = mem_new(WORLD_PEERS_MAX, sizeof(*world->desired->peers));
}

struct desired_peer *world_add(struct world *world, const char *tunnel, const char *name)
{
	struct desired_peer *peer = &world->desired->peers[world->desired->peer_count];
	struct world_peer *of = &world->peers[world->desired->peer_count++];

	ck_assert_uint_le(world->desired->peer_count, WORLD_PEERS_MAX);
	strcpy(peer->tunnel, tunnel);
	strcpy(peer->name, name);
	peer->public_key.bytes[0] = (uint8_t)world->desired->peer_count;
	*of = (struct world_peer){
		.name = name, .served = true, .looked_at = true, .handshake_ms = HOLDER_NEVER};
	return peer;
}

static struct prefix parse(const char *text)
{
	struct prefix prefix;

	ck_assert_int_eq(prefix_parse(text, &prefix, NULL), 0);
	return prefix;
}

static int compare_prefixes(const void *left, const void *right)
{
	return prefix_compare(left, right);
}

static int compare_shares(const void *left, const void *right)
{
	const struct desired_share *a = left, *b = right;

	return prefix_compare(&a->prefix, &b->prefix);
}

void world_own(struct desired_peer *peer, const char *prefix)
{
	peer->allowed_ips = realloc(peer->allowed_ips, (peer->allowed_ip_count + 1) * sizeof(struct prefix));
	peer->allowed_ips[peer->allowed_ip_count++] = parse(prefix);
	qsort(peer->allowed_ips, peer->allowed_ip_count, sizeof(struct prefix), compare_prefixes);
}

void world_share(
	struct desired_peer *peer, const char *prefix, uint32_t priority, const char *probe, uint32_t table)
{
	struct desired_share *share;

	world_own(peer, prefix);
	peer->shares = realloc(peer->shares, (peer->share_count + 1) * sizeof(*share));
	share = &peer->shares[peer->share_count++];
	*share = (struct desired_share){.prefix = parse(prefix), .priority = priority, .table = table};
	if (probe)
		ck_assert_int_eq(addr_parse(probe, &share->probe, NULL), 0);
	qsort(peer->shares, peer->share_count, sizeof(*share), compare_shares);
}

void world_start(struct world *world)
{
	world->holder = holder_new(world->desired, NULL, 7, world->now_ms);
	for (size_t i = 0; i < world->desired->peer_count; i++)
		world_revive(world, world->peers[i].name);
}

void world_end(struct world *world)
{
	holder_free(world->holder);
	desired_free(world->desired);
	text_clear(&world->said);
}

struct world_peer *world_peer(struct world *world, const char *name)
{
	for (size_t i = 0; i < world->desired->peer_count; i++)
		if (!strcmp(world->peers[i].name, name))
			return &world->peers[i];
	ck_abort_msg("no peer %s", name);
	return NULL;
}

void world_kill(struct world *world, const char *name)
{
	world_peer(world, name)->up = false;
}

void world_revive(struct world *world, const char *name)
{
	struct world_peer *peer = world_peer(world, name);

	peer->up = peer->network_up = true;
	peer->handshake_ms = world->now_ms;
}

/* ---- who has what ---- */

static bool has(const struct world *world, size_t peer, const struct prefix *prefix)
{
	size_t count;
	const struct prefix *allowed =
		holder_allowed_ips(world->holder, &world->desired->peers[peer], &count);

	for (size_t i = 0; i < count; i++)
		if (prefix_equal(&allowed[i], prefix))
			return true;
	return false;
}

const char *world_has(const struct world *world, const char *prefix)
{
	static char text[256];
	struct prefix wanted = parse(prefix);

	text[0] = '\0';
	for (size_t i = 0; i < world->desired->peer_count; i++) {
		if (!has(world, i, &wanted))
			continue;
		strcat(text, text[0] ? "+" : "");
		strcat(text, world->peers[i].name);
	}
	return text;
}

/* Whom the longest prefix around it leads to. */
static const struct world_peer *way_to(const struct world *world, const struct addr *addr)
{
	const struct world_peer *found = NULL;
	int length = -1;

	for (size_t i = 0; i < world->desired->peer_count; i++) {
		size_t count;
		const struct prefix *allowed =
			holder_allowed_ips(world->holder, &world->desired->peers[i], &count);

		for (size_t j = 0; j < count; j++)
			if (prefix_contains(&allowed[j], addr) && allowed[j].length > length) {
				length = allowed[j].length;
				found = &world->peers[i];
			}
	}
	return found;
}

/* ---- time passes ---- */

static void look(struct world *world)
{
	for (size_t i = 0; i < world->desired->peer_count; i++) {
		struct world_peer *peer = &world->peers[i];
		size_t index = holder_find(world->holder, &world->desired->peers[i]);

		if (peer->up && world->now_ms - peer->handshake_ms >= REKEY_MS)
			peer->handshake_ms = world->now_ms;
		if (index != HOLDER_NONE && peer->looked_at)
			holder_observe(world->holder, index, peer->served, peer->handshake_ms, world->now_ms);
	}
}

/* An answer is on time or does not come, so it may as well come at once. */
static void ping(struct world *world, size_t claim)
{
	const struct holder_claim *of = &world->holder->claims[claim];
	const struct desired_peer *peer = world->holder->peers[of->peer].desired;
	const struct world_peer *there = way_to(world, &of->share->probe);

	ck_assert_msg(there && !strcmp(there->name, peer->name), "the probe of %s goes to %s", peer->name,
		there ? there->name : "nobody");
	if (there->up && there->network_up)
		(void)holder_answer(world->holder, claim, true, world->now_ms);
}

static void step(struct world *world)
{
	struct holder_move moves[4];
	size_t count;

	do {
		count = holder_step(world->holder, world->now_ms, moves, ARRAY_COUNT(moves));
		for (size_t i = 0; i < count; i++) {
			text_add(&world->said, "%.1f ", (double)(world->now_ms - START_MS) / 1000);
			holder_say(world->holder, &moves[i], &world->said);
			text_add(&world->said, "\n");
		}
	} while (count == ARRAY_COUNT(moves));
}

static void tick(struct world *world)
{
	size_t cursor = 0, claim;

	world->now_ms += TICK_MS;
	if (world->now_ms >= world->next_look_ms) {
		look(world);
		step(world);
		world->next_look_ms = world->now_ms + LOOK_MS;
	}
	if (world->now_ms < holder_deadline(world->holder, world->now_ms - TICK_MS))
		return;
	while ((claim = holder_ask(world->holder, &cursor, world->now_ms)) != HOLDER_NONE)
		ping(world, claim);
	step(world);
}

void world_run(struct world *world, int64_t ms)
{
	for (int64_t until_ms = world->now_ms + ms; world->now_ms < until_ms;)
		tick(world);
}

int64_t world_until(struct world *world, const char *prefix, const char *name, int64_t max_ms)
{
	int64_t began_ms = world->now_ms;

	while (strcmp(world_has(world, prefix), name) && world->now_ms - began_ms < max_ms)
		tick(world);
	ck_assert_msg(!strcmp(world_has(world, prefix), name), "%s has %s, not %s\n%s",
		world_has(world, prefix), prefix, name, world->said.data ? world->said.data : "");
	return world->now_ms - began_ms;
}
