/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/api/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/http_server.h"
#include "common/io/log.h"

static void on_gone(struct http_request *request, void *context)
{
	struct waiting *waiting = context;
	(void)request;
	waiting->request = NULL;
}

void waiting_begin(struct waiting *waiting, struct http_request *request, struct writer *writer,
	const struct writer_job *job)
{
	waiting->request = request;
	http_request_hold(request, on_gone, waiting);
	writer_add(writer, job);
}

/* It may hold a secret. */
static void discard(char *text)
{
	mem_wipe(text, strlen(text));
	free(text);
}

void waiting_reply(const struct waiting *waiting, char *json_text)
{
	if (waiting->request)
		http_reply_json(waiting->request, 200, json_text);
	else
		discard(json_text);
}

void waiting_fail(const struct waiting *waiting, const char *module, const char *event, const struct err *err)
{
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX];
	log_error(module, event, log_err(err));
	if (waiting->request)
		http_reply_problem(waiting->request, 500, "%s", err_format(err, line, sizeof line));
}
