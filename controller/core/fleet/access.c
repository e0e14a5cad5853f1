/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/access.h"

#include <string.h>

#include "controller/core/fleet/access_reach.h"

/* The peers of one tunnel: a run of a gateway's sorted list. */
struct run {
	const struct desired *gateway;
	const struct desired_peer *peers;
	size_t count;
	int64_t now_s;
};

/* A peer of either side, or of both: NULL where it is not. */
struct meeting {
	const struct desired *from_gateway, *to_gateway;
	const struct desired_peer *from, *to;
};

typedef void on_meeting(const struct meeting *meeting, void *context);

static struct run run_at(const struct desired *gateway, size_t first)
{
	struct run run = {.gateway = gateway, .peers = &gateway->peers[first]};

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
			run.now_s = side->now_s;
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

static unsigned changes_at(const struct meeting *meeting)
{
	if (!meeting->from)
		return ACCESS_ADMITTED;
	return meeting->to ? changes_between(meeting->from, meeting->to) : ACCESS_REMOVED;
}

/* NULL: there is no further one. */
static const struct desired_peer *next_peer(const struct run *run, size_t *at)
{
	while (*at < run->count && desired_peer_is_expired(&run->peers[*at], run->now_s))
		++*at;
	return *at < run->count ? &run->peers[*at] : NULL;
}

static void merge_runs(struct run from, struct run to, on_meeting *meet, void *context)
{
	size_t old = 0, new = 0;

	for (;;) {
		const struct desired_peer *before = next_peer(&from, &old), *after = next_peer(&to, &new);
		int order = !before ? 1 : !after ? -1 : desired_peer_compare(before, after);
		struct meeting meeting = {.from_gateway = from.gateway,
			.to_gateway = to.gateway,
			.from = order <= 0 ? before : NULL,
			.to = order >= 0 ? after : NULL};

		if (!before && !after)
			return;
		meet(&meeting, context);
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

static void merge(
	const struct access_side *from, const struct access_side *to, on_meeting *meet, void *context)
{
	for (size_t i = 0; i < from->count; i++) {
		for (size_t j = 0; j < from->gateways[i]->tunnel_count; j++) {
			const char *tunnel = from->gateways[i]->tunnels[j].name;

			if (!is_met(from, i, tunnel))
				merge_runs(run_of(from, tunnel), run_of(to, tunnel), meet, context);
		}
	}
	for (size_t i = 0; i < to->count; i++) {
		for (size_t j = 0; j < to->gateways[i]->tunnel_count; j++) {
			const char *tunnel = to->gateways[i]->tunnels[j].name;

			if (!is_met(to, i, tunnel) && !is_anywhere(from, tunnel))
				merge_runs((struct run){0}, run_of(to, tunnel), meet, context);
		}
	}
}

static bool ends_earlier(const struct desired_peer *from, const struct desired_peer *to)
{
	return to->expires_s && (!from->expires_s || to->expires_s < from->expires_s);
}

struct comparison {
	access_found *found;
	void *context;
	struct access_reach back; /* the other way round */
};

/* A later end, or more that its groups let it reach: who is let in again by that has to be named. */
static bool lets_more(struct comparison *comparison, const struct meeting *meeting)
{
	access_reach_between(&comparison->back, meeting->to_gateway, meeting->from_gateway);
	return ends_earlier(meeting->to, meeting->from) ||
	       access_reach_narrows(&comparison->back, meeting->to, meeting->from);
}

static void tell_change(const struct meeting *meeting, void *context)
{
	struct comparison *comparison = context;
	unsigned changes = changes_at(meeting);

	if (meeting->from && meeting->to && lets_more(comparison, meeting))
		changes |= ACCESS_WIDENED; /* who is the same himself, too: his groups may have grown */
	if (changes)
		comparison->found(meeting->from, meeting->to, changes, comparison->context);
}

void access_compare(
	const struct access_side *from, const struct access_side *to, access_found *found, void *context)
{
	struct comparison comparison = {.found = found, .context = context};

	merge(from, to, tell_change, &comparison);
}

struct narrowing {
	bool found;
	struct access_reach reach;
};

static void note_narrowed(const struct meeting *meeting, void *context)
{
	struct narrowing *narrowing = context;
	const struct desired_peer *from = meeting->from, *to = meeting->to;

	if (narrowing->found || !from)
		return;
	if (changes_at(meeting) & (ACCESS_REMOVED | ACCESS_NARROWED)) {
		narrowing->found = true;
		return;
	}
	access_reach_between(&narrowing->reach, meeting->from_gateway, meeting->to_gateway);
	narrowing->found = ends_earlier(from, to) || access_reach_narrows(&narrowing->reach, from, to);
}

bool access_narrows(const struct access_side *from, const struct access_side *to)
{
	struct narrowing narrowing = {0};

	merge(from, to, note_narrowed, &narrowing);
	return narrowing.found;
}
