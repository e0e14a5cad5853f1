/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/health.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/io/http_server.h"
#include "common/io/metrics.h"
#include "common/json/write.h"

void health_reason(struct health *health, const char *format, ...)
{
	va_list args;

	if (health->reason_count == HEALTH_LINES_MAX)
		return;
	va_start(args, format);
	vsnprintf(health->reasons[health->reason_count++], HEALTH_LINE_MAX, format, args);
	va_end(args);
}

void health_warning(struct health *health, const char *format, ...)
{
	va_list args;

	if (health->warning_count == HEALTH_LINES_MAX)
		return;
	va_start(args, format);
	vsnprintf(health->warnings[health->warning_count++], HEALTH_LINE_MAX, format, args);
	va_end(args);
}

void health_reply(struct http_request *request, const struct health *health)
{
	json_t *body = json_object(), *list;

	jput_bool(body, "ready", health->reason_count == 0);
	list = jput_array(body, "reasons");
	for (size_t i = 0; i < health->reason_count; i++)
		jput_text(list, NULL, health->reasons[i]);
	list = jput_array(body, "warnings");
	for (size_t i = 0; i < health->warning_count; i++)
		jput_text(list, NULL, health->warnings[i]);
	http_reply_json(request, health->reason_count == 0 ? 200 : 503, json_compact(body, NULL));
	json_decref(body);
}

static void serve_livez(struct http_request *request, void *context)
{
	(void)context;
	http_reply(request, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

static void serve_readyz(struct http_request *request, void *context)
{
	const struct health_source *source = context;
	struct health *health CLEANUP_FREE = mem_new(1, sizeof *health);

	source->collect(source->context, health);
	health_reply(request, health);
}

static void serve_metrics(struct http_request *request, void *context)
{
	const struct health_source *source = context;
	struct text text = {0};

	source->metrics(source->context, &text);
	http_reply(request, 200, METRICS_CONTENT_TYPE, text.data ? text.data : "", text.length);
	text_clear(&text);
}

void health_serve(struct http_server *server, struct health_source *source)
{
	const struct http_route routes[] = {
		{.methods = HTTP_GET, .path = "/livez", .handle = serve_livez},
		{.methods = HTTP_GET, .path = "/readyz", .handle = serve_readyz, .context = source},
		{.methods = HTTP_GET, .path = "/metrics", .handle = serve_metrics, .context = source},
	};

	for (size_t i = 0; i < ARRAY_COUNT(routes); i++)
		http_server_route(server, &routes[i]);
}
