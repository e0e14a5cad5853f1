/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_HEALTH_H
#define HOLDFAST_IO_HEALTH_H

#include <stddef.h>

#include "common/base/text.h"

struct http_request;
struct http_server;

/*
 * What load balancers, monitors and Prometheus ask: /livez (200 while the process works), /readyz (200, or 503 with
 * reasons; warnings change nothing) and /metrics. The same for both daemons. Body of /readyz:
 * {"ready": false, "reasons": ["..."], "warnings": []}
 */
enum { HEALTH_LINES_MAX = 32, HEALTH_LINE_MAX = 200 };

struct health {
	size_t reason_count, warning_count;
	char reasons[HEALTH_LINES_MAX][HEALTH_LINE_MAX]; /* why not; none: ready */
	char warnings[HEALTH_LINES_MAX][HEALTH_LINE_MAX];
};

struct health_source {
	void (*collect)(void *context, struct health *health); /* starts out empty */
	void (*metrics)(void *context, struct text *out);
	void *context;
};

/* Lines beyond the limit are dropped, long ones cut. */
void health_reason(struct health *health, const char *format, ...) __attribute__((format(printf, 2, 3)));
void health_warning(struct health *health, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Add the three routes. The source must live as long as the server. */
void health_serve(struct http_server *server, struct health_source *source);
/* 200 or 503 with that body; for /healthz/ENDPOINT too. Consumes the request. */
void health_reply(struct http_request *request, const struct health *health);

#endif
