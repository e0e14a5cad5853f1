/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
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
 * public key) and asks the directory for each, so that one request costs the loop little, however many there are; nothing
 * has to be sorted or remembered between two pages.
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

struct page {
	const struct controller *controller;
	const struct wanted *wanted;
	json_t *sessions;
	int64_t now_ms;
	size_t room, looks;    /* sessions that may still come, peers that may still be looked at */
	bool full, knows_peer; /* one that is wanted was there, with a session or without */
	char cursor[PEER_PLACE_TEXT_MAX]; /* the last peer that was looked at */
};

static bool fits(const char *wanted, const char *name)
{
	return !wanted || !strcmp(wanted, name);
}

static void put_session(struct page *page, const char *endpoint, const struct desired_peer *peer,
	const struct directory_session *found)
{
	json_t *json = jput_object(page->sessions, NULL);
	jput_text(json, "peer", peer->name);
	jput_text(json, "tunnel", peer->tunnel);
	jput_key(json, "public_key", &peer->public_key);
	jput_text(json, "virtual_endpoint", endpoint);
	jput_text(json, "gateway", found->gateway);
	jput_endpoint(json, "endpoint", &found->session.endpoint);
	jput_u64(json, "age_ms", found->session.age_ms);
	jput_u64(json, "rx_bytes", found->session.rx_bytes);
	jput_u64(json, "tx_bytes", found->session.tx_bytes);
	jput_i64(json, "told_ago_ms", found->told_ago_ms);
}

static void look_at_peer(struct page *page, const char *endpoint, const struct desired_peer *peer)
{
	struct directory_session found;
	peer_place_format(peer, page->cursor);
	page->looks--;
	if (!directory_find(
		    page->controller->directory, peer->tunnel, &peer->public_key, page->now_ms, &found) ||
		!fits(page->wanted->gateway, found.gateway))
		return;
	put_session(page, endpoint, peer, &found);
	page->room--;
}

static void look_at_tunnel(struct page *page, const struct decisions_endpoint *setup, const char *tunnel,
	const struct key *behind)
{
	/* Any member's will do: all have the same peers. */
	const struct generation_gateway *member =
		generation_find(page->controller->current, setup->config.members[0]);
	if (!member)
		return;
	const struct desired *desired = member->desired;
	for (size_t i = peer_place_find(desired, tunnel, behind);
		i < desired->peer_count && !strcmp(desired->peers[i].tunnel, tunnel); i++) {
		if (!fits(page->wanted->peer, desired->peers[i].name))
			continue; /* which costs far less than a look */
		page->knows_peer = true;
		if (!page->room || !page->looks) {
			page->full = true;
			return;
		}
		look_at_peer(page, setup->config.name, &desired->peers[i]);
	}
}

/* False: there is no such tunnel (any more). */
static bool fill_page(struct page *page, const struct desired_peer_key *place)
{
	const struct decisions *decisions = page->controller->decisions;
	bool there = !*place->tunnel;
	for (size_t i = 0; i < decisions_count(decisions) && !page->full; i++) {
		const struct decisions_endpoint *setup = decisions_endpoint(decisions, i);
		for (size_t j = 0; j < setup->tunnel_count && !page->full; j++) {
			bool here = !there && !strcmp(setup->tunnels[j], place->tunnel);
			there |= here;
			if (there && fits(page->wanted->endpoint, setup->config.name) &&
				fits(page->wanted->tunnel, setup->tunnels[j]))
				look_at_tunnel(
					page, setup, setup->tunnels[j], here ? &place->public_key : NULL);
		}
	}
	return there;
}

static bool has_endpoint(const struct controller *controller, const char *name)
{
	for (size_t i = 0; i < decisions_count(controller->decisions); i++)
		if (!strcmp(decisions_endpoint(controller->decisions, i)->config.name, name))
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
	if (wanted->tunnel && !decisions_of_tunnel(controller->decisions, wanted->tunnel))
		return err_set(err, -ENOENT, "no virtual endpoint has a tunnel \"%s\"", wanted->tunnel);
	return 0;
}

static void answer(struct http_request *request, const struct controller *controller,
	const struct wanted *wanted, const struct desired_peer_key *place, size_t limit)
{
	json_t *json = json_object();
	struct page page = {.controller = controller,
		.wanted = wanted,
		.sessions = jput_array(json, "sessions"),
		.now_ms = clock_now_ms(),
		.room = limit,
		.looks = PAGE_PEERS_MAX};
	if (!fill_page(&page, place)) {
		http_reply_problem(request, 409,
			"no virtual endpoint has a tunnel %s: ask again without after=", place->tunnel);
	} else if (wanted->peer && !page.knows_peer && !*place->tunnel) {
		http_reply_problem(request, 404, "no peer \"%s\" in those tunnels", wanted->peer);
	} else {
		jput_text(json, "next", page.full ? page.cursor : "");
		http_reply_json(request, 200, json_compact(json, NULL));
	}
	json_decref(json);
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
	struct desired_peer_key place;
	struct err err;
	if (!access_allowed(request, &controller->config, who))
		return;
	if (peer_place_parse(after ? after : "", &place) < 0 ||
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
