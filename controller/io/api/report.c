/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/json/write.h"
#include "common/timeline/account.h"
#include "controller/io/api/access.h"
#include "controller/io/api/api.h"
#include "controller/io/controller.h"
#include "controller/io/watch/watch.h"

static char *account_text(const struct account *account)
{
	json_t *root = json_object();
	account_put(root, account, clock_wall_ms() * 1000 - clock_now_us());
	char *text = json_compact(root, NULL);
	json_decref(root);
	return text;
}

static void handle_report(struct http_request *request, void *context)
{
	struct controller *controller = context;
	size_t count = agents_count(controller->agents);
	struct account_source *sources = mem_new(count + 1, sizeof *sources);
	const char *event = http_request_query(request, "event");
	char who[STORE_WHO_MAX + 1], endpoint[PROTO_NAME_MAX + 1];
	struct account account;
	struct epoch epoch;
	struct err err = {0};
	if (!access_allowed(request, &controller->config, who)) {
		free(sources);
		return;
	}
	sources[0] = (struct account_source){controller->self.name, &controller->moments};
	for (size_t i = 0; i < count; i++) {
		struct agent *agent = agents_at(controller->agents, i);
		report_settle(controller, agent);
		sources[i + 1] = (struct account_source){agent->name, &agent->moments};
	}
	if (account_parse(event ? event : "", endpoint, &epoch, &err) < 0) {
		http_reply_problem(request, 400, "%s", err.text);
	} else if (account_make(sources, count + 1, endpoint, &epoch, &account, &err) < 0) {
		http_reply_problem(request, 404, "%s", err.text);
	} else {
		http_reply_json(request, 200, account_text(&account));
		account_clear(&account);
	}
	free(sources);
}

void report_serve(struct controller *controller, struct http_server *server)
{
	http_server_route(server, &(struct http_route){.methods = HTTP_GET,
					  .path = "/v1/report",
					  .handle = handle_report,
					  .context = controller});
}
