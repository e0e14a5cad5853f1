/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/json/write.h"
#include "controller/io/api/access.h"
#include "controller/io/api/api.h"
#include "controller/io/controller.h"
#include "proto/peer_place.h"

/*
 * Who is connected where, a page at a time. A page walks the peers in the order that a generation keeps them in (tunnel,
 * public key) and asks a directory for each, so that one request costs the loop little, however many there are; nothing
 * has to be sorted or remembered between two pages. First the tunnels of the endpoints, then those in none: each gateway
 * has its own sessions in them.
 */
enum {
	PAGE_DEFAULT = 1000, /* sessions in one answer */
	PAGE_MAX = 1000,     /* the most that one may ask for */
	PAGE_PEERS_MAX =
		5000, /* peers that one answer looks at: it may have fewer sessions than asked for, and a next */
};

/* Names; NULL: any. */
struct wanted {
	const char *peer, *gateway, *tunnel, *endpoint;
};

/* A tunnel of an endpoint, or of one gateway. */
struct source {
	const char *endpoint, *gateway; /* one of them is NULL */
	const char *tunnel;
	const struct desired *desired; /* whose peers these are */
	const struct directory *directory;
};

/* Behind which peer a page begins: "wg0:<hex>", or "gw-a/wg1:<hex>" of a tunnel that is in no endpoint. */
enum { PLACE_TEXT_MAX = PROTO_NAME_MAX + 1 + PEER_PLACE_TEXT_MAX };
struct place {
	char gateway[PROTO_NAME_MAX + 1];
	struct desired_peer_key peer; /* tunnel "": before the first */
};

struct page {
	const struct controller *controller;
	const struct wanted *wanted;
	const struct place *place;
	json_t *sessions;
	int64_t now_ms;
	size_t room, looks;          /* sessions that may still come, peers that may still be looked at */
	bool begun;                  /* the place has been passed */
	bool full, knows_peer;       /* one that is wanted was there, with a session or without */
	char cursor[PLACE_TEXT_MAX]; /* the last peer that was looked at */
};

static bool fits(const char *wanted, const char *name)
{
	return !wanted || !strcmp(wanted, name);
}

static void put_session(struct page *page, const struct source *source, const struct desired_peer *peer,
	const struct directory_session *found)
{
	json_t *json = jput_object(page->sessions, NULL);
	jput_text(json, "peer", peer->name);
	jput_text(json, "tunnel", peer->tunnel);
	jput_key(json, "public_key", &peer->public_key);
	jput_text(json, "virtual_endpoint", source->endpoint);
	jput_text(json, "gateway", found->gateway);
	jput_endpoint(json, "endpoint", &found->session.endpoint);
	jput_u64(json, "age_ms", found->session.age_ms);
	jput_u64(json, "rx_bytes", found->session.rx_bytes);
	jput_u64(json, "tx_bytes", found->session.tx_bytes);
	jput_i64(json, "told_ago_ms", found->told_ago_ms);
}

static void note_place(struct page *page, const struct source *source, const struct desired_peer *peer)
{
	char text[PEER_PLACE_TEXT_MAX];
	snprintf(page->cursor, sizeof page->cursor, "%s%s%s", source->gateway ? source->gateway : "",
		source->gateway ? "/" : "", peer_place_format(peer, text));
}

static void look_at_peer(struct page *page, const struct source *source, const struct desired_peer *peer)
{
	struct directory_session found;
	note_place(page, source, peer);
	page->looks--;
	if (!directory_find(source->directory, peer->tunnel, &peer->public_key, page->now_ms, &found) ||
		!fits(page->wanted->gateway, found.gateway))
		return;
	put_session(page, source, peer, &found);
	page->room--;
}

static void look_at_peers(struct page *page, const struct source *source, const struct key *behind)
{
	const struct desired *desired = source->desired;
	for (size_t i = peer_place_find(desired, source->tunnel, behind);
		i < desired->peer_count && !strcmp(desired->peers[i].tunnel, source->tunnel); i++) {
		if (!fits(page->wanted->peer, desired->peers[i].name))
			continue; /* which costs far less than a look */
		page->knows_peer = true;
		if (!page->room || !page->looks) {
			page->full = true;
			return;
		}
		look_at_peer(page, source, &desired->peers[i]);
	}
}

static bool is_wanted(const struct wanted *wanted, const struct source *source)
{
	return fits(wanted->tunnel, source->tunnel) &&
	       (!wanted->endpoint || (source->endpoint && fits(wanted->endpoint, source->endpoint))) &&
	       (!source->gateway || fits(wanted->gateway, source->gateway));
}

static void look_at(struct page *page, const struct source *source)
{
	const struct place *place = page->place;
	bool here = !page->begun && !strcmp(source->tunnel, place->peer.tunnel) &&
		    !strcmp(source->gateway ? source->gateway : "", place->gateway);
	page->begun |= here;
	if (page->begun && !page->full && is_wanted(page->wanted, source))
		look_at_peers(page, source, here ? &place->peer.public_key : NULL);
}

static void look_at_endpoints(struct page *page)
{
	const struct decisions *decisions = page->controller->decisions;
	for (size_t i = 0; i < decisions_count(decisions) && !page->full; i++) {
		const struct decisions_endpoint *setup = decisions_endpoint(decisions, i);
		/* Any member's will do: all have the same peers. */
		const struct generation_gateway *member =
			generation_find(page->controller->current, setup->config.members[0]);
		for (size_t j = 0; member && j < setup->tunnel_count; j++)
			look_at(page, &(struct source){.endpoint = setup->config.name,
					      .tunnel = setup->tunnels[j],
					      .desired = member->desired,
					      .directory = page->controller->directory});
	}
}

static void look_at_gateway(
	struct page *page, const struct generation_gateway *gateway, const struct agent *agent)
{
	const struct desired *desired = gateway->desired;
	for (size_t i = 0; i < desired->tunnel_count; i++)
		if (!decisions_of_tunnel(page->controller->decisions, desired->tunnels[i].name))
			look_at(page, &(struct source){.gateway = gateway->name,
					      .tunnel = desired->tunnels[i].name,
					      .desired = desired,
					      .directory = agent->alone});
}

static void look_at_gateways(struct page *page)
{
	const struct generation *current = page->controller->current;
	for (size_t i = 0; current && i < current->gateway_count && !page->full; i++) {
		const struct agent *agent = agents_find(page->controller->agents, current->gateways[i].name);
		if (agent)
			look_at_gateway(page, &current->gateways[i], agent);
	}
}

static bool has_endpoint(const struct controller *controller, const char *name)
{
	for (size_t i = 0; i < decisions_count(controller->decisions); i++)
		if (!strcmp(decisions_endpoint(controller->decisions, i)->config.name, name))
			return true;
	return false;
}

static bool has_tunnel(const struct generation *current, const char *name)
{
	for (size_t i = 0; current && i < current->gateway_count; i++)
		for (size_t j = 0; j < current->gateways[i].desired->tunnel_count; j++)
			if (!strcmp(current->gateways[i].desired->tunnels[j].name, name))
				return true;
	return false;
}

/* -ENOENT: nobody will ever be connected there. */
static int check_wanted(const struct controller *controller, const struct wanted *wanted, struct err *err)
{
	if (wanted->endpoint && !has_endpoint(controller, wanted->endpoint))
		return err_set(err, -ENOENT, "no endpoint \"%s\" in the fleet", wanted->endpoint);
	if (wanted->gateway && !generation_find(controller->current, wanted->gateway))
		return err_set(err, -ENOENT, "no gateway \"%s\" in the fleet", wanted->gateway);
	if (wanted->tunnel && !has_tunnel(controller->current, wanted->tunnel))
		return err_set(err, -ENOENT, "no tunnel \"%s\" in the fleet", wanted->tunnel);
	return 0;
}

static void answer(struct http_request *request, const struct controller *controller,
	const struct wanted *wanted, const struct place *place, size_t limit)
{
	bool from_start = !*place->peer.tunnel;
	json_t *json = json_object();
	struct page page = {.controller = controller,
		.wanted = wanted,
		.place = place,
		.sessions = jput_array(json, "sessions"),
		.now_ms = clock_now_ms(),
		.room = limit,
		.looks = PAGE_PEERS_MAX,
		.begun = from_start};
	look_at_endpoints(&page);
	look_at_gateways(&page);
	if (!page.begun) {
		http_reply_problem(request, 409,
			"there is no tunnel %s any more where you were: ask again without after=",
			place->peer.tunnel);
	} else if (wanted->peer && !page.knows_peer && from_start) {
		http_reply_problem(request, 404, "no peer \"%s\" in those tunnels", wanted->peer);
	} else {
		jput_text(json, "next", page.full ? page.cursor : "");
		http_reply_json(request, 200, json_compact(json, NULL));
	}
	json_decref(json);
}

/* "" gives the beginning. -EINVAL. */
static int parse_place(const char *text, struct place *ret_place)
{
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : 0;
	if (slash && (!length || length > PROTO_NAME_MAX))
		return -EINVAL;
	memcpy(ret_place->gateway, text, length);
	ret_place->gateway[length] = '\0';
	return peer_place_parse(slash ? slash + 1 : text, &ret_place->peer);
}

static void handle_sessions(struct http_request *request, void *context)
{
	struct controller *controller = context;
	const char *after = http_request_query(request, "after"),
		   *limit = http_request_query(request, "limit");
	const struct wanted wanted = {.peer = http_request_query(request, "peer"),
		.gateway = http_request_query(request, "gateway"),
		.tunnel = http_request_query(request, "tunnel"),
		.endpoint = http_request_query(request, "virtual_endpoint")};
	char who[STORE_WHO_MAX + 1];
	uint64_t count = PAGE_DEFAULT;
	struct place place;
	struct err err;
	if (!access_allowed(request, &controller->config, who))
		return;
	if (parse_place(after ? after : "", &place) < 0 ||
		(limit && text_to_u64(limit, 1, PAGE_MAX, &count) < 0))
		http_reply_problem(request, 400,
			"expected ?after= with what next said, and limit= from 1 to %d", PAGE_MAX);
	else if (check_wanted(controller, &wanted, &err) < 0)
		http_reply_problem(request, 404, "%s", err.text);
	else
		answer(request, controller, &wanted, &place, count);
}

void sessions_serve(struct controller *controller, struct http_server *server)
{
	http_server_route(server, &(struct http_route){.methods = HTTP_GET,
					  .path = "/v1/sessions",
					  .handle = handle_sessions,
					  .context = controller});
}
