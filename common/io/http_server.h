/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_HTTP_SERVER_H
#define HOLDFAST_IO_HTTP_SERVER_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/io/tls.h"

struct event_base;

/*
 * An HTTP/1.1 server (RFC 9110, 9112) on libevent's loop and buffers: plain TCP, TLS with client certificates, unix sockets with peer
 * credentials. One server has one table of routes and any number of listeners.
 *
 * Requests are read strictly (common/io/http_head.h): repeated or malformed Content-Length, a transfer coding but
 * chunked, both at once, a missing or repeated Host, a body on GET, bad header names: 400, and the connection is closed.
 * Errors are RFC 9457 problem details. HEAD is answered as GET without the body.
 *
 * A handler gets each request once and either replies before it returns or holds it (http_request_hold()) and replies
 * later. A reply consumes the request. All in the loop's thread. The program must ignore SIGPIPE: OpenSSL writes with
 * write(2).
 */
struct http_server;
struct http_request;

enum http_method {
	HTTP_GET = 1, /* a route for GET takes HEAD too */
	HTTP_HEAD = 2,
	HTTP_POST = 4,
	HTTP_PUT = 8,
	HTTP_DELETE = 16,
	HTTP_PATCH = 32,
};

enum http_peer_kind {
	HTTP_PEER_ANONYMOUS, /* plain TCP */
	HTTP_PEER_TLS,       /* identity is set and verified */
	HTTP_PEER_LOCAL,     /* unix socket: uid is set */
	HTTP_PEER_NEWCOMER,  /* TLS, without a certificate: see http_server_welcome() */
};

struct http_peer {
	enum http_peer_kind kind;
	struct tls_identity identity;
	int64_t certificate_start_ms, certificate_end_ms; /* TLS: its validity, wall clock */
	uid_t uid;
	struct endpoint address; /* unix socket: no family */
};

struct http_route {
	unsigned methods; /* enum http_method, or-ed. Several routes may share a path with other methods. */
	const char
		*path; /* exact; or a prefix, if it ends in '/' ("/" alone: everything). The longest wins. */
	size_t body_max; /* bytes; 0: 1 MiB. Larger ones: 413 */
	void (*handle)(struct http_request *request, void *context);
	void *context;
	/* Before the body is read: may this peer ask that at all? If not, it has replied, and returns false. NULL: all
	 * may. */
	bool (*admit)(struct http_request *request, void *context);
	bool takes_newcomers; /* the others are refused to them, with 403, before the body is read */
};

struct http_server_options {
	size_t connections_max; /* 0: 1024; further ones take the place of an unfinished handshake, or are closed at once */
	unsigned handshake_timeout_ms; /* for all of TLS's handshake; 0: idle_timeout_ms */
	unsigned
		idle_timeout_ms; /* 0: 60 s without a request (and for the client to send or take one). Held ones: none */
	unsigned newcomer_timeout_ms; /* 0: 5 s for the whole request of one without a certificate */
	const char *
		reply_headers; /* of every reply, errors and all: whole lines, each ended by \r\n; not copied. NULL: none */
	/* Each request that has a route, when it is answered (body: of the answer), or when its connection dies before that:
	 * status 0. For a trail of who asked for what. NULL: nobody wants to know. */
	void (*answered)(
		const struct http_request *request, int status, const void *body, size_t size, void *context);
	/* Before anything else of a request is looked at, of peers with a certificate: why this one gets 403 and the end
	 * of its connection; NULL: it does not. NULL: nobody does. */
	const char *(*refuses)(const struct http_peer *peer, void *context);
	void *context;
};

/* Since the server was made. */
struct http_counters {
	uint64_t handshakes_refused;   /* of TLS */
	uint64_t handshakes_limited;   /* not begun: too many from that source were under way */
	uint64_t handshakes_displaced; /* gave way, unfinished, since all places were taken */
	uint64_t connections_refused;  /* all places were taken, and nobody could give way */
	uint64_t peers_refused;        /* requests, by options.refuses */
	uint64_t newcomers_refused;    /* for what is not for them, or gave way because of too many */
};

struct http_server *http_server_new(struct event_base *base, const struct http_server_options *options);
/* Closes everything; held requests are told they are gone. Not from inside a handler. */
void http_server_free(struct http_server *server);

/* The route is copied, its path not. */
void http_server_route(struct http_server *server, const struct http_route *route);

/* "host:port", "[v6]:port", ":port" (all addresses); numeric. tls: NULL for plain; a reference is taken.
 * The error reads "10.8.0.20:7443: address already in use: ..." */
int http_server_listen(struct http_server *server, const char *address, SSL_CTX *tls, struct err *err);
/* Unfinished TLS handshakes of one source, an IPv4 address or an IPv6 /64; further ones are closed at once. */
enum { HTTP_HANDSHAKES_PER_SOURCE_MAX = 64 };
/* New connections of TLS listeners use this context from now on (renewed certificates). A reference is taken. */
void http_server_set_tls(struct http_server *server, SSL_CTX *tls);
/* From now on TLS clients without a certificate are let in, at most HTTP_NEWCOMERS_MAX at a time, to the routes that take
 * them, with one request each; or, as at the beginning, refused in the handshake. Those that are in stay, but an idle one
 * gives way to the next if all places are taken. */
enum { HTTP_NEWCOMERS_MAX = 16 };
void http_server_welcome(struct http_server *server, bool welcome);
/* A stale socket is replaced, one that answers is -EADDRINUSE. Removed again by http_server_free(). */
int http_server_listen_unix(struct http_server *server, const char *path, mode_t mode, struct err *err);
/* The port of the last TCP listener (it may have asked for port 0). */
uint16_t http_server_port(const struct http_server *server);
size_t http_server_connections(const struct http_server *server);
struct http_counters http_server_counters(const struct http_server *server);
/* Answers with that status so far; below HTTP_STATUS_MAX. */
enum { HTTP_STATUS_MAX = 600 };
uint64_t http_server_replies(const struct http_server *server, int status);
/* Connections of peers whom options.refuses refuses by now are closed. Not from inside a handler. */
void http_server_recheck(struct http_server *server);

enum http_method http_request_method(const struct http_request *request);
const char *http_request_path(const struct http_request *request); /* percent-decoded, without the query */
/* What follows the prefix of the route: "vpn" of /healthz/vpn. "" for exact routes. */
const char *http_request_rest(const struct http_request *request);
/* The first value of a query parameter, decoded; NULL if absent, "" if it has no value. */
const char *http_request_query(const struct http_request *request, const char *name);
/* A header's value (the first); NULL if absent. Any case. */
const char *http_request_header(const struct http_request *request, const char *name);
/* Terminated by a NUL that is not counted; never NULL. */
const char *http_request_body(const struct http_request *request, size_t *ret_size);
const struct http_peer *http_request_peer(const struct http_request *request);

/* Keep it for later. gone() is called when the connection dies before the reply; the request is freed after it
 * returns and must not be used again. It is not called after a reply. gone may be NULL only if the handler keeps no
 * pointer, which makes no sense: it is required. */
void http_request_hold(struct http_request *request,
	void (*gone)(struct http_request *request, void *context), void *context);

/* A header of the coming reply (copied). Control characters are left out. */
void http_reply_header(struct http_request *request, const char *name, const char *value);
/* Reply and consume. body is copied. status 204 and 304 send no body. */
void http_reply(
	struct http_request *request, int status, const char *content_type, const void *body, size_t size);
/* application/json from a terminated text; frees it. */
void http_reply_json(struct http_request *request, int status, char *json_text);
/* application/problem+json: {"type": "about:blank", "title": the status's phrase, "status": .., "detail": ..} */
void http_reply_problem(struct http_request *request, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* "Not Found" for 404. */
const char *http_status_phrase(int status);

#endif
