/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/plan.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/compile.h"
#include "controller/core/fleet/difference.h"

const char *fleet_plan_why_text(enum fleet_plan_why why)
{
	switch (why) {
	case PLAN_REMOVED:
		return "removed";
	case PLAN_KEY:
		return "another key";
	case PLAN_TUNNEL_KEY:
		return "the tunnel has another key";
	case PLAN_TUNNEL_PORT:
		return "the tunnel has another port";
	case PLAN_PRESHARED:
		return "another pre-shared key";
	case PLAN_NARROWED:
		return "narrowed";
	}
	return "?";
}

static void drop_expired(struct desired *desired, int64_t now_s)
{
	size_t kept = 0;

	for (size_t i = 0; i < desired->peer_count; i++) {
		if (desired_peer_is_expired(&desired->peers[i], now_s))
			desired_peer_clear(&desired->peers[i]);
		else
			desired->peers[kept++] = desired->peers[i];
	}
	desired->peer_count = kept;
}

static struct desired *compile(const struct fleet *fleet, size_t gateway, int64_t now_s)
{
	const struct fleet_issue issue = {.generation = 1};
	struct desired *desired = fleet_compile(fleet, gateway, &issue);

	drop_expired(desired, now_s);
	return desired;
}

static const struct fleet_gateway *find(const struct fleet *fleet, const char *name)
{
	return fleet ? fleet_find_gateway(fleet, name) : NULL;
}

/* Keeps the first lines and counts them all. */
static void take_lines(struct fleet_plan_gateway *gateway, struct text *text, size_t lines_max)
{
	char *end = text->data;

	while (gateway->shown < gateway->count && gateway->shown < lines_max) {
		end = strchr(end, '\n') + 1;
		gateway->shown++;
	}
	if (end)
		*end = '\0';
	gateway->lines = mem_text(end ? text->data : "");
	text_clear(text);
}

/* The lines that are not about peers, of all gateways. */
struct other {
	struct text lines;
	size_t count;
};

static void add_gateway(struct fleet_plan *plan, const struct fleet *from, const struct fleet *to,
	const char *name, size_t lines_max, struct other *other)
{
	const struct fleet_gateway *old = find(from, name), *new = find(to, name);
	struct desired *before = old ? compile(from, (size_t)(old - from->gateways), plan->now_s) : NULL;
	struct desired *after = new ? compile(to, (size_t)(new - to->gateways), plan->now_s) : NULL;
	struct fleet_plan_gateway *gateway = &plan->gateways[plan->gateway_count++];
	struct text text = {0};

	(void)text_copy(gateway->name, sizeof(gateway->name), name);
	gateway->is_new = !old;
	gateway->leaves = !new;
	gateway->count = fleet_difference(before, after, &text);
	take_lines(gateway, &text, lines_max);
	other->count += fleet_difference_but_peers(before, after, &other->lines);
	desired_free(before);
	desired_free(after);
}

static void add_gateways(
	struct fleet_plan *plan, const struct fleet *from, const struct fleet *to, size_t lines_max)
{
	size_t old_count = from ? from->gateway_count : 0;
	struct other other = {0};

	plan->gateways = mem_new(old_count + to->gateway_count + 1, sizeof(*plan->gateways));
	for (size_t i = 0; i < old_count; i++)
		add_gateway(plan, from, to, from->gateways[i].name, lines_max, &other);
	for (size_t i = 0; i < to->gateway_count; i++)
		if (!find(from, to->gateways[i].name))
			add_gateway(plan, from, to, to->gateways[i].name, lines_max, &other);
	plan->counts.other = fleet_count_different(&other.lines, other.count);
	text_clear(&other.lines);
}

/* Enough gateways to have every tunnel: a tunnel's peers are the same on all that have it. */
struct cover {
	size_t count;
	struct desired *gateways[PROTO_TUNNELS_MAX]; /* owned */
	struct access_side side;
};

static bool is_first_of_any(const struct fleet *fleet, size_t gateway)
{
	for (size_t i = 0; i < fleet->tunnel_count; i++) {
		size_t first = 0;

		while (first < fleet->gateway_count && !fleet_tunnel_is_on(fleet, &fleet->tunnels[i], first))
			first++;
		if (first == gateway)
			return true;
	}
	return false;
}

static void cover_make(const struct fleet *fleet, int64_t now_s, struct cover *cover)
{
	*cover = (struct cover){0};
	for (size_t i = 0; fleet && i < fleet->gateway_count; i++)
		if (is_first_of_any(fleet, i))
			cover->gateways[cover->count++] = compile(fleet, i, now_s);
	cover->side = (struct access_side){
		.gateways = (const struct desired *const *)cover->gateways, .count = cover->count};
}

static void cover_clear(struct cover *cover)
{
	for (size_t i = 0; i < cover->count; i++)
		desired_free(cover->gateways[i]);
}

static const struct fleet_tunnel *find_tunnel(const struct fleet *fleet, const char *name)
{
	for (size_t i = 0; i < fleet->tunnel_count; i++)
		if (!strcmp(fleet->tunnels[i].name, name))
			return &fleet->tunnels[i];
	return NULL;
}

static void add_cost(struct fleet_plan *plan, const struct desired_peer *peer, enum fleet_plan_why why)
{
	struct fleet_plan_cost *cost;

	plan->costs = mem_grow(plan->costs, &plan->cost_capacity, plan->cost_count + 1, sizeof(*plan->costs));
	cost = &plan->costs[plan->cost_count++];
	*cost = (struct fleet_plan_cost){.public_key = peer->public_key, .why = why};
	(void)text_copy(cost->peer, sizeof(cost->peer), peer->name);
	(void)text_copy(cost->tunnel, sizeof(cost->tunnel), peer->tunnel);
}

static void add_admitted(struct fleet_plan *plan, const struct desired_peer *peer, bool widened)
{
	struct fleet_plan_admitted *admitted;

	plan->admitted = mem_grow(
		plan->admitted, &plan->admitted_capacity, plan->admitted_count + 1, sizeof(*plan->admitted));
	admitted = &plan->admitted[plan->admitted_count++];
	*admitted = (struct fleet_plan_admitted){.widened = widened};
	(void)text_copy(admitted->peer, sizeof(admitted->peer), peer->name);
	(void)text_copy(admitted->tunnel, sizeof(admitted->tunnel), peer->tunnel);
}

static bool other_preshared_key(const struct desired_peer *from, const struct desired_peer *to)
{
	const char *old = from->preshared_key_file, *new = to->preshared_key_file;

	return old && new ? strcmp(old, new) != 0 : old != new;
}

static void note_peer(
	const struct desired_peer *from, const struct desired_peer *to, unsigned changes, void *context)
{
	struct fleet_plan *plan = context;

	if (changes & ACCESS_REMOVED)
		add_cost(plan, from, PLAN_REMOVED);
	else if (changes & ACCESS_CHANGED && other_preshared_key(from, to))
		add_cost(plan, from, PLAN_PRESHARED);
	else if (changes & ACCESS_NARROWED)
		add_cost(plan, from, PLAN_NARROWED);
	if (changes & (ACCESS_ADMITTED | ACCESS_WIDENED))
		add_admitted(plan, to, !(changes & ACCESS_ADMITTED));
}

static int compare_admitted(const void *left, const void *right)
{
	const struct fleet_plan_admitted *a = left, *b = right;
	int order = strcmp(a->tunnel, b->tunnel);

	return order ? order : strcmp(a->peer, b->peer);
}

/* Who is removed and admitted under the same name has another key. */
static void find_new_keys(struct fleet_plan *plan)
{
	if (plan->admitted_count)
		qsort(plan->admitted, plan->admitted_count, sizeof(*plan->admitted), compare_admitted);
	for (size_t i = 0; i < plan->cost_count && plan->admitted_count; i++) {
		struct fleet_plan_cost *cost = &plan->costs[i];
		struct fleet_plan_admitted wanted = {0};

		if (cost->why != PLAN_REMOVED)
			continue;
		(void)text_copy(wanted.peer, sizeof(wanted.peer), cost->peer);
		(void)text_copy(wanted.tunnel, sizeof(wanted.tunnel), cost->tunnel);
		if (bsearch(&wanted, plan->admitted, plan->admitted_count, sizeof(wanted), compare_admitted))
			cost->why = PLAN_KEY;
	}
}

/* 0: the gateway has it not. */
static uint16_t port_on(const struct fleet *fleet, const struct fleet_tunnel *tunnel, const char *gateway)
{
	for (size_t i = 0; i < fleet->gateway_count; i++)
		if (!strcmp(fleet->gateways[i].name, gateway) && fleet_tunnel_is_on(fleet, tunnel, i))
			return fleet_tunnel_settings(tunnel, i)->listen_port;
	return 0;
}

static bool has_new_port(const struct fleet *from, const struct fleet_tunnel *old, const struct fleet *to,
	const struct fleet_tunnel *new)
{
	for (size_t i = 0; i < from->gateway_count; i++) {
		const char *gateway = from->gateways[i].name;
		uint16_t before = port_on(from, old, gateway), after = port_on(to, new, gateway);

		if (before && after && before != after)
			return true;
	}
	return false;
}

/* Does each session in it end, if not with its peer? */
static bool ends_all(
	const struct fleet *from, const struct fleet *to, const char *tunnel, enum fleet_plan_why *ret_why)
{
	const struct fleet_tunnel *old = find_tunnel(from, tunnel), *new = find_tunnel(to, tunnel);

	if (!old || !new)
		return false;
	*ret_why = key_equal(&old->public_key, &new->public_key) ? PLAN_TUNNEL_PORT : PLAN_TUNNEL_KEY;
	return *ret_why == PLAN_TUNNEL_KEY || has_new_port(from, old, to, new);
}

static int compare_keys(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct key));
}

/* Of a tunnel whose sessions all end: what it costs whom for another reason is forgotten, but for who goes altogether,
 * whose keys are returned in order. */
static struct key *keep_gone_in(struct fleet_plan *plan, const char *tunnel, size_t *ret_count)
{
	struct key *gone = mem_new(plan->cost_count + 1, sizeof(*gone));
	size_t kept = 0, count = 0;

	for (size_t i = 0; i < plan->cost_count; i++) {
		const struct fleet_plan_cost *cost = &plan->costs[i];
		bool is_here = !strcmp(cost->tunnel, tunnel);

		if (is_here && cost->why != PLAN_REMOVED && cost->why != PLAN_KEY)
			continue;
		if (is_here)
			gone[count++] = cost->public_key;
		plan->costs[kept++] = *cost;
	}
	plan->cost_count = kept;
	qsort(gone, count, sizeof(*gone), compare_keys);
	*ret_count = count;
	return gone;
}

static void end_all_in(
	struct fleet_plan *plan, const struct desired *gateway, const char *tunnel, enum fleet_plan_why why)
{
	size_t gone_count;
	struct key *gone = keep_gone_in(plan, tunnel, &gone_count);

	for (size_t i = 0; i < gateway->peer_count; i++) {
		const struct desired_peer *peer = &gateway->peers[i];

		if (!strcmp(peer->tunnel, tunnel) &&
			!bsearch(&peer->public_key, gone, gone_count, sizeof(*gone), compare_keys))
			add_cost(plan, peer, why);
	}
	free(gone);
}

static bool has_tunnel(const struct desired *gateway, const char *tunnel)
{
	for (size_t i = 0; i < gateway->tunnel_count; i++)
		if (!strcmp(gateway->tunnels[i].name, tunnel))
			return true;
	return false;
}

static void add_ended_tunnels(
	struct fleet_plan *plan, const struct fleet *from, const struct fleet *to, const struct cover *before)
{
	for (size_t i = 0; i < from->tunnel_count; i++) {
		const char *tunnel = from->tunnels[i].name;
		enum fleet_plan_why why;
		size_t member = 0;

		if (!ends_all(from, to, tunnel, &why))
			continue;
		while (member < before->count && !has_tunnel(before->gateways[member], tunnel))
			member++;
		if (member < before->count)
			end_all_in(plan, before->gateways[member], tunnel, why);
	}
}

/* Keys, by whose order peers come, mean nothing to a person. */
static int compare_costs(const void *left, const void *right)
{
	const struct fleet_plan_cost *a = left, *b = right;
	int order = strcmp(a->tunnel, b->tunnel);

	return order ? order : strcmp(a->peer, b->peer);
}

static void add_peers(struct fleet_plan *plan, const struct fleet *from, const struct fleet *to)
{
	struct cover before, after;

	cover_make(from, plan->now_s, &before);
	cover_make(to, plan->now_s, &after);
	fleet_count_peers(&before.side, &after.side, &plan->counts);
	access_compare(&before.side, &after.side, note_peer, plan);
	find_new_keys(plan);
	if (from)
		add_ended_tunnels(plan, from, to, &before);
	if (plan->cost_count)
		qsort(plan->costs, plan->cost_count, sizeof(*plan->costs), compare_costs);
	cover_clear(&before);
	cover_clear(&after);
}

void fleet_plan_make(const struct fleet *from, const struct fleet *to, int64_t now_s, size_t lines_max,
	struct fleet_plan *ret_plan)
{
	struct text lines = {0};

	*ret_plan = (struct fleet_plan){.now_s = now_s};
	add_gateways(ret_plan, from, to, lines_max);
	add_peers(ret_plan, from, to);
	if (from)
		ret_plan->controller_count = fleet_difference_of_controller(from, to, &lines);
	ret_plan->counts.other += ret_plan->controller_count;
	ret_plan->controller = text_take(&lines);
}

void fleet_plan_clear(struct fleet_plan *plan)
{
	for (size_t i = 0; i < plan->gateway_count; i++)
		free(plan->gateways[i].lines);
	free(plan->gateways);
	free(plan->controller);
	free(plan->costs);
	free(plan->admitted);
	*plan = (struct fleet_plan){0};
}

bool fleet_plan_is_empty(const struct fleet_plan *plan)
{
	for (size_t i = 0; i < plan->gateway_count; i++) {
		const struct fleet_plan_gateway *gateway = &plan->gateways[i];

		if (gateway->count || gateway->is_new || gateway->leaves)
			return false;
	}
	return !plan->controller_count;
}
