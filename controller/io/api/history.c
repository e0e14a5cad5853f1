/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/http_server.h"
#include "common/json/write.h"
#include "controller/io/api/access.h"
#include "controller/io/api/api.h"
#include "controller/io/controller.h"

/* What only the store knows. It is the writer's, so that its thread reads, too, and the answer waits for it. */
enum { PAGE_DEFAULT = 100, PAGE_MAX = 1000 };

struct question {
	struct http_request *request; /* NULL: nobody waits any more */
	int (*ask)(struct store *store, void *context, struct err *err);
	uint64_t after, limit; /* of a page; or the number of a generation in after */
	json_t *list, *answer;
	char *text; /* instead of answer */
};

static void question_free(struct question *question)
{
	json_decref(question->answer);
	free(question->text);
	free(question);
}

static void reply(struct question *question, int r, const struct err *err)
{
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX];
	if (r == -ENOENT)
		http_reply_problem(question->request, 404,
			"generation %" PRIu64 " is not kept (the last %d are)", question->after,
			STORE_GENERATIONS_KEPT);
	else if (r < 0)
		http_reply_problem(question->request, 500, "%s", err_format(err, line, sizeof line));
	else
		http_reply_json(question->request, 200,
			question->text ? mem_text(question->text) : json_compact(question->answer, NULL));
}

static void on_read(void *context, int r, const struct err *err)
{
	struct question *question = context;
	if (question->request)
		reply(question, r, err);
	question_free(question);
}

static void on_gone(struct http_request *request, void *context)
{
	struct question *question = context;
	(void)request;
	question->request = NULL;
}

static void ask(struct controller *controller, struct question *question)
{
	http_request_hold(question->request, on_gone, question);
	writer_add(controller->writer,
		&(struct writer_job){.write = question->ask, .done = on_read, .context = question});
}

static void put_generation(json_t *json, const struct store_generation *generation)
{
	jput_u64(json, "generation", generation->number);
	jput_text(json, "hash", generation->hash);
	jput_text(json, "applied_by", generation->who);
	jput_i64(json, "applied_ms", generation->wall_ms);
	jput_text(json, "what", generation->what);
	json_t *peers = jput_object(json, "peers");
	jput_u64(peers, "added", generation->counts.added);
	jput_u64(peers, "changed", generation->counts.changed);
	jput_u64(peers, "removed", generation->counts.removed);
	jput_u64(json, "other", generation->counts.other);
}

static void add_generation(const struct store_generation *generation, void *context)
{
	struct question *question = context;
	question->after = generation->number;
	put_generation(jput_object(question->list, NULL), generation);
}

static int read_history(struct store *store, void *context, struct err *err)
{
	struct question *question = context;
	question->answer = json_object();
	question->list = jput_array(question->answer, "generations");
	int r = store_each_generation(store, question->after, question->limit, add_generation, question, err);
	jput_u64(question->answer, "next", question->after);
	return r;
}

static void add_audit(const struct store_audit *audit, void *context)
{
	struct question *question = context;
	json_t *json = jput_object(question->list, NULL);
	question->after = audit->seq;
	jput_u64(json, "seq", audit->seq);
	jput_i64(json, "time_ms", audit->wall_ms);
	jput_text(json, "who", audit->who);
	jput_text(json, "what", audit->what);
	jput_text(json, "target", audit->target);
	jput_u64(json, "generation", audit->generation);
	jput_i64(json, "status", audit->status);
	jput_text(json, "detail", audit->detail);
}

static int read_audit(struct store *store, void *context, struct err *err)
{
	struct question *question = context;
	question->answer = json_object();
	question->list = jput_array(question->answer, "audit");
	int r = store_each_audit(store, question->after, question->limit, add_audit, question, err);
	jput_u64(question->answer, "next", question->after);
	return r;
}

/* As GET /v1/fleet: the stored bundle is an object already, its members are put in front of the others. */
static int read_files(struct store *store, void *context, struct err *err)
{
	struct question *question = context;
	struct store_generation generation = {0};
	struct text text = {0};
	int r = store_load_generation_number(store, question->after, &generation, err);
	if (r < 0)
		return r;
	json_t *json = json_object();
	put_generation(json, &generation);
	CLEANUP_FREE char *rest = json_compact(json, NULL);
	json_decref(json);
	text_add_bytes(&text, generation.bundle, strlen(generation.bundle) - 1);
	text_add(&text, ",%s", rest + 1);
	question->text = text_take(&text);
	store_generation_clear(&generation);
	return 0;
}

static void handle_page(struct controller *controller, struct http_request *request,
	int (*read)(struct store *store, void *context, struct err *err))
{
	const char *after = http_request_query(request, "after"),
		   *limit = http_request_query(request, "limit");
	struct question question = {.request = request, .ask = read, .limit = PAGE_DEFAULT};
	char who[STORE_WHO_MAX + 1];
	if (!access_allowed(request, &controller->config, who))
		return;
	if ((after && text_to_u64(after, 0, INT64_MAX, &question.after) < 0) ||
		(limit && text_to_u64(limit, 1, PAGE_MAX, &question.limit) < 0)) {
		http_reply_problem(
			request, 400, "expected ?after=NUMBER and limit=NUMBER (1 to %d)", PAGE_MAX);
		return;
	}
	struct question *asked = mem_new(1, sizeof *asked);
	*asked = question;
	ask(controller, asked);
}

static void handle_history(struct http_request *request, void *context)
{
	handle_page(context, request, read_history);
}

static void handle_audit(struct http_request *request, void *context)
{
	handle_page(context, request, read_audit);
}

static void handle_generation(struct http_request *request, void *context)
{
	struct controller *controller = context;
	char who[STORE_WHO_MAX + 1];
	uint64_t number;
	if (!access_allowed(request, &controller->config, who))
		return;
	if (text_to_u64(http_request_rest(request), 1, INT64_MAX, &number) < 0) {
		http_reply_problem(request, 404, "no such path; expected /v1/history/NUMBER");
		return;
	}
	struct question *question = mem_new(1, sizeof *question);
	*question = (struct question){.request = request, .ask = read_files, .after = number};
	ask(controller, question);
}

void history_serve(struct controller *controller, struct http_server *server)
{
	const struct http_route routes[] = {
		{.methods = HTTP_GET, .path = "/v1/history", .handle = handle_history, .context = controller},
		{.methods = HTTP_GET,
			.path = "/v1/history/",
			.handle = handle_generation,
			.context = controller},
		{.methods = HTTP_GET, .path = "/v1/audit", .handle = handle_audit, .context = controller},
	};
	for (size_t i = 0; i < ARRAY_COUNT(routes); i++)
		http_server_route(server, &routes[i]);
}
