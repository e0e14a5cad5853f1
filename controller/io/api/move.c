/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/io/log.h"
#include "common/json/write.h"
#include "controller/io/api/access.h"
#include "controller/io/api/api.h"
#include "controller/io/api/body.h"
#include "controller/io/controller.h"

struct move {
	struct controller *controller;
	struct http_request *request;
	struct wish *wish;
	char endpoint[PROTO_NAME_MAX + 1], from[PROTO_NAME_MAX + 1], to[PROTO_NAME_MAX + 1];
	int64_t started_ms;
};

static char *moved_text(const struct move *move, int64_t took_ms)
{
	const struct ownership *ownership = decisions_find(move->controller->decisions, move->endpoint);
	char epoch[EPOCH_TEXT_MAX];
	json_t *json = json_object();
	jput_text(json, "endpoint", move->endpoint);
	jput_text(json, "from", move->from);
	jput_text(json, "owner", move->to);
	if (ownership)
		jput_text(json, "epoch", epoch_format(&ownership->epoch, epoch));
	jput_i64(json, "took_ms", took_ms);
	char *text = json_compact(json, NULL);
	json_decref(json);
	return text;
}

static void on_done(int r, const char *text, void *context)
{
	struct move *move = context;
	if (r >= 0)
		http_reply_json(move->request, 200, moved_text(move, clock_now_ms() - move->started_ms));
	else
		http_reply_problem(move->request, r == -ETIMEDOUT ? 504 : 409, "%s", text);
	free(move);
}

static void on_gone(struct http_request *request, void *context)
{
	struct move *move = context;
	(void)request;
	wish_cancel(move->wish);
	free(move);
}

static void reply_refusal(struct move *move, int r, const struct err *err)
{
	if (r == -EALREADY)
		http_reply_json(move->request, 200, moved_text(move, 0));
	else
		http_reply_problem(move->request, r == -ENOENT ? 404 : 409, "%s", err->text);
	free(move);
}

static void remember_owner(struct move *move)
{
	const struct ownership *ownership = decisions_find(move->controller->decisions, move->endpoint);
	if (ownership && ownership->owner != OWNERSHIP_NOBODY)
		text_copy(move->from, sizeof move->from, ownership->config.members[ownership->owner]);
}

static void start(struct controller *controller, struct http_request *request, const char *endpoint,
	const char *to, const char *who)
{
	struct move *move = mem_new(1, sizeof *move);
	struct err err = {0};
	move->controller = controller;
	move->request = request;
	move->started_ms = clock_now_ms();
	text_copy(move->endpoint, sizeof move->endpoint, endpoint);
	text_copy(move->to, sizeof move->to, to);
	remember_owner(move);
	int r = decisions_move(controller->decisions, endpoint, to, on_done, move, &move->wish, &err);
	if (r < 0) {
		reply_refusal(move, r, &err);
		return;
	}
	log_notice("api", "move", log_text("endpoint", endpoint), log_text("to", to), log_text("by", who));
	http_request_hold(request, on_gone, move);
}

static void handle_endpoint(struct http_request *request, void *context)
{
	struct controller *controller = context;
	char who[STORE_WHO_MAX + 1], endpoint[PROTO_NAME_MAX + 1], to[PROTO_NAME_MAX + 1] = "";
	const char *rest = http_request_rest(request);
	const char *slash = strchr(rest, '/');
	struct err err = {0};
	if (!access_allowed(request, &controller->config, who))
		return;
	bool moves = slash && strcmp(slash, "/move") == 0, drills = slash && strcmp(slash, "/drill") == 0;
	if ((!moves && !drills) || (size_t)(slash - rest) > PROTO_NAME_MAX) {
		http_reply_problem(request, 404, "no such path; expected /v1/endpoints/NAME/move or drill");
		return;
	}
	memcpy(endpoint, rest, (size_t)(slash - rest));
	endpoint[slash - rest] = 0;
	if (body_read_target(request, moves ? JSON_REQUIRED : JSON_OPTIONAL, to, &err) < 0)
		http_reply_problem(request, 400, "%s", err.text);
	else if (moves)
		start(controller, request, endpoint, to, who);
	else
		drill_ask(controller, request, endpoint, to, who);
}

void move_serve(struct controller *controller, struct http_server *server)
{
	http_server_route(server, &(struct http_route){.methods = HTTP_POST,
					  .path = "/v1/endpoints/",
					  .handle = handle_endpoint,
					  .context = controller});
}
