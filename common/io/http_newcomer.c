/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/http_newcomer.h"

#include "common/io/http_connection.h"
#include "common/io/log.h"

struct places {
	struct http_connection *taken[HTTP_NEWCOMERS_MAX]; /* the newest first */
	size_t count;
};

static void find_places(const struct http_server *server, struct places *places)
{
	struct http_connection *c;

	places->count = 0;
	LIST_FOREACH(c, &server->connections, entry)
	if (c->peer.kind == HTTP_PEER_NEWCOMER && places->count < HTTP_NEWCOMERS_MAX)
		places->taken[places->count++] = c;
}

static size_t count_source(const struct places *places, const struct http_connection *c)
{
	struct addr source = addr_source(&c->peer.address.addr);
	size_t count = 0;

	for (size_t i = 0; i < places->count; i++) {
		struct addr other = addr_source(&places->taken[i]->peer.address.addr);

		count += addr_equal(&source, &other);
	}
	return count;
}

/* What has been asked for is not thrown away: the answer may be a certificate, which a token lets out once. */
static bool may_be_evicted(const struct http_connection *c)
{
	return c->state != HTTP_HANDLING && c->state != HTTP_FLUSHING;
}

static struct http_connection *find_victim(const struct places *places)
{
	struct http_connection *victim = NULL;
	size_t most = 0;

	for (size_t i = 0; i < places->count; i++) {
		struct http_connection *c = places->taken[i];
		size_t count = may_be_evicted(c) ? count_source(places, c) : 0;

		if (count > 0 && count >= most) {
			most = count;
			victim = c;
		}
	}
	return victim;
}

static bool make_room(const struct http_connection *newcomer)
{
	struct http_connection *victim;
	struct places places;

	find_places(newcomer->server, &places);
	victim = find_victim(&places);
	log_limited(LEVEL_WARNING, "http", "too-many-newcomers", "", log_u64("limit", HTTP_NEWCOMERS_MAX),
		log_endpoint("from", &newcomer->peer.address),
		log_endpoint("evicted", victim ? &victim->peer.address : &newcomer->peer.address));
	newcomer->server->counters.newcomers_refused++;
	if (victim)
		http_connection_free(victim);
	return victim != NULL;
}

bool http_newcomer_enter(struct http_connection *c)
{
	if (c->server->newcomer_count >= HTTP_NEWCOMERS_MAX && !make_room(c))
		return false;
	c->peer.kind = HTTP_PEER_NEWCOMER;
	c->server->newcomer_count++;
	return true;
}

void http_newcomer_leave(struct http_connection *c)
{
	if (c->peer.kind == HTTP_PEER_NEWCOMER)
		c->server->newcomer_count--;
}
