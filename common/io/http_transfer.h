/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_HTTP_TRANSFER_H
#define HOLDFAST_IO_HTTP_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "common/base/text.h"
#include "common/io/http_client.h"

/* Inside the HTTP client only: one exchange as a libcurl easy handle, whoever drives it. */
struct http_transfer {
	LIST_ENTRY(http_transfer) entry;
	struct http_client *client; /* NULL: driven by http_call() */
	const struct http_client_options *options;
	CURL *easy;
	struct curl_slist *headers;
	char *origin; /* https://host:port, for errors */
	void *body;   /* of our request: wiped at the end, as the answer is */
	size_t body_size;
	unsigned timeout_ms;
	size_t response_max;
	const char *wanted;
	bool (*goes_on)(uint64_t sent, uint64_t size, void *context); /* NULL: nobody is asked */
	curl_socket_t fd;                                             /* if somebody is */
	void *goes_on_context;
	struct text response;
	bool too_large;
	struct tls_identity server; /* whom it must be; set if the options name one */
	struct err tls_error;       /* why our own files cannot be used; text "": they can */
	char reason[CURL_ERROR_SIZE];
	void (*done)(const struct http_response *response, const struct err *err, void *context);
	void *context;
};

/* The options must outlive the transfer. */
struct http_transfer *http_transfer_new(
	const struct http_client_options *options, const struct http_exchange *exchange);
void http_transfer_free(struct http_transfer *transfer);
/* What came of it: 0 and *ret_response, which points into the transfer; or -errno and *err. */
int http_transfer_result(
	struct http_transfer *transfer, CURLcode code, struct http_response *ret_response, struct err *err);

#endif
