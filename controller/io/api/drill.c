/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/drill/drill.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/http_server.h"
#include "common/io/log.h"
#include "controller/io/api/api.h"
#include "controller/io/controller.h"

/* POST /v1/endpoints/NAME/drill: answered when it is over. */
struct asker {
	struct controller *controller;
	struct http_request *request;
};

static void on_done(char *result, bool clean, void *context)
{
	struct asker *asker = context;
	(void)clean;
	http_reply_json(asker->request, 200, result);
	free(asker);
}

static void on_gone(struct http_request *request, void *context)
{
	struct asker *asker = context;
	(void)request;
	if (asker->controller->drill)
		drill_forget_asker(asker->controller->drill);
	free(asker);
}

void drill_ask(struct controller *controller, struct http_request *request, const char *endpoint,
	const char *to, const char *who)
{
	struct asker *asker = mem_new(1, sizeof *asker);
	struct err err = {0};
	*asker = (struct asker){controller, request};
	int r = drill_start(controller, endpoint, to, on_done, asker, &err);
	if (r < 0) {
		http_reply_problem(request, r == -ENOENT ? 404 : 409, "%s", err.text);
		free(asker);
		return;
	}
	log_notice("api", "drill", log_text("endpoint", endpoint), log_text("by", who));
	http_request_hold(request, on_gone, asker);
}
