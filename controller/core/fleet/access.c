/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/access.h"

#include <string.h>

/* The peers of one tunnel: a run of the sorted list. */
struct run {
	const struct desired_peer *peers;
	size_t count;
};

static struct run run_at(const struct desired *gateway, size_t first)
{
	struct run run = {.peers = &gateway->peers[first]};

	while (first + run.count < gateway->peer_count &&
		!strcmp(run.peers->tunnel, gateway->peers[first + run.count].tunnel))
		run.count++;
	return run;
}

static bool has_tunnel(const struct desired *gateway, const char *tunnel)
{
	for (size_t i = 0; i < gateway->tunnel_count; i++)
		if (!strcmp(gateway->tunnels[i].name, tunnel))
			return true;
	return false;
}

/* Of the first gateway that has the tunnel; another would have the same. */
static struct run run_of(const struct access_side *side, const char *tunnel)
{
	for (size_t i = 0; i < side->count; i++) {
		const struct desired *gateway = side->gateways[i];
		struct run run = {0};

		if (!has_tunnel(gateway, tunnel))
			continue;
		for (size_t at = 0; at < gateway->peer_count; at += run.count) {
			run = run_at(gateway, at);
			if (!strcmp(run.peers->tunnel, tunnel))
				return run;
		}
		break;
	}
	return (struct run){0};
}

static bool covers(const struct desired_peer *peer, const struct prefix *prefix)
{
	for (size_t i = 0; i < peer->allowed_ip_count; i++)
		if (prefix_covers(&peer->allowed_ips[i], prefix))
			return true;
	return false;
}

static bool covers_all(const struct desired_peer *peer, const struct desired_peer *other)
{
	for (size_t i = 0; i < other->allowed_ip_count; i++)
		if (!covers(peer, &other->allowed_ips[i]))
			return false;
	return true;
}

/* A key is wanted that `from` did not want: who has only the old one stays out. */
static bool wants_another_key(const struct desired_peer *from, const struct desired_peer *to)
{
	return to->preshared_key_file &&
	       (!from->preshared_key_file || strcmp(from->preshared_key_file, to->preshared_key_file));
}

static unsigned changes_between(const struct desired_peer *from, const struct desired_peer *to)
{
	unsigned changes = ACCESS_CHANGED;

	if (desired_peer_equal(from, to))
		return 0;
	if (!covers_all(to, from) || wants_another_key(from, to))
		changes |= ACCESS_NARROWED;
	if (!covers_all(from, to) || wants_another_key(to, from))
		changes |= ACCESS_WIDENED;
	return changes;
}

static void compare_runs(struct run from, struct run to, access_found *found, void *context)
{
	size_t old = 0, new = 0;

	while (old < from.count || new < to.count) {
		int order = old == from.count ? 1
			    : new == to.count ? -1
					      : desired_peer_compare(&from.peers[old], &to.peers[new]);
		const struct desired_peer *before = order <= 0 ? &from.peers[old] : NULL;
		const struct desired_peer *after = order >= 0 ? &to.peers[new] : NULL;
		unsigned changes = !before  ? ACCESS_ADMITTED
				   : !after ? ACCESS_REMOVED
					    : changes_between(before, after);

		if (changes)
			found(before, after, changes, context);
		old += order <= 0;
		new += order >= 0;
	}
}

/* Is the tunnel one of an earlier gateway of this side? */
static bool is_met(const struct access_side *side, size_t gateway, const char *tunnel)
{
	for (size_t i = 0; i < gateway; i++)
		if (has_tunnel(side->gateways[i], tunnel))
			return true;
	return false;
}

static bool is_anywhere(const struct access_side *side, const char *tunnel)
{
	return is_met(side, side->count, tunnel);
}

void access_compare(
	const struct access_side *from, const struct access_side *to, access_found *found, void *context)
{
	for (size_t i = 0; i < from->count; i++) {
		for (size_t j = 0; j < from->gateways[i]->tunnel_count; j++) {
			const char *tunnel = from->gateways[i]->tunnels[j].name;

			if (!is_met(from, i, tunnel))
				compare_runs(run_of(from, tunnel), run_of(to, tunnel), found, context);
		}
	}
	for (size_t i = 0; i < to->count; i++) {
		for (size_t j = 0; j < to->gateways[i]->tunnel_count; j++) {
			const char *tunnel = to->gateways[i]->tunnels[j].name;

			if (!is_met(to, i, tunnel) && !is_anywhere(from, tunnel))
				compare_runs((struct run){0}, run_of(to, tunnel), found, context);
		}
	}
}

static void note_narrowed(
	const struct desired_peer *from, const struct desired_peer *to, unsigned changes, void *context)
{
	bool *narrows = context;

	(void)from;
	(void)to;
	if (changes & (ACCESS_REMOVED | ACCESS_NARROWED))
		*narrows = true;
}

bool access_narrows(const struct access_side *from, const struct access_side *to)
{
	bool narrows = false;

	access_compare(from, to, note_narrowed, &narrows);
	return narrows;
}
