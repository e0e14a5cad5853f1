/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/api/problem.h"

#include <stdlib.h>

#include "common/io/http_server.h"
#include "common/json/write.h"

void problem_reply(struct http_request *request, int status, const struct lines *errors)
{
	json_t *json = json_object();
	jput_text(json, "type", "about:blank");
	jput_text(json, "title", http_status_phrase(status));
	jput_i64(json, "status", status);
	jput_text(json, "detail", errors->count ? errors->items[0] : http_status_phrase(status));
	json_t *list = jput_array(json, "errors");
	for (size_t i = 0; i < errors->count; i++)
		jput_text(list, NULL, errors->items[i]);
	size_t size;
	char *text = json_compact(json, &size);
	http_reply(request, status, "application/problem+json", text, size);
	free(text);
	json_decref(json);
}
