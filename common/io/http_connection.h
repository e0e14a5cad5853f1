/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_HTTP_CONNECTION_H
#define HOLDFAST_IO_HTTP_CONNECTION_H

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <sys/queue.h>

#include "common/base/text.h"
#include "common/io/http_head.h"
#include "common/io/http_server.h"

/* Inside the HTTP server only: listeners hand sockets to connections, connections hand requests to routes. */
enum { HTTP_PARAMETERS_MAX = 32, HTTP_BODY_MAX_DEFAULT = 1 << 20 };

enum http_state {
	HTTP_HANDSHAKE, /* TLS */
	HTTP_READ_HEAD, /* from here to HTTP_READ_TRAILERS: a request is coming */
	HTTP_READ_BODY, /* Content-Length */
	HTTP_READ_CHUNK_LINE,
	HTTP_READ_CHUNK,
	HTTP_READ_TRAILERS,
	HTTP_HANDLING, /* a handler has it, or holds it */
	HTTP_FLUSHING, /* the last reply is on its way, then close */
	HTTP_LINGERING, /* closed for writing; what still comes is thrown away, so that the reply is not lost to a reset */
};

struct http_connection {
	LIST_ENTRY(http_connection) entry;
	TAILQ_ENTRY(http_connection) handshake; /* while in HTTP_HANDSHAKE */
	struct http_server *server;
	struct bufferevent *bev;
	struct event *timer; /* for all states but HTTP_HANDLING */
	enum http_state state;
	struct http_peer peer;
	struct http_request *request;
	uint64_t remaining; /* of the body or chunk */
	size_t trailers;    /* bytes seen */
	bool flush_lingers, peer_done;
};

struct http_parameter {
	char *name, *value;
};

struct http_request {
	struct http_connection *connection;
	struct http_head head;
	enum http_method method;
	const struct http_route *route; /* NULL: refused already */
	const char *rest;
	struct text body, reply_headers;
	char *query; /* decoded copy that the parameters point into */
	struct http_parameter parameters[HTTP_PARAMETERS_MAX];
	size_t parameter_count;
	void (*gone)(struct http_request *request, void *context);
	void *context;
};

LIST_HEAD(http_connections, http_connection);
TAILQ_HEAD(http_handshakes, http_connection);
SLIST_HEAD(http_listeners, http_listener);

struct http_server {
	struct event_base *base;
	struct http_server_options options;
	struct http_route *routes;
	size_t route_count, route_capacity;
	struct http_connections connections;
	struct http_handshakes handshakes; /* the oldest first */
	size_t connection_count, newcomer_count;
	bool welcome;
	struct http_counters counters;
	uint64_t replies[HTTP_STATUS_MAX];
	struct http_listeners listeners;
	uint16_t port;
};

/* Take over an accepted socket. tls: NULL for plain. */
void http_connection_new(
	struct http_server *server, evutil_socket_t fd, SSL_CTX *tls, const struct http_peer *peer);
/* Close now; a held request is told. */
void http_connection_free(struct http_connection *connection);
/* Why its requests are refused, whatever they are; NULL: they are not. */
const char *http_connection_refusal(const struct http_connection *connection);
/* The time that a state has begins with it, and anew when it is set again; HTTP_HANDLING has none. A newcomer has one for
 * all of its request. */
void http_connection_set_state(struct http_connection *connection, enum http_state state);
/* The reply of its request is in the output buffer and the request is freed: go on, or close. */
void http_connection_replied(struct http_connection *connection, bool keep_alive);

/* http_read.c: one step of taking a request out of what has arrived: its head, some of its body, or the refusal of either;
 * the whole request goes to its route. What comes after the last request is thrown away. True if another step may follow
 * at once. */
bool http_read_step(struct http_connection *connection, struct evbuffer *input);

struct http_request *http_request_new(struct http_connection *connection, struct http_head *head);
void http_request_free(struct http_request *request);
/* Whoever wants to know of answers is told of this one. */
void http_request_tell(const struct http_request *request, int status, const void *body, size_t size);
/* The method's bit; 0 for one we do not know. */
enum http_method http_method_parse(const char *text);

/* The route for the request, with request->rest; NULL, and *ret_allowed: the methods the path has (0: no such path). */
const struct http_route *http_route_find(
	const struct http_server *server, struct http_request *request, unsigned *ret_allowed);
/* "GET, HEAD, PUT" */
void http_methods_text(unsigned methods, char *buffer, size_t size);

void http_listeners_free(struct http_server *server);

#endif
