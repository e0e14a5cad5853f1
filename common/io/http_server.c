/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/http_server.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/io/http_connection.h"

enum { CONNECTIONS_MAX_DEFAULT = 1024, IDLE_TIMEOUT_DEFAULT_MS = 60000, NEWCOMER_TIMEOUT_DEFAULT_MS = 5000 };

struct http_server *http_server_new(struct event_base *base, const struct http_server_options *options)
{
	struct http_server *server = mem_new(1, sizeof *server);

	server->base = base;
	if (options)
		server->options = *options;
	if (server->options.connections_max == 0)
		server->options.connections_max = CONNECTIONS_MAX_DEFAULT;
	if (server->options.idle_timeout_ms == 0)
		server->options.idle_timeout_ms = IDLE_TIMEOUT_DEFAULT_MS;
	if (server->options.handshake_timeout_ms == 0)
		server->options.handshake_timeout_ms = server->options.idle_timeout_ms;
	if (server->options.newcomer_timeout_ms == 0)
		server->options.newcomer_timeout_ms = NEWCOMER_TIMEOUT_DEFAULT_MS;
	LIST_INIT(&server->connections);
	TAILQ_INIT(&server->handshakes);
	SLIST_INIT(&server->listeners);
	return server;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	http_listeners_free(server);
	while (!LIST_EMPTY(&server->connections))
		http_connection_free(LIST_FIRST(&server->connections));
	free(server->routes);
	free(server);
}

void http_server_route(struct http_server *server, const struct http_route *route)
{
	struct http_route *slot;

	server->routes = mem_grow(
		server->routes, &server->route_capacity, server->route_count + 1, sizeof *server->routes);
	slot = &server->routes[server->route_count++];
	*slot = *route;
	if (slot->body_max == 0)
		slot->body_max = HTTP_BODY_MAX_DEFAULT;
}

void http_server_welcome(struct http_server *server, bool welcome)
{
	server->welcome = welcome;
}

struct http_counters http_server_counters(const struct http_server *server)
{
	return server->counters;
}

uint64_t http_server_replies(const struct http_server *server, int status)
{
	return server->replies[status];
}

/* Closing one tells whoever held its request, who may answer others meanwhile: those end later, from the loop. */
void http_server_recheck(struct http_server *server)
{
	struct http_connection *c = LIST_FIRST(&server->connections), *next;

	for (; c; c = next) {
		next = LIST_NEXT(c, entry);
		if (http_connection_refusal(c))
			http_connection_free(c);
	}
}

size_t http_server_connections(const struct http_server *server)
{
	return server->connection_count;
}
