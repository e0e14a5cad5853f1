/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/names.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "node-agent/core/plan/target.h"
#include "node-agent/io/agent/names_int.h"

/* ---- which there are ---- */

/* A tunnel of the fleet and one of `holdfast up` may have one name, in two network namespaces. */
static int compare(const struct name *name, bool of_fleet, const char *tunnel, const struct key *public_key)
{
	int order = name->of_fleet - of_fleet;

	if (!order)
		order = strcmp(name->tunnel, tunnel);
	return order ? order : memcmp(name->public_key.bytes, public_key->bytes, KEY_BYTES);
}

static struct name *find(
	const struct names *names, bool of_fleet, const char *tunnel, const struct key *public_key)
{
	size_t low = 0, high = names->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(&names->items[middle], of_fleet, tunnel, public_key);

		if (!order)
			return &names->items[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool is_same(const struct name *a, const struct name *b)
{
	return !strcmp(a->host, b->host) && a->port == b->port;
}

/* The first generation of this process meets devices that may have roamed; a later one brings new names. `holdfast up`
 * sets what it has resolved by itself. */
static void make(struct names *names, const struct names *before, const struct name *wanted)
{
	const struct name *old = find(before, wanted->of_fleet, wanted->tunnel, &wanted->public_key);
	struct name *name = &names->items[names->count++];

	*name = old && is_same(old, wanted) ? *old : *wanted;
	if (name->id)
		return;
	name->id = ++names->next_id;
	name->told_ms = clock_now_ms();
	resolve_init(&name->resolve, name->port, name->of_fleet && before->of, name->told_ms);
}

static void make_of_fleet(struct names *names, const struct names *before, const struct desired_peer *peer)
{
	struct name wanted = {.public_key = peer->public_key, .port = peer->endpoint_port, .of_fleet = true};

	text_copy(wanted.tunnel, sizeof(wanted.tunnel), peer->tunnel);
	text_copy(wanted.host, sizeof(wanted.host), peer->endpoint_host);
	text_copy(wanted.peer, sizeof(wanted.peer), peer->name);
	make(names, before, &wanted);
}

static void make_of_tunnel(struct names *names, const struct names *before, const struct tunnel *tunnel,
	const struct quick_kept_peer *peer)
{
	struct name wanted = {.public_key = peer->public_key, .port = peer->port};
	char key[KEY_TEXT_MAX];

	key_format(&peer->public_key, key);
	text_copy(wanted.tunnel, sizeof(wanted.tunnel), tunnel->name);
	text_copy(wanted.host, sizeof(wanted.host), peer->host);
	text_copy(wanted.peer, sizeof(wanted.peer), key);
	make(names, before, &wanted);
}

/* At most so many: few peers have one, and a name takes a kilobyte. */
static size_t count_names(const struct agent *agent)
{
	const struct desired *desired = agent->held.desired;
	size_t count = 0;

	for (size_t i = 0; desired && i < desired->peer_count; i++)
		count += desired->peers[i].endpoint_host != NULL;
	for (size_t i = 0; i < tunnels_count(agent); i++)
		count += tunnels_at(agent, i)->kept.peer_count;
	return count;
}

static void make_all(const struct agent *agent, struct names *names, const struct names *before)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; desired && i < desired->peer_count; i++)
		if (desired->peers[i].endpoint_host)
			make_of_fleet(names, before, &desired->peers[i]);
	for (size_t i = 0; i < tunnels_count(agent); i++) {
		const struct tunnel *tunnel = tunnels_at(agent, i);

		for (size_t j = 0; j < tunnel->kept.peer_count; j++)
			if (tunnel->kept.peers[j].host[0])
				make_of_tunnel(names, before, tunnel, &tunnel->kept.peers[j]);
	}
}

static int by_all(const void *left, const void *right)
{
	const struct name *a = left, *b = right;

	return compare(a, b->of_fleet, b->tunnel, &b->public_key);
}

void names_update(struct agent *agent)
{
	struct names *names = agent->names, before = *names;

	if (names->of == agent->held.desired && names->tunnels_version == tunnels_version(agent))
		return;
	names->count = 0;
	names->items = mem_new(count_names(agent) + 1, sizeof(*names->items));
	make_all(agent, names, &before);
	qsort(names->items, names->count, sizeof(*names->items), by_all);
	names->of = agent->held.desired;
	names->tunnels_version = tunnels_version(agent);
	names->next_poll_ms = 0;
	free(before.items);
	names_act_all(agent);
}

/* ---- when something is to be done ---- */

void names_second(struct agent *agent)
{
	struct names *names = agent->names;
	int64_t began_ms = clock_now_ms();

	if (!names->count || names->of != agent->held.desired)
		return;
	if (began_ms >= names->next_poll_ms) {
		names_observe_all(agent);
		names->next_poll_ms = began_ms + (clock_now_ms() - began_ms) * NAMES_POLL_SHARE;
	}
	names_act_all(agent);
}

static bool is_asked_in(const struct agent *agent, const struct name *name, const struct place *place)
{
	const struct tunnel *tunnel = name->of_fleet ? NULL : tunnels_find(agent, name->tunnel);

	return tunnel ? tunnel_sends_from(tunnel, place) : !place;
}

void names_underlay_changed(struct agent *agent, const struct place *place)
{
	int64_t now_ms = clock_now_ms();

	for (size_t i = 0; i < agent->names->count; i++) {
		struct name *name = &agent->names->items[i];

		if (!is_asked_in(agent, name, place))
			continue;
		name->told_ms = now_ms;
		resolve_underlay_changed(&name->resolve, now_ms);
	}
	names_act_all(agent);
}

const struct endpoint *names_endpoint(const char *tunnel, const struct key *public_key, void *context)
{
	struct agent *agent = context;
	struct name *name = find(agent->names, true, tunnel, public_key);

	if (!name)
		return NULL;
	name->endpoint = resolve_endpoint(&name->resolve);
	return addr_is_set(&name->endpoint.addr) ? &name->endpoint : NULL;
}

size_t names_unresolved(const struct agent *agent, const char **ret_name)
{
	size_t unresolved = 0;

	for (size_t i = 0; agent->names && i < agent->names->count; i++) {
		if (agent->names->items[i].resolve.count)
			continue;
		*ret_name = agent->names->items[i].host;
		unresolved++;
	}
	return unresolved;
}

int names_open(struct agent *agent, struct err *err)
{
	agent->names = mem_new(1, sizeof(*agent->names));
	return names_listen(agent, err);
}

void names_close(struct agent *agent)
{
	if (!agent->names)
		return;
	if (agent->names->answers)
		event_free(agent->names->answers);
	resolver_free(agent->names->resolver);
	free(agent->names->items);
	free(agent->names);
	agent->names = NULL;
}
