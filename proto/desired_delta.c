/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/desired.h"

/* Both directions are a merge of two lists of peers in the same order. */

static struct desired_peer_key key_of(const struct desired_peer *peer)
{
	struct desired_peer_key key = {.public_key = peer->public_key};

	memcpy(key.tunnel, peer->tunnel, sizeof(key.tunnel));
	return key;
}

static int compare_to_key(const struct desired_peer *peer, const struct desired_peer_key *key)
{
	int order = strcmp(peer->tunnel, key->tunnel);

	return order ? order : memcmp(peer->public_key.bytes, key->public_key.bytes, KEY_BYTES);
}

static void add_peer(struct desired *desired, size_t *capacity, const struct desired_peer *peer)
{
	desired->peers = mem_grow(desired->peers, capacity, desired->peer_count + 1, sizeof(*desired->peers));
	desired_peer_copy(&desired->peers[desired->peer_count++], peer);
}

static void add_removed(struct desired_delta *delta, size_t *capacity, const struct desired_peer *peer)
{
	delta->removed =
		mem_grow(delta->removed, capacity, delta->removed_count + 1, sizeof(*delta->removed));
	delta->removed[delta->removed_count++] = key_of(peer);
}

static void diff_peers(struct desired_delta *delta, const struct desired *from, const struct desired *to)
{
	size_t set_capacity = 0, removed_capacity = 0, old = 0, new = 0;

	while (old < from->peer_count || new < to->peer_count) {
		int order = old == from->peer_count ? 1
			    : new == to->peer_count
				    ? -1
				    : desired_peer_compare(&from->peers[old], &to->peers[new]);

		if (order < 0)
			add_removed(delta, &removed_capacity, &from->peers[old]);
		else if (order > 0 || !desired_peer_equal(&from->peers[old], &to->peers[new]))
			add_peer(delta->head_and_set_peers, &set_capacity, &to->peers[new]);
		old += order <= 0;
		new += order >= 0;
	}
}

struct desired_delta *desired_diff(const struct desired *from, const struct desired *to)
{
	struct desired_delta *delta = mem_new(1, sizeof(*delta));

	/* Generation 0 is nobody's: as a base it would mean "from nothing". */
	if (!from || !from->generation) {
		delta->head_and_set_peers = desired_copy(to);
		return delta;
	}
	delta->base = from->generation;
	delta->head_and_set_peers = desired_copy_head(to);
	diff_peers(delta, from, to);
	return delta;
}

static int check_base(const struct desired *from, const struct desired_delta *delta, struct err *err)
{
	if (!from)
		return err_set(err, -ESTALE, "a change to generation %" PRIu64 ", and there is none here",
			delta->base);
	if (from->generation != delta->base)
		return err_set(err, -ESTALE,
			"a change to generation %" PRIu64 ", and generation %" PRIu64 " is here", delta->base,
			from->generation);
	if (strcmp(from->gateway, delta->head_and_set_peers->gateway) != 0)
		return err_set(err, -EINVAL, "a change for %s, and this is %s",
			delta->head_and_set_peers->gateway, from->gateway);
	return 0;
}

/* Copy the old peers, leaving out the removed ones and putting in the set ones. The number of removed ones that were
 * there, which must be all. */
static size_t patch_peers(struct desired *to, const struct desired *from, const struct desired_delta *delta)
{
	const struct desired *set = delta->head_and_set_peers;
	size_t capacity = 0, old = 0, new = 0, gone = 0;

	while (old < from->peer_count || new < set->peer_count) {
		int order = old == from->peer_count ? 1
			    : new == set->peer_count
				    ? -1
				    : desired_peer_compare(&from->peers[old], &set->peers[new]);
		bool removed = order < 0 && gone < delta->removed_count &&
			       !compare_to_key(&from->peers[old], &delta->removed[gone]);

		if (order >= 0)
			add_peer(to, &capacity, &set->peers[new]);
		else if (!removed)
			add_peer(to, &capacity, &from->peers[old]);
		gone += removed;
		old += order <= 0;
		new += order >= 0;
	}
	return gone;
}

/* A peer that stays must have a tunnel to stay in. Both are sorted by tunnel, so each tunnel is looked up once. */
static int check_tunnels(const struct desired *desired, struct err *err)
{
	for (size_t i = 0; i < desired->peer_count; i++) {
		const char *tunnel = desired->peers[i].tunnel;
		bool found = i && !strcmp(tunnel, desired->peers[i - 1].tunnel);

		for (size_t j = 0; !found && j < desired->tunnel_count; j++)
			found = !strcmp(tunnel, desired->tunnels[j].name);
		if (!found)
			return err_set(err, -EINVAL, "a change leaves peer %s in tunnel %s, which is gone",
				desired->peers[i].name, tunnel);
	}
	return 0;
}

static int check_result(
	const struct desired *to, const struct desired_delta *delta, size_t gone, struct err *err)
{
	if (gone != delta->removed_count)
		return err_set(err, -EINVAL, "a change removes a peer that is not there");
	if (to->peer_count > PROTO_PEERS_MAX)
		return err_set(err, -EINVAL, "%zu peers, at most %d", to->peer_count, PROTO_PEERS_MAX);
	return check_tunnels(to, err);
}

int desired_patch(const struct desired *from, const struct desired_delta *delta, struct desired **ret_to,
	struct err *err)
{
	struct desired *to;
	int r;

	if (!delta->base) {
		*ret_to = desired_copy(delta->head_and_set_peers);
		return 0;
	}
	r = check_base(from, delta, err);
	if (r)
		return r;
	to = desired_copy_head(delta->head_and_set_peers);
	r = check_result(to, delta, patch_peers(to, from, delta), err);
	if (r)
		desired_free(to);
	else
		*ret_to = to;
	return r;
}

void desired_delta_free(struct desired_delta *delta)
{
	if (!delta)
		return;
	desired_free(delta->head_and_set_peers);
	free(delta->removed);
	free(delta);
}
