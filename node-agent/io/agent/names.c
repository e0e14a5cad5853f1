/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/core/plan/target.h"
#include "node-agent/core/resolve/resolve.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/resolver/resolver.h"

enum { POLL_SHARE = 20 }; /* polling for traffic may take a twentieth of the loop */

struct name {
	char tunnel[PROTO_INTERFACE_MAX + 1];
	struct key public_key;
	char host[HOST_MAX + 1];
	char peer[PROTO_NAME_MAX + 1]; /* for a person */
	uint16_t port;
	bool of_fleet; /* else of a tunnel of `holdfast up` */
	uint64_t id;   /* of its questions */
	struct resolve resolve;
	struct endpoint endpoint; /* what names_endpoint() points at */
	int64_t told_ms;          /* when it became known that something is wrong; for took_ms */
	bool failed, resolved;    /* ever */
};

struct names {
	struct resolver *resolver;
	struct event *answers;
	const struct desired *of; /* the generation they were taken from */
	uint64_t tunnels_version; /* ... and the tunnels */
	uint64_t next_id;
	size_t count;
	struct name *items; /* sorted by tunnel and key */
	int64_t next_poll_ms;
};

/* ---- which there are ---- */

static int compare(const struct name *name, const char *tunnel, const struct key *public_key)
{
	int order = strcmp(name->tunnel, tunnel);

	return order ? order : memcmp(name->public_key.bytes, public_key->bytes, KEY_BYTES);
}

static struct name *find(const struct names *names, const char *tunnel, const struct key *public_key)
{
	size_t low = 0, high = names->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(&names->items[middle], tunnel, public_key);

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
	return !strcmp(a->host, b->host) && a->port == b->port && a->of_fleet == b->of_fleet;
}

/* The first generation of this process meets devices that may have roamed; a later one brings new names. `holdfast up`
 * sets what it has resolved by itself. */
static void make(struct names *names, const struct names *before, const struct name *wanted)
{
	const struct name *old = find(before, wanted->tunnel, &wanted->public_key);
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

static size_t count_peers(const struct agent *agent)
{
	const struct desired *desired = agent->held.desired;
	size_t count = desired ? desired->peer_count : 0;

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

static int by_tunnel_and_key(const void *left, const void *right)
{
	const struct name *a = left, *b = right;

	return compare(a, b->tunnel, &b->public_key);
}

static void act_all(struct agent *agent);

void names_update(struct agent *agent)
{
	struct names *names = agent->names, before = *names;

	if (names->of == agent->held.desired && names->tunnels_version == tunnels_version(agent))
		return;
	names->count = 0;
	names->items = mem_new(count_peers(agent) + 1, sizeof(*names->items));
	make_all(agent, names, &before);
	qsort(names->items, names->count, sizeof(*names->items), by_tunnel_and_key);
	names->of = agent->held.desired;
	names->tunnels_version = tunnels_version(agent);
	names->next_poll_ms = 0;
	free(before.items);
	act_all(agent);
}

/* ---- what is done ---- */

static void ask(struct agent *agent, struct name *name)
{
	int64_t now_ms = clock_now_ms();

	if (resolver_ask(agent->names->resolver, name->id, name->host) < 0)
		resolve_answer(&name->resolve, NULL, 0, now_ms); /* too many at once: later */
}

static void told(struct agent *agent, struct name *name, const char *endpoint)
{
	struct text what = {0}, why = {0};
	char key[KEY_TEXT_MAX];
	int64_t took_ms = clock_now_ms() - name->told_ms;

	key_format(&name->public_key, key);
	if (!name->failed && !name->resolved) {
		log_info("agent", "resolved", log_text("name", name->host), log_text("endpoint", endpoint));
		return;
	}
	text_add(&what, "wg set %s peer %s endpoint %s", name->tunnel, key, endpoint);
	text_add(&why, "%s is %s %s", name->host, endpoint, name->resolved ? "now" : "at last");
	log_notice("agent", "repaired", log_text("what", what.data), log_text("why", why.data),
		log_i64("took_ms", took_ms));
	journal_note(&agent->journal, "endpoint", NULL, "peer %s of %s: %s (%lld ms)", name->peer,
		name->tunnel, why.data, (long long)took_ms);
	text_clear(&what);
	text_clear(&why);
	repair_count(&agent->repair, REPAIR_ENDPOINT);
}

static void set(struct agent *agent, struct name *name)
{
	struct wg_peer_change change = {.public_key = name->public_key,
		.flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_ENDPOINT,
		.endpoint = name->resolve.set};
	char text[ENDPOINT_TEXT_MAX];
	struct err err = {0};

	if (agent_set_peers(agent, name->tunnel, &change, 1, &err) < 0) {
		log_limited(LEVEL_WARNING, "agent", "endpoint-not-set", name->peer,
			log_text("peer", name->peer), log_err(&err));
		return;
	}
	told(agent, name, endpoint_format(&name->resolve.set, text, sizeof(text)));
	underlay_check_soon(agent);
	agent_look_soon(agent); /* the MTU of the way there */
	tunnels_look_soon(agent, name->tunnel);
}

static void act(struct agent *agent, struct name *name)
{
	for (;;) {
		switch (resolve_step(&name->resolve, clock_now_ms())) {
		case RESOLVE_NOTHING:
			return;
		case RESOLVE_ASK:
			ask(agent, name);
			break;
		case RESOLVE_SET:
			set(agent, name);
			break;
		}
	}
}

static void act_all(struct agent *agent)
{
	for (size_t i = 0; i < agent->names->count; i++)
		act(agent, &agent->names->items[i]);
}

/* ---- what the devices say ---- */

static void observe(struct name *name, const struct wg_peer *peer, int64_t now_ms)
{
	int64_t wall_ms = clock_wall_ms();
	int64_t handshake_ms = peer->handshake_s * 1000 + peer->handshake_ns / 1000000;
	struct resolve_peer seen = {.endpoint = peer->endpoint,
		.has_handshake = handshake_ms != 0,
		.handshake_age_ms = handshake_ms && handshake_ms < wall_ms ? wall_ms - handshake_ms : 0,
		.rx_bytes = peer->rx_bytes,
		.tx_bytes = peer->tx_bytes,
		.keepalive_s = peer->keepalive_s};

	resolve_observe(&name->resolve, &seen, now_ms);
	if (name->resolve.owed_ms != INT64_MIN)
		name->told_ms = name->resolve.owed_ms;
}

/* Is it spoken through from here? A standby is silent whatever its peers do. */
static bool is_served(struct agent *agent, const char *tunnel)
{
	const struct desired_endpoint *endpoint =
		agent->held.desired ? plan_tunnel_endpoint(agent->held.desired, tunnel) : NULL;
	const struct agent_seat *seat = endpoint ? agent_seat_find(agent, endpoint->name) : NULL;

	return !endpoint || (seat && agent_seat_serves(seat) && !seat->takeover);
}

static void observe_tunnel(struct agent *agent, const char *tunnel)
{
	CLEANUP_WG_DEVICE struct wg_device device = {0};
	bool known = is_served(agent, tunnel) && agent_get_device(agent, tunnel, &device) >= 0;

	if (known)
		tunnels_see_mark(agent, tunnel, device.fwmark);
	for (size_t i = 0; i < agent->names->count; i++) {
		struct name *name = &agent->names->items[i];
		const struct wg_peer *peer = known ? wg_device_peer(&device, &name->public_key) : NULL;

		if (strcmp(name->tunnel, tunnel))
			continue;
		if (peer)
			observe(name, peer, clock_now_ms());
		else
			name->resolve.observed = false;
	}
}

/* Sorted by tunnel: each is asked once. */
static void observe_all(struct agent *agent)
{
	const struct names *names = agent->names;

	for (size_t i = 0; i < names->count; i++)
		if (!i || strcmp(names->items[i].tunnel, names->items[i - 1].tunnel))
			observe_tunnel(agent, names->items[i].tunnel);
}

/* ---- answers ---- */

static struct name *find_id(struct names *names, uint64_t id)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->items[i].id == id)
			return &names->items[i];
	return NULL;
}

static void take_answer(struct agent *agent, const struct resolver_answer *answer)
{
	struct name *name = find_id(agent->names, answer->id);

	if (!name)
		return; /* it has left the fleet meanwhile */
	if (!answer->count) {
		name->failed = true;
		log_limited(LEVEL_WARNING, "agent", "not-resolved", answer->name,
			log_text("name", answer->name), log_text("error", answer->failure));
	}
	if (!name->resolve.observed)
		observe_tunnel(agent, name->tunnel);
	resolve_answer(&name->resolve, answer->addresses, answer->count, clock_now_ms());
	act(agent, name);
	name->resolved |= answer->count != 0;
}

static void on_answers(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;
	struct resolver_answer answer;

	(void)fd;
	(void)what;
	while (resolver_next(agent->names->resolver, &answer))
		take_answer(agent, &answer);
}

void names_second(struct agent *agent)
{
	struct names *names = agent->names;
	int64_t began_ms = clock_now_ms();

	if (!names->count || names->of != agent->held.desired)
		return;
	if (began_ms >= names->next_poll_ms) {
		observe_all(agent);
		names->next_poll_ms = began_ms + (clock_now_ms() - began_ms) * POLL_SHARE;
	}
	act_all(agent);
}

void names_underlay_changed(struct agent *agent)
{
	int64_t now_ms = clock_now_ms();

	for (size_t i = 0; i < agent->names->count; i++) {
		agent->names->items[i].told_ms = now_ms;
		resolve_underlay_changed(&agent->names->items[i].resolve, now_ms);
	}
	act_all(agent);
}

const struct endpoint *names_endpoint(const char *tunnel, const struct key *public_key, void *context)
{
	struct agent *agent = context;
	struct name *name = find(agent->names, tunnel, public_key);

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
	struct resolver *resolver;
	int r = resolver_new(&resolver, err);

	if (r < 0)
		return r;
	agent->names = mem_new(1, sizeof(*agent->names));
	agent->names->resolver = resolver;
	agent->names->answers =
		event_new(agent->base, resolver_fd(resolver), EV_READ | EV_PERSIST, on_answers, agent);
	event_add(agent->names->answers, NULL);
	return 0;
}

void names_close(struct agent *agent)
{
	if (!agent->names)
		return;
	event_free(agent->names->answers);
	resolver_free(agent->names->resolver);
	free(agent->names->items);
	free(agent->names);
	agent->names = NULL;
}
