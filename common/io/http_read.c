/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/http_connection.h"
#include "common/io/log.h"

static bool has_body(const struct http_request *request)
{
	return request->head.chunked || request->head.content_length > 0;
}

/* A body that nobody wants may follow: then the connection ends with the reply. */
static void refuse(struct http_connection *c, struct http_request *request, int status, const char *why)
{
	c->request = request;
	if (has_body(request))
		request->head.keep_alive = false;
	c->flush_lingers = !request->head.keep_alive;
	http_reply_problem(request, status, "%s", why);
}

static void handle(struct http_connection *c)
{
	struct http_request *request = c->request;

	http_connection_set_state(c, HTTP_HANDLING);
	request->route->handle(request, request->route->context);
	if (c->request != request || request->gone)
		return;
	log_error("http", "not-answered", log_text("path", request->head.path));
	http_reply_problem(request, 500, "no answer was made");
}

static bool is_refused_newcomer(const struct http_connection *c, const struct http_request *request)
{
	return c->peer.kind == HTTP_PEER_NEWCOMER && !request->route->takes_newcomers;
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
	const char *why = http_connection_refusal(c);
	char allow[64];
	unsigned allowed;
	size_t body_max;

	if (why) {
		log_limited(LEVEL_WARNING, "http", "refused", c->peer.identity.name,
			log_text("kind", tls_kind_text(c->peer.identity.kind)),
			log_text("name", c->peer.identity.name), log_endpoint("from", &c->peer.address),
			log_text("why", why));
		c->server->counters.peers_refused++;
		request->head.keep_alive = false;
		refuse(c, request, 403, why);
		return -EACCES;
	}
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
	if (is_refused_newcomer(c, request)) {
		log_limited(LEVEL_NOTICE, "http", "refused", "newcomer",
			log_endpoint("from", &c->peer.address), log_text("path", request->head.path));
		c->server->counters.newcomers_refused++;
		refuse(c, request, 403, "this needs a client certificate");
		return -EACCES;
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
	http_connection_set_state(c, request->head.chunked ? HTTP_READ_CHUNK_LINE : HTTP_READ_BODY);
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
	if (c->peer.kind == HTTP_PEER_NEWCOMER)
		head.keep_alive = false;
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
			http_connection_set_state(c, HTTP_READ_BODY);
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
	http_connection_set_state(c, c->remaining > 0 ? HTTP_READ_CHUNK : HTTP_READ_TRAILERS);
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
	http_connection_set_state(c, HTTP_READ_CHUNK_LINE);
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

bool http_read_step(struct http_connection *c, struct evbuffer *input)
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
