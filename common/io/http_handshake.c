/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/http_handshake.h"

#include "common/io/http_connection.h"
#include "common/io/log.h"

static size_t count_source(const struct http_server *server, const struct addr *source)
{
	const struct http_connection *c;
	size_t count = 0;

	TAILQ_FOREACH(c, &server->handshakes, handshake)
	{
		struct addr other = addr_source(&c->peer.address.addr);

		count += addr_equal(source, &other);
	}
	return count;
}

bool http_handshake_is_admitted(struct http_server *server, const struct http_peer *peer)
{
	struct addr source = addr_source(&peer->address.addr);
	char text[ADDR_TEXT_MAX];

	if (count_source(server, &source) < HTTP_HANDSHAKES_PER_SOURCE_MAX)
		return true;
	server->counters.handshakes_limited++;
	log_limited(LEVEL_WARNING, "http", "too-many-handshakes", addr_format(&source, text, sizeof text),
		log_u64("limit", HTTP_HANDSHAKES_PER_SOURCE_MAX), log_endpoint("from", &peer->address));
	return false;
}

bool http_handshake_make_room(struct http_server *server)
{
	struct http_connection *oldest = TAILQ_FIRST(&server->handshakes);

	if (!oldest)
		return false;
	server->counters.handshakes_displaced++;
	log_limited(LEVEL_WARNING, "http", "handshake-displaced", "",
		log_u64("limit", server->options.connections_max),
		log_endpoint("from", &oldest->peer.address));
	http_connection_free(oldest);
	return true;
}

void http_handshake_begin(struct http_connection *c)
{
	TAILQ_INSERT_TAIL(&c->server->handshakes, c, handshake);
}

void http_handshake_end(struct http_connection *c)
{
	TAILQ_REMOVE(&c->server->handshakes, c, handshake);
}
