/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_HTTP_CLIENT_H
#define HOLDFAST_IO_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/io/tls.h"

struct event_base;

/*
 * HTTP client on libcurl: many transfers at once in a libevent loop (struct http_client), or one that blocks
 * (http_call(), for the command line). With TLS both sides show certificates; the server is who its URI name says (of
 * the kind asked for), whatever its host name (common/io/tls.h). Redirects are not followed, proxies not used.
 */
struct http_client;
struct http_transfer; /* one in flight */

struct http_client_options {
	struct tls_files tls;      /* for https: copied; all NULL: https is refused */
	enum tls_kind server_kind; /* whom we mean to talk to; usually TLS_KIND_CONTROLLER */
	const char *server_name;   /* of that kind, and of that name; NULL: any of the kind */
	const struct tls_pin *
		pin; /* instead of tls and server_kind, for http_call() only: we have no certificate yet; NULL: no */
	const char *unix_socket;   /* connect here, whatever the URL's host; NULL: no */
	const char *local_address; /* numeric source address; NULL: the kernel's choice */
};

struct http_exchange {
	const char *method; /* NULL: GET */
	const char *url;
	const char *const *headers; /* "Name: value", NULL at the end; or NULL */
	const void *body;           /* copied; NULL: none */
	size_t body_size;
	const char *content_type;    /* of the body; NULL: application/json */
	unsigned timeout_ms;         /* all of it; 0: 10 s, unless goes_on() is there */
	unsigned connect_timeout_ms; /* 0: 3 s */
	size_t response_max;         /* bytes of body; 0: 1 MiB. More is an error (-EMSGSIZE). */
	const char *wanted;          /* the name of a header of the answer, not copied; NULL: none */
	/* For http_call() only: asked every second or more often, in its thread, and told how many bytes of the body the peer has
	 * taken and how many it has; false ends it (-ECANCELED). NULL: only its time does. */
	bool (*goes_on)(uint64_t sent, uint64_t size, void *context);
	void *context;
};

struct http_response {
	int status;       /* 200 ... */
	const char *body; /* terminated by a NUL that size does not count; never NULL */
	size_t size;
	const char *content_type; /* NULL if the server gave none */
	const char *etag;         /* as sent, with its quotes; NULL if none */
	const char *wanted;       /* that header; NULL if none */
	struct addr peer;         /* who answered; without a family: not known (a unix socket) */
};

/* The files of options->tls are read at each new connection, so that renewed ones count, within an hour; this call reads them too, to
 * fail early. */
int http_client_new(struct event_base *base, const struct http_client_options *options,
	struct http_client **ret_client, struct err *err);
/* Cancels what is in flight. Not from inside a callback. */
void http_client_free(struct http_client *client);

/* Start. done() is called once from the loop, never from inside this call: with an answer of any status (err NULL), or
 * with NULL and an err that says what was tried and why it failed ("https://10.8.0.20:7443: connection refused"). Both
 * are the client's and end with the callback. After that, or after http_transfer_cancel(), the transfer is no more. */
struct http_transfer *http_client_start(struct http_client *client, const struct http_exchange *exchange,
	void (*done)(const struct http_response *response, const struct err *err, void *context),
	void *context);
/* No callback will come. NULL-safe. Not for a transfer whose callback has run. */
void http_transfer_cancel(struct http_transfer *transfer);

/* One exchange that blocks. On 0 the response belongs to the caller: http_response_clear(). */
int http_call(const struct http_client_options *options, const struct http_exchange *exchange,
	struct http_response *ret_response, struct err *err);
void http_response_clear(struct http_response *response);

#endif
