/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/control/control.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/control/control_int.h"
#include "proto/store_header.h"

static void set_connected(struct control *control, bool connected)
{
	if (control->connected == connected)
		return;
	control->connected = connected;
	if (control->ops.connected)
		control->ops.connected(control->context, connected);
}

/* A report that arrives while polls fail must not make us hammer: the poll ends the backoff, by an answer or
 * by being held for a while. */
void control_calm(struct control *control)
{
	if (control->poll && clock_now_ms() - control->poll_ms > CONTROL_BACKOFF_MAX_MS)
		control->backoff_ms = 0;
}

/* The first answer counts until contact ends: a name may have several addresses, and connections go to any of them. */
void control_succeeded(struct control *control, const struct http_response *response)
{
	control->failure[0] = '\0';
	if (!control->connected)
		control->address = response->peer;
	set_connected(control, true);
}

static void cancel_all(struct control *control)
{
	http_transfer_cancel(control->poll);
	http_transfer_cancel(control->staged);
	control->poll = control->staged = NULL;
	if (!control->report)
		return;
	http_transfer_cancel(control->report);
	control->report = NULL;
	control->ops.reported(control->context, false);
}

static void wait_before_retry(struct control *control)
{
	int64_t wait_ms = control->backoff_ms ? control->backoff_ms * 2 : CONTROL_BACKOFF_MIN_MS;
	struct timeval wait;

	if (event_pending(control->retry, EV_TIMEOUT, NULL))
		return; /* one that was asked meanwhile: that shall not put off the retry */
	if (wait_ms > CONTROL_BACKOFF_MAX_MS)
		wait_ms = CONTROL_BACKOFF_MAX_MS;
	control->backoff_ms = wait_ms;
	wait = (struct timeval){.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
	event_add(control->retry, &wait);
}

void control_failed(struct control *control, const char *what, const char *text)
{
	log_limited(
		LEVEL_WARNING, "control", "failed", what, log_text("request", what), log_text("error", text));
	text_copy(control->failure, sizeof(control->failure), text);
	cancel_all(control);
	if (control->url_count > 1)
		control->address = (struct addr){0};
	control->url = (control->url + 1) % control->url_count;
	control->store = 0; /* the next may be another's */
	set_connected(control, false);
	wait_before_retry(control);
}

static bool is_foreign(struct control *control, uint64_t store)
{
	bool ours = control->ops.answered(control->context, store);

	control->foreign = !ours && control->url_count > 1;
	return control->foreign;
}

static void take_stranger(struct control *control, const struct http_response *response)
{
	struct stranger stranger;

	if (response->status == 404 && stranger_decode(response->body, response->size, &stranger, NULL) >= 0)
		control->ops.stranger(control->context, &stranger);
}

const char *control_take(struct control *control, const struct http_response *response, const struct err *err,
	int expected, char *buffer, size_t size)
{
	uint64_t store;

	if (!response)
		return err_format(err, buffer, size);
	store = store_header_read(response->wanted);
	if (!store)
		store = control->store;
	if (is_foreign(control, store)) {
		snprintf(buffer, size,
			"%s has the store %016" PRIx64
			", not ours: it is another fleet's, or has lost its store",
			control_url(control), store);
		return buffer;
	}
	take_stranger(control, response);
	if (response->status == expected)
		return NULL;
	snprintf(buffer, size, "the controller answered %d: %.*s", response->status,
		response->size > 300 ? 300 : (int)response->size, response->body);
	return buffer;
}

static void on_retry(evutil_socket_t fd, short what, void *context)
{
	struct control *control = context;

	(void)fd;
	(void)what;
	control_poll_start(control);
	control_report_start(control);
	control_staged_start(control);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
	struct control *control = context;

	(void)fd;
	(void)what;
	if (!event_pending(control->retry, EV_TIMEOUT, NULL))
		control_report_now(control);
}

void control_report_now(struct control *control)
{
	if (!control)
		return;
	if (control->report || event_pending(control->retry, EV_TIMEOUT, NULL))
		control->report_again = true;
	else
		control_report_start(control);
}

void control_ask(struct control *control)
{
	if (control)
		control_report_start(control);
}

void control_hurry(struct control *control)
{
	struct timeval now = {0};

	if (control && event_pending(control->retry, EV_TIMEOUT, NULL))
		event_add(control->retry, &now);
}

static void copy_urls(struct control *control, const struct control_options *options)
{
	control->url_count = options->url_count;
	control->urls = mem_new(options->url_count, sizeof(*control->urls));
	for (size_t i = 0; i < options->url_count; i++)
		control->urls[i] = mem_text(options->urls[i]);
}

int control_new(struct event_base *base, const struct control_options *options, const struct control_ops *ops,
	void *context, struct control **ret_control, struct err *err)
{
	struct http_client_options client_options = {.tls = options->tls, .server_kind = TLS_KIND_CONTROLLER};
	struct timeval interval = {.tv_sec = CONTROL_REPORT_MS / 1000}, now = {0};
	struct http_client *client;
	struct control *control;
	int r = http_client_new(base, &client_options, &client, err);

	if (r < 0)
		return r;
	control = mem_new(1, sizeof(*control));
	control->client = client;
	control->ops = *ops;
	control->context = context;
	control->boot = options->boot;
	copy_urls(control, options);
	control->retry = event_new(base, -1, 0, on_retry, control);
	control->tick = event_new(base, -1, EV_PERSIST, on_tick, control);
	event_add(control->tick, &interval);
	event_add(control->retry, &now);
	*ret_control = control;
	return 0;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	http_client_free(control->client);
	event_free(control->retry);
	event_free(control->tick);
	for (size_t i = 0; i < control->url_count; i++)
		free(control->urls[i]);
	free(control->urls);
	free(control->staged_text);
	free(control);
}

bool control_is_connected(const struct control *control)
{
	return control && control->connected;
}

const char *control_url(const struct control *control)
{
	return control ? control->urls[control->url] : "";
}

bool control_address(const struct control *control, struct addr *ret_address)
{
	if (!control || !addr_is_set(&control->address))
		return false;
	*ret_address = control->address;
	return true;
}

const char *control_failure(const struct control *control)
{
	return control ? control->failure : "";
}
