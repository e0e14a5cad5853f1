/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/control/control_int.h"
#include "proto/store_header.h"

/* Acknowledged by the next poll, so what was seen before is passed over. */
static void take(struct control *control, struct instruction_list *list)
{
	if (list->run != control->run) {
		control->run = list->run;
		control->seq = 0;
	}
	control->store = list->store;
	control->ops.floor(control->context, list->store, list->floor);
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].seq <= control->seq)
			continue;
		control->seq = list->items[i].seq;
		control->ops.instruction(control->context, &list->items[i]);
	}
}

static void on_poll(const struct http_response *response, const struct err *err, void *context)
{
	struct control *control = context;
	struct instruction_list list;
	struct err why = {0};
	char buffer[512];
	const char *problem;

	control->poll = NULL;
	problem = control_take(control, response, err, 200, buffer, sizeof(buffer));
	if (!problem && instruction_list_decode(response->body, response->size, &list, &why) < 0)
		problem = err_format(&why, buffer, sizeof(buffer));
	if (problem) {
		control_failed(control, "orders", problem);
		return;
	}
	control->backoff_ms = 0;
	control_succeeded(control, response);
	take(control, &list);
	instruction_list_clear(&list);
	if (!event_pending(control->retry, EV_TIMEOUT, NULL))
		control_poll_start(control);
}

void control_poll_start(struct control *control)
{
	char url[CONTROL_URL_MAX];
	struct http_exchange exchange = {.url = url,
		.timeout_ms = CONTROL_POLL_TIMEOUT_MS,
		.connect_timeout_ms = CONTROL_CONNECT_TIMEOUT_MS,
		.response_max = PROTO_JSON_MAX,
		.wanted = STORE_HEADER};
	int length;

	if (control->poll)
		return;
	length = snprintf(
		url, sizeof(url), "%s/v1/agent/orders?boot=%016" PRIx64, control_url(control), control->boot);
	if (control->run)
		snprintf(url + length, sizeof(url) - (size_t)length, "&after=%016" PRIx64 ":%" PRIu64,
			control->run, control->seq);
	control->poll_ms = clock_now_ms();
	control->poll = http_client_start(control->client, &exchange, on_poll, control);
}
