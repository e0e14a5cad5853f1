/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/http_client.h"

#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/http_transfer.h"

LIST_HEAD(http_transfers, http_transfer);

struct http_client {
	struct event_base *base;
	struct http_client_options options; /* its texts are ours */
	CURLM *multi;
	struct event *timer;
	struct http_transfers transfers;
};

/* Hand out what is finished. A callback may start and cancel transfers: the queue is asked anew each time. */
static void finish(struct http_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		struct http_transfer *transfer = NULL;
		struct http_response response;
		CURLcode code = message->data.result;
		struct err err;
		int r;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
		curl_multi_remove_handle(client->multi, transfer->easy);
		LIST_REMOVE(transfer, entry);
		r = http_transfer_result(transfer, code, &response, &err);
		transfer->done(r == 0 ? &response : NULL, r == 0 ? NULL : &err, transfer->context);
		http_transfer_free(transfer);
	}
}

static void act(struct http_client *client, curl_socket_t socket, int what)
{
	int running;

	curl_multi_socket_action(client->multi, socket, what, &running);
	finish(client);
}

static void socket_ready(evutil_socket_t fd, short what, void *context)
{
	act(context, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void time_is_up(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	act(context, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct http_client *client = context;
	struct timeval time = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

	(void)multi;
	if (timeout_ms < 0)
		evtimer_del(client->timer);
	else
		evtimer_add(client->timer, &time);
	return 0;
}

static int watch_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *socket_context)
{
	struct http_client *client = context;
	struct event *event = socket_context;
	short wanted = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0) |
			       EV_PERSIST);

	(void)easy;
	if (event)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE) {
		event = event_new(client->base, socket, wanted, socket_ready, client);
		event_add(event, NULL);
	}
	curl_multi_assign(client->multi, socket, event);
	return 0;
}

/* Say now what would be said at the first connection. A date can come right without anybody's doing anything here: the
 * files are read anew for each connection, which says so. */
static int check_files(const struct http_client_options *options, struct err *err)
{
	SSL_CTX *context;
	int r;

	if (!options->tls.ca && !options->tls.certificate && !options->tls.key)
		return 0;
	r = tls_client_new(&options->tls, options->server_kind, &context, NULL, err);
	if (r == 0)
		SSL_CTX_free(context);
	return r == -EKEYEXPIRED ? 0 : r;
}

static void copy_options(struct http_client_options *to, const struct http_client_options *from)
{
	*to = (struct http_client_options){
		.tls = {.ca = mem_text(from->tls.ca),
			.certificate = mem_text(from->tls.certificate),
			.key = mem_text(from->tls.key)},
		.server_kind = from->server_kind,
		.server_name = mem_text(from->server_name),
		.unix_socket = mem_text(from->unix_socket),
		.local_address = mem_text(from->local_address),
	};
}

static void clear_options(struct http_client_options *options)
{
	mem_free_pointer(&options->tls.ca);
	mem_free_pointer(&options->tls.certificate);
	mem_free_pointer(&options->tls.key);
	mem_free_pointer(&options->server_name);
	mem_free_pointer(&options->unix_socket);
	mem_free_pointer(&options->local_address);
}

int http_client_new(struct event_base *base, const struct http_client_options *options,
	struct http_client **ret_client, struct err *err)
{
	struct http_client *client;
	int r = check_files(options, err);

	if (r < 0)
		return r;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	client = mem_new(1, sizeof *client);
	client->base = base;
	copy_options(&client->options, options);
	LIST_INIT(&client->transfers);
	client->timer = evtimer_new(base, time_is_up, client);
	client->multi = curl_multi_init();
	if (!client->multi)
		mem_new(SIZE_MAX, 2);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	*ret_client = client;
	return 0;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	while (!LIST_EMPTY(&client->transfers))
		http_transfer_cancel(LIST_FIRST(&client->transfers));
	curl_multi_cleanup(client->multi);
	event_free(client->timer);
	clear_options(&client->options);
	free(client);
	curl_global_cleanup();
}

struct http_transfer *http_client_start(struct http_client *client, const struct http_exchange *exchange,
	void (*done)(const struct http_response *response, const struct err *err, void *context),
	void *context)
{
	struct http_transfer *transfer = http_transfer_new(&client->options, exchange);

	transfer->client = client;
	transfer->done = done;
	transfer->context = context;
	LIST_INSERT_HEAD(&client->transfers, transfer, entry);
	curl_multi_add_handle(client->multi, transfer->easy);
	return transfer;
}

void http_transfer_cancel(struct http_transfer *transfer)
{
	if (!transfer)
		return;
	curl_multi_remove_handle(transfer->client->multi, transfer->easy);
	LIST_REMOVE(transfer, entry);
	http_transfer_free(transfer);
}
