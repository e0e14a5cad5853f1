/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/io/control/control_int.h"
#include "proto/store_header.h"

static struct http_transfer *post(struct control *control, const char *path, const char *body,
	void (*done)(const struct http_response *, const struct err *, void *))
{
	char url[CONTROL_URL_MAX];
	struct http_exchange exchange = {.method = "POST",
		.url = url,
		.body = body,
		.body_size = strlen(body),
		.timeout_ms = CONTROL_REPORT_TIMEOUT_MS,
		.connect_timeout_ms = CONTROL_CONNECT_TIMEOUT_MS,
		.wanted = STORE_HEADER};

	snprintf(url, sizeof(url), "%s%s", control_url(control), path);
	return http_client_start(control->client, &exchange, done, control);
}

static void on_report(const struct http_response *response, const struct err *err, void *context)
{
	struct control *control = context;
	char buffer[512];
	const char *problem;

	control->report = NULL;
	problem = control_take(control, response, err, 204, buffer, sizeof(buffer));
	control->ops.reported(control->context, !problem);
	if (problem) {
		control_failed(control, "report", problem);
		return;
	}
	control_succeeded(control, response);
	control_calm(control);
	if (control->report_again && !event_pending(control->retry, EV_TIMEOUT, NULL))
		control_report_start(control);
}

void control_report_start(struct control *control)
{
	struct report report = {0};
	char *body;

	if (control->report)
		return;
	control->report_again = false;
	control->ops.report(control->context, &report);
	body = report_encode(&report);
	report_clear(&report);
	control->report = post(control, "/v1/agent/report", body, on_report);
	free(body);
}

static void on_staged(const struct http_response *response, const struct err *err, void *context)
{
	struct control *control = context;
	char buffer[512];
	const char *problem;

	control->staged = NULL;
	problem = control_take(control, response, err, 204, buffer, sizeof(buffer));
	if (response && !control->foreign) { /* it has arrived, whatever the controller makes of it */
		free(control->staged_text);
		control->staged_text = NULL;
	}
	if (problem)
		control_failed(control, "staged", problem);
	else
		control_succeeded(control, response);
}

void control_staged_start(struct control *control)
{
	if (control->staged || !control->staged_text)
		return;
	control->staged = post(control, "/v1/agent/staged", control->staged_text, on_staged);
}

void control_staged(struct control *control, const struct staged *staged)
{
	http_transfer_cancel(control->staged);
	control->staged = NULL;
	free(control->staged_text);
	control->staged_text = staged_encode(staged);
	if (!event_pending(control->retry, EV_TIMEOUT, NULL))
		control_staged_start(control);
}
