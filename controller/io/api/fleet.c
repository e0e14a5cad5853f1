/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/http_match.h"
#include "common/io/http_server.h"
#include "common/json/read.h"
#include "common/json/write.h"
#include "controller/io/api/access.h"
#include "controller/io/api/api.h"
#include "controller/io/api/problem.h"
#include "controller/io/apply/apply.h"
#include "controller/io/controller.h"
#include "controller/io/fleet_file.h"

enum { ETAG_MAX = 32 };

static char *format_etag(uint64_t generation, char etag[ETAG_MAX])
{
	snprintf(etag, ETAG_MAX, "\"%" PRIu64 "\"", generation);
	return etag;
}

/* The stored bundle is an object already: its members are put in front of the others. */
static char *fleet_text(const struct generation *current)
{
	json_t *json = json_object();
	jput_text(json, "fleet", current->fleet);
	jput_u64(json, "generation", current->number);
	jput_text(json, "hash", current->hash);
	jput_text(json, "applied_by", current->who);
	jput_i64(json, "applied_ms", current->wall_ms);
	char *rest = json_compact(json, NULL);
	json_decref(json);
	struct text text = {0};
	text_add_bytes(&text, current->bundle, strlen(current->bundle) - 1);
	text_add(&text, ",%s", rest + 1);
	free(rest);
	return text_take(&text);
}

static void handle_get(struct http_request *request, void *context)
{
	struct controller *controller = context;
	char who[STORE_WHO_MAX + 1], etag[ETAG_MAX];
	if (!access_allowed(request, &controller->config, who))
		return;
	if (!controller->current) {
		http_reply_problem(request, 404, "there is no fleet yet: apply one");
		return;
	}
	http_reply_header(request, "ETag", format_etag(controller->current->number, etag));
	http_reply_json(request, 200, fleet_text(controller->current));
}

struct put {
	struct controller *controller;
	struct http_request *request;
};

static void put_lines(json_t *json, const char *name, const struct lines *lines)
{
	json_t *list = jput_array(json, name);
	for (size_t i = 0; i < lines->count; i++)
		jput_text(list, NULL, lines->items[i]);
}

static char *result_text(const struct apply_result *result)
{
	json_t *json = json_object();
	jput_u64(json, "generation", result->generation);
	jput_text(json, "hash", result->hash);
	jput_bool(json, "changed", result->changed);
	put_lines(json, "warnings", result->warnings);
	if (result->admits->count)
		put_lines(json, "admits", result->admits);
	if (result->confirm_ms)
		jput_i64(json, "confirm_ms", result->confirm_ms);
	json_t *gateways = jput_array(json, "gateways");
	for (size_t i = 0; i < result->member_count; i++) {
		json_t *gateway = jput_object(gateways, NULL);
		jput_text(gateway, "gateway", result->members[i].name);
		jput_text(gateway, "result", apply_state_name(result->members[i].state));
	}
	char *text = json_compact(json, NULL);
	json_decref(json);
	return text;
}

static void put_done(const struct apply_result *result, void *context)
{
	struct put *put = context;
	char etag[ETAG_MAX];
	if (result->status == 200) {
		http_reply_header(put->request, "ETag", format_etag(result->generation, etag));
		http_reply_json(put->request, 200, result_text(result));
	} else {
		problem_reply(put->request, result->status, result->errors);
	}
	free(put);
}

static void put_gone(struct http_request *request, void *context)
{
	struct put *put = context;
	(void)request;
	apply_forget(put->controller, put);
	free(put);
}

/* Before the first fleet its number is 0, which may be asked for, though * finds nothing. */
static bool if_match_holds(const char *if_match, const struct controller *controller)
{
	char etag[ETAG_MAX];
	if (!if_match)
		return true;
	format_etag(controller->current ? controller->current->number : 0, etag);
	if (!controller->current && strcmp(if_match, "*") == 0)
		return false;
	return http_if_match_holds(if_match, etag);
}

bool fleet_matches(struct controller *controller, struct http_request *request)
{
	if (if_match_holds(http_request_header(request, "If-Match"), controller))
		return true;
	http_reply_problem(request, 412,
		"the fleet has changed meanwhile: it is at generation %" PRIu64
		" now, applied by %s: plan again",
		controller->current ? controller->current->number : 0,
		controller->current ? controller->current->who : "nobody");
	return false;
}

bool fleet_is_open(struct controller *controller, struct http_request *request, bool rollback)
{
	char why[FLEET_FILE_TEXT_MAX];
	if (fleet_file_permits(controller->fleet_file, rollback, why, sizeof why))
		return true;
	http_reply_problem(request, 409, "%s", why);
	return false;
}

void fleet_apply(
	struct controller *controller, struct http_request *http_request, const struct apply_request *request)
{
	struct put *put = mem_new(1, sizeof *put);
	put->controller = controller;
	put->request = http_request;
	http_request_hold(http_request, put_gone, put);
	apply_start(controller, request, put_done, put);
}

/* ?confirm_ms=; absent: 0. */
static int read_confirm(struct http_request *request, uint64_t *ret_ms)
{
	const char *text = http_request_query(request, "confirm_ms");
	*ret_ms = 0;
	return text ? text_to_u64(text, APPLY_CONFIRM_MIN_MS, APPLY_CONFIRM_MAX_MS, ret_ms) : 0;
}

static void handle_put(struct http_request *request, void *context)
{
	struct controller *controller = context;
	char who[STORE_WHO_MAX + 1];
	struct bundle bundle = {0};
	struct err err = {0};
	uint64_t confirm_ms;
	size_t size;
	if (!access_allowed(request, &controller->config, who) ||
		!fleet_is_open(controller, request, false) || !fleet_matches(controller, request))
		return;
	if (read_confirm(request, &confirm_ms) < 0) {
		http_reply_problem(request, 400, "expected ?confirm_ms=MILLISECONDS, %d to %d",
			APPLY_CONFIRM_MIN_MS, APPLY_CONFIRM_MAX_MS);
		return;
	}
	const char *body = http_request_body(request, &size);
	if (bundle_decode(body, size, &bundle, &err) < 0) {
		http_reply_problem(request, 400, "%s", err.text);
		return;
	}
	fleet_apply(controller, request,
		&(struct apply_request){
			.bundle = &bundle, .who = who, .what = "", .confirm_ms = (int64_t)confirm_ms});
}

void fleet_serve(struct controller *controller, struct http_server *server)
{
	http_server_route(server, &(struct http_route){.methods = HTTP_GET,
					  .path = "/v1/fleet",
					  .handle = handle_get,
					  .context = controller});
	http_server_route(server, &(struct http_route){.methods = HTTP_PUT,
					  .path = "/v1/fleet",
					  .body_max = BUNDLE_JSON_MAX,
					  .handle = handle_put,
					  .context = controller});
}
