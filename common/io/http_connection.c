/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/http_connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "common/io/http_handshake.h"
#include "common/io/http_newcomer.h"
#include "common/io/log.h"

enum { LINGER_MS = 2000, READ_AHEAD_MAX = 64 << 10 };

static void read_more(struct bufferevent *bev, void *context);

static void arm(struct http_connection *c, unsigned ms)
{
	struct timeval time = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

	evtimer_add(c->timer, &time);
}

static unsigned state_ms(const struct http_connection *c)
{
	const struct http_server_options *options = &c->server->options;

	if (c->state == HTTP_HANDSHAKE)
		return options->handshake_timeout_ms;
	if (c->state == HTTP_LINGERING)
		return LINGER_MS;
	return c->peer.kind == HTTP_PEER_NEWCOMER ? options->newcomer_timeout_ms : options->idle_timeout_ms;
}

/* A newcomer has one time for all of its request, however many pieces it comes in. */
static bool keeps_its_time(const struct http_connection *c)
{
	return c->peer.kind == HTTP_PEER_NEWCOMER && c->state > HTTP_READ_HEAD &&
	       c->state <= HTTP_READ_TRAILERS;
}

void http_connection_set_state(struct http_connection *c, enum http_state state)
{
	c->state = state;
	if (state == HTTP_HANDLING)
		evtimer_del(c->timer);
	else if (!keeps_its_time(c))
		arm(c, state_ms(c));
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
	if (request && request->gone) {
		http_request_tell(request, 0, "", 0);
		request->gone(request, request->context);
	}
	if (request)
		http_request_free(request);
	LIST_REMOVE(c, entry);
	c->server->connection_count--;
	http_newcomer_leave(c);
	if (c->state == HTTP_HANDSHAKE)
		http_handshake_end(c);
	end_tls(c);
	bufferevent_free(c->bev);
	event_free(c->timer);
	free(c);
}

const char *http_connection_refusal(const struct http_connection *c)
{
	const struct http_server_options *options = &c->server->options;

	return options->refuses && c->peer.kind == HTTP_PEER_TLS
		       ? options->refuses(&c->peer, options->context)
		       : NULL;
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
	http_connection_set_state(c, HTTP_LINGERING);
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
	http_connection_set_state(c, keep_alive && !c->peer_done ? HTTP_READ_HEAD : HTTP_FLUSHING);
	/* From the loop: the next request may be in the buffer, and a handler may be on the stack. */
	bufferevent_trigger(
		c->bev, EV_READ | EV_WRITE, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

static void read_more(struct bufferevent *bev, void *context)
{
	struct http_connection *c = context;

	/* One request for each turn of the loop: its reply triggers the next. */
	while (http_read_step(c, bufferevent_get_input(bev)) && c->request)
		;
}

/* What is wrong with the certificate, where it is that: OpenSSL's own error says only that it is. */
static const char *tls_failure(const struct http_connection *c, unsigned long code)
{
	long verified = SSL_get_verify_result(bufferevent_openssl_get_ssl(c->bev));
	const char *reason = code ? ERR_reason_error_string(code) : "connection lost";

	if (verified != X509_V_OK)
		return X509_verify_cert_error_string(verified);
	return reason ? reason : "unknown";
}

/* Each reason of each address has a line. */
static void log_tls_failure(struct http_connection *c)
{
	char address[ADDR_TEXT_MAX], key[ADDR_TEXT_MAX + 48];
	unsigned long code = bufferevent_get_openssl_error(c->bev);
	const char *reason = tls_failure(c, code);

	c->server->counters.handshakes_refused++;
	snprintf(key, sizeof key, "%.40s %s", reason,
		addr_format(&c->peer.address.addr, address, sizeof address));
	log_limited(LEVEL_NOTICE, "http", "tls-refused", key, log_endpoint("from", &c->peer.address),
		log_text("reason", reason));
}

/* Somebody whose certificate was good enough for the handshake has an identity (see verify in tls.c), or none was asked
 * for. */
static bool recognize(struct http_connection *c)
{
	SSL *ssl = bufferevent_openssl_get_ssl(c->bev);

	if (tls_peer_identity(ssl, &c->peer.identity) == 0) {
		tls_peer_dates(ssl, &c->peer.certificate_start_ms, &c->peer.certificate_end_ms);
		c->peer.kind = HTTP_PEER_TLS;
		return true;
	}
	return tls_peer_is_newcomer(ssl) && http_newcomer_enter(c);
}

static void connected(struct http_connection *c)
{
	if (!recognize(c)) {
		http_connection_free(c);
		return;
	}
	http_handshake_end(c);
	http_connection_set_state(c, HTTP_READ_HEAD);
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
		http_connection_set_state(c, HTTP_FLUSHING);
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
	if (server->welcome)
		tls_welcome(ssl);
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
	if (tls)
		http_handshake_begin(c);
	http_connection_set_state(c, tls ? HTTP_HANDSHAKE : HTTP_READ_HEAD);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}
