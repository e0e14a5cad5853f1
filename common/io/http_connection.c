/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/http_connection.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "common/io/log.h"

enum { LINGER_MS = 2000, READ_AHEAD_MAX = 64 << 10 };

static void read_more(struct bufferevent *bev, void *context);

static void arm(struct http_connection *c, unsigned ms)
{
	struct timeval time = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

	evtimer_add(c->timer, &time);
}

static void set_state(struct http_connection *c, enum http_state state)
{
	c->state = state;
	if (state == HTTP_HANDLING)
		evtimer_del(c->timer);
	else if (state == HTTP_HANDSHAKE)
		arm(c, c->server->options.handshake_timeout_ms);
	else
		arm(c, state == HTTP_LINGERING ? LINGER_MS : c->server->options.idle_timeout_ms);
}

/* The peer gets a clean end of the TLS stream; nobody waits for its own. */
static void end_tls(struct http_connection *c)
{
	SSL *ssl = bufferevent_openssl_get_ssl(c->bev);

	if (!ssl || c->state == HTTP_HANDSHAKE)
		return;
	SSL_shutdown(ssl);
	ERR_clear_error();
}

void http_connection_free(struct http_connection *c)
{
	struct http_request *request = c->request;

	c->request = NULL;
	if (request && request->gone)
		request->gone(request, request->context);
	if (request)
		http_request_free(request);
	LIST_REMOVE(c, entry);
	c->server->connection_count--;
	end_tls(c);
	bufferevent_free(c->bev);
	event_free(c->timer);
	free(c);
}

static void timed_out(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	http_connection_free(context);
}

/* All written. Unread input would make the kernel answer close() with a reset that can overtake the reply: then only our
 * side is closed, and the rest thrown away for a moment. */
static void flushed(struct http_connection *c)
{
	if (!c->flush_lingers || c->peer_done) {
		http_connection_free(c);
		return;
	}
	end_tls(c);
	shutdown(bufferevent_getfd(c->bev), SHUT_WR);
	set_state(c, HTTP_LINGERING);
	read_more(c->bev, c);
}

static void written(struct bufferevent *bev, void *context)
{
	struct http_connection *c = context;

	if (c->state == HTTP_FLUSHING && evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		flushed(c);
}

void http_connection_replied(struct http_connection *c, bool keep_alive)
{
	set_state(c, keep_alive && !c->peer_done ? HTTP_READ_HEAD : HTTP_FLUSHING);
	/* From the loop: the next request may be in the buffer, and a handler may be on the stack. */
	bufferevent_trigger(
		c->bev, EV_READ | EV_WRITE, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

/* A body that nobody wants may follow: then the connection ends with the reply. */
static void refuse(struct http_connection *c, struct http_request *request, int status, const char *why)
{
	c->request = request;
	if (request->head.chunked || request->head.content_length > 0)
		request->head.keep_alive = false;
	c->flush_lingers = !request->head.keep_alive;
	http_reply_problem(request, status, "%s", why);
}

static void handle(struct http_connection *c)
{
	struct http_request *request = c->request;

	set_state(c, HTTP_HANDLING);
	request->route->handle(request, request->route->context);
	if (c->request != request || request->gone)
		return;
	log_error("http", "not-answered", log_text("path", request->head.path));
	http_reply_problem(request, 500, "no answer was made");
}

static bool has_body(const struct http_request *request)
{
	return request->head.chunked || request->head.content_length > 0;
}

/* Nobody has to hold the body of one who may not ask. */
static int admit(struct http_connection *c, struct http_request *request)
{
	bool keep_alive = request->head.keep_alive;

	if (!request->route->admit)
		return 0;
	c->request = request;
	if (has_body(request))
		request->head.keep_alive = false;
	c->flush_lingers = !request->head.keep_alive;
	if (!request->route->admit(request, request->route->context))
		return -EACCES;
	request->head.keep_alive = keep_alive;
	c->flush_lingers = false;
	return 0;
}

/* Before the body is read: is it wanted? */
static int check_request(struct http_connection *c, struct http_request *request)
{
	char allow[64];
	unsigned allowed;
	size_t body_max;

	if (!request->method) {
		refuse(c, request, 501, "a method that is not known here");
		return -ENOSYS;
	}
	request->route = http_route_find(c->server, request, &allowed);
	if (!request->route && !allowed) {
		refuse(c, request, 404, "nothing is at this path");
		return -ENOENT;
	}
	if (!request->route) {
		http_methods_text(allowed, allow, sizeof allow);
		http_reply_header(request, "Allow", allow);
		refuse(c, request, 405, "this path does not take that method");
		return -EOPNOTSUPP;
	}
	if (admit(c, request) < 0)
		return -EACCES;
	body_max = request->route->body_max;
	if (request->head.content_length > body_max) {
		refuse(c, request, 413, "the body is larger than this path takes");
		return -EMSGSIZE;
	}
	return 0;
}

static void start_body(struct http_connection *c, struct http_request *request)
{
	c->remaining = request->head.content_length;
	c->trailers = 0;
	if (request->head.expects_continue && evbuffer_get_length(bufferevent_get_input(c->bev)) == 0)
		evbuffer_add_printf(bufferevent_get_output(c->bev), "HTTP/1.1 100 Continue\r\n\r\n");
	set_state(c, request->head.chunked ? HTTP_READ_CHUNK_LINE : HTTP_READ_BODY);
}

/* A head that could not be parsed still needs a request to reply to. */
static void refuse_head(struct http_connection *c, int status, const char *why)
{
	struct http_head head = {.minor = 1};
	struct http_request *request;

	head.text = mem_text("");
	head.method = head.path = head.query = head.text;
	request = http_request_new(c, &head);
	refuse(c, request, status, why);
}

/* Empty lines before a request line are skipped (RFC 9112 2.2). */
static void skip_empty_lines(struct evbuffer *input)
{
	char start[2];

	while (evbuffer_copyout(input, start, sizeof start) == 2 && memcmp(start, "\r\n", 2) == 0)
		evbuffer_drain(input, 2);
}

/* True if it got anywhere. */
static bool read_head(struct http_connection *c, struct evbuffer *input)
{
	struct http_head head;
	struct err err;
	size_t size, length;
	const char *bytes;
	int status, r;

	skip_empty_lines(input);
	size = evbuffer_get_length(input) < HTTP_HEAD_MAX + 1 ? evbuffer_get_length(input)
							      : HTTP_HEAD_MAX + 1;
	if (size == 0)
		return false;
	bytes = (const char *)evbuffer_pullup(input, (ev_ssize_t)size);
	length = http_head_length(bytes, size);
	if (length == 0 && size <= HTTP_HEAD_MAX)
		return false;
	r = http_head_parse(bytes, length > 0 ? length : size, &head, &status, &err);
	evbuffer_drain(input, length > 0 ? length : size);
	if (r < 0) {
		refuse_head(c, status, err.text);
		return true;
	}
	c->request = http_request_new(c, &head);
	if (check_request(c, c->request) < 0)
		return true;
	start_body(c, c->request);
	return true;
}

/* Move up to c->remaining bytes into the body. */
static void take_body(struct http_connection *c, struct evbuffer *input)
{
	size_t have = evbuffer_get_length(input), take = have < c->remaining ? have : (size_t)c->remaining;
	char buffer[16384];

	while (take > 0) {
		int got = evbuffer_remove(input, buffer, take < sizeof buffer ? take : sizeof buffer);

		text_add_bytes(&c->request->body, buffer, (size_t)got);
		take -= (size_t)got;
		c->remaining -= (size_t)got;
	}
}

static bool read_body(struct http_connection *c, struct evbuffer *input)
{
	bool some = evbuffer_get_length(input) > 0;

	take_body(c, input);
	if (c->remaining > 0) {
		if (some)
			set_state(c, HTTP_READ_BODY);
		return false;
	}
	handle(c);
	return true;
}

/* A line of at most max bytes, its end included. *ret_length is without it. Returns its bytes in place; NULL: not there
 * yet, or *ret_bad: too long or not ended by CR LF. */
static const char *peek_line(struct evbuffer *input, size_t max, size_t *ret_length, bool *ret_bad)
{
	size_t size = evbuffer_get_length(input) < max ? evbuffer_get_length(input) : max;
	const char *bytes = size > 0 ? (const char *)evbuffer_pullup(input, (ev_ssize_t)size) : NULL;
	const char *end = bytes ? memchr(bytes, '\n', size) : NULL;

	*ret_bad = end ? end == bytes || end[-1] != '\r' : size == max;
	if (!end || *ret_bad)
		return NULL;
	*ret_length = (size_t)(end - 1 - bytes);
	return bytes;
}

static bool refuse_chunk(struct http_connection *c, int status, const char *why)
{
	refuse(c, c->request, status, why);
	return true;
}

static bool read_chunk_line(struct http_connection *c, struct evbuffer *input)
{
	size_t length;
	bool bad;
	const char *line = peek_line(input, HTTP_CHUNK_LINE_MAX, &length, &bad);

	if (!line && !bad)
		return false;
	if (bad || http_chunk_size(line, length, &c->remaining) < 0)
		return refuse_chunk(c, 400, "a broken chunk");
	if (c->remaining > c->request->route->body_max - c->request->body.length)
		return refuse_chunk(c, 413, "the body is larger than this path takes");
	evbuffer_drain(input, length + 2);
	set_state(c, c->remaining > 0 ? HTTP_READ_CHUNK : HTTP_READ_TRAILERS);
	return true;
}

static bool read_chunk(struct http_connection *c, struct evbuffer *input)
{
	char end[2];

	take_body(c, input);
	if (c->remaining > 0 || evbuffer_copyout(input, end, sizeof end) < 2)
		return false;
	if (memcmp(end, "\r\n", 2) != 0)
		return refuse_chunk(c, 400, "a broken chunk");
	evbuffer_drain(input, 2);
	set_state(c, HTTP_READ_CHUNK_LINE);
	return true;
}

/* Trailers are allowed and ignored, up to a limit. */
static bool read_trailers(struct http_connection *c, struct evbuffer *input)
{
	size_t length;
	bool bad;
	const char *line = peek_line(input, HTTP_TRAILERS_MAX - c->trailers, &length, &bad);

	if (!line && !bad)
		return false;
	if (bad)
		return refuse_chunk(c, 400, "broken or too many trailers");
	evbuffer_drain(input, length + 2);
	c->trailers += length + 2;
	if (length == 0)
		handle(c);
	return true;
}

/* One step; true if another may follow at once. */
static bool step(struct http_connection *c, struct evbuffer *input)
{
	switch (c->state) {
	case HTTP_READ_HEAD:
		return read_head(c, input);
	case HTTP_READ_BODY:
		return read_body(c, input);
	case HTTP_READ_CHUNK_LINE:
		return read_chunk_line(c, input);
	case HTTP_READ_CHUNK:
		return read_chunk(c, input);
	case HTTP_READ_TRAILERS:
		return read_trailers(c, input);
	case HTTP_LINGERING:
	case HTTP_FLUSHING:
		evbuffer_drain(input, evbuffer_get_length(input));
		return false;
	case HTTP_HANDSHAKE:
	case HTTP_HANDLING:
		return false;
	}
	return false;
}

static void read_more(struct bufferevent *bev, void *context)
{
	struct http_connection *c = context;

	/* One request for each turn of the loop: its reply triggers the next. */
	while (step(c, bufferevent_get_input(bev)) && c->request)
		;
}

static void log_tls_failure(const struct http_connection *c)
{
	char address[ENDPOINT_TEXT_MAX];
	unsigned long code = bufferevent_get_openssl_error(c->bev);
	const char *reason = code ? ERR_reason_error_string(code) : "connection lost";

	log_limited(LEVEL_NOTICE, "http", "tls-refused",
		addr_format(&c->peer.address.addr, address, sizeof address),
		log_endpoint("from", &c->peer.address), log_text("reason", reason ? reason : "unknown"));
}

/* Somebody whose certificate was good enough for the handshake has an identity; see verify in tls.c. */
static void connected(struct http_connection *c)
{
	if (tls_peer_identity(bufferevent_openssl_get_ssl(c->bev), &c->peer.identity) < 0) {
		http_connection_free(c);
		return;
	}
	c->peer.kind = HTTP_PEER_TLS;
	set_state(c, HTTP_READ_HEAD);
	read_more(c->bev, c);
}

/* A client may close its side after its last request and still wait for the reply. */
static bool is_writing(const struct http_connection *c)
{
	return (c->state == HTTP_FLUSHING || c->state == HTTP_READ_HEAD) &&
	       evbuffer_get_length(bufferevent_get_output(c->bev)) > 0;
}

static void happened(struct bufferevent *bev, short what, void *context)
{
	struct http_connection *c = context;

	(void)bev;
	if (what & BEV_EVENT_CONNECTED) {
		connected(c);
		return;
	}
	if (c->state == HTTP_HANDSHAKE && what & BEV_EVENT_ERROR)
		log_tls_failure(c);
	if (what & BEV_EVENT_EOF && what & BEV_EVENT_READING && is_writing(c)) {
		c->peer_done = true;
		set_state(c, HTTP_FLUSHING);
		return;
	}
	http_connection_free(c);
}

static struct bufferevent *new_bufferevent(struct http_server *server, evutil_socket_t fd, SSL_CTX *tls)
{
	struct bufferevent *bev;
	SSL *ssl;

	if (!tls)
		return bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	ssl = SSL_new(tls);
	if (!ssl)
		return NULL;
	bev = bufferevent_openssl_socket_new(
		server->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (bev)
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	else
		SSL_free(ssl);
	return bev;
}

void http_connection_new(
	struct http_server *server, evutil_socket_t fd, SSL_CTX *tls, const struct http_peer *peer)
{
	struct timeval write_time = {.tv_sec = server->options.idle_timeout_ms / 1000,
		.tv_usec = (suseconds_t)(server->options.idle_timeout_ms % 1000) * 1000};
	struct bufferevent *bev;
	struct http_connection *c;
	int on = 1;

	setsockopt(
		fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* fails on unix sockets, which need it not */
	bev = new_bufferevent(server, fd, tls);
	if (!bev) {
		evutil_closesocket(fd);
		return;
	}
	c = mem_new(1, sizeof *c);
	c->server = server;
	c->bev = bev;
	c->peer = *peer;
	c->timer = evtimer_new(server->base, timed_out, c);
	LIST_INSERT_HEAD(&server->connections, c, entry);
	server->connection_count++;
	bufferevent_setcb(bev, read_more, written, happened, c);
	bufferevent_set_timeouts(bev, NULL, &write_time);
	bufferevent_setwatermark(bev, EV_READ, 0, READ_AHEAD_MAX);
	set_state(c, tls ? HTTP_HANDSHAKE : HTTP_READ_HEAD);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}
