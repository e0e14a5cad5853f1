/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/io/http_server.h"
#include "common/json/write.h"
#include "controller/io/api/access.h"
#include "controller/io/api/api.h"
#include "controller/io/api/body.h"
#include "controller/io/apply/apply.h"
#include "controller/io/apply/confirming.h"
#include "controller/io/controller.h"

static void handle_rollback(struct http_request *request, void *context)
{
	struct controller *controller = context;
	char who[STORE_WHO_MAX + 1], what[STORE_WHAT_MAX + 1];
	struct err err = {0};
	uint64_t number = 0;
	if (!access_allowed(request, &controller->config, who) || !fleet_is_open(controller, request, true) ||
		!fleet_matches(controller, request))
		return;
	if (body_read_generation(request, JSON_REQUIRED, &number, &err) < 0) {
		http_reply_problem(request, 400, "%s", err.text);
		return;
	}
	snprintf(what, sizeof what, "rollback to %" PRIu64, number);
	fleet_apply(controller, request,
		&(struct apply_request){.rollback_to = number, .who = who, .what = what});
}

struct confirm {
	struct controller *controller;
	struct http_request *request;
};

static void on_confirmed(int r, const char *text, uint64_t generation, void *context)
{
	struct confirm *confirm = context;
	if (r >= 0) {
		json_t *json = json_object();
		jput_u64(json, "generation", generation);
		http_reply_json(confirm->request, 200, json_compact(json, NULL));
		json_decref(json);
	} else {
		http_reply_problem(confirm->request, 500, "%s", text);
	}
	free(confirm);
}

static void on_gone(struct http_request *request, void *context)
{
	struct confirm *confirm = context;
	(void)request;
	confirming_forget(confirm->controller->confirming, confirm);
	free(confirm);
}

static void start_confirm(struct controller *controller, struct http_request *request, const char *who)
{
	struct confirm *confirm = mem_new(1, sizeof *confirm);
	struct err err = {0};
	*confirm = (struct confirm){controller, request};
	if (confirming_confirm(controller->confirming, who, on_confirmed, confirm, &err) < 0) {
		http_reply_problem(request, 409, "%s", err.text);
		free(confirm);
		return;
	}
	http_request_hold(request, on_gone, confirm);
}

static void handle_confirm(struct http_request *request, void *context)
{
	struct controller *controller = context;
	uint64_t awaited = confirming_state(controller->confirming)->generation, number = awaited;
	char who[STORE_WHO_MAX + 1];
	struct err err = {0};
	if (!access_allowed(request, &controller->config, who))
		return;
	if (body_read_generation(request, JSON_OPTIONAL, &number, &err) < 0)
		http_reply_problem(request, 400, "%s", err.text);
	else if (number != awaited)
		http_reply_problem(
			request, 409, "generation %" PRIu64 " does not await a confirmation", number);
	else
		start_confirm(controller, request, who);
}

void rollback_serve(struct controller *controller, struct http_server *server)
{
	http_server_route(server, &(struct http_route){.methods = HTTP_POST,
					  .path = "/v1/rollback",
					  .handle = handle_rollback,
					  .context = controller});
	http_server_route(server, &(struct http_route){.methods = HTTP_POST,
					  .path = "/v1/confirm",
					  .handle = handle_confirm,
					  .context = controller});
}
