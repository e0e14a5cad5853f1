/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/session_pages.h"

#include "common/base/text.h"

/* Adds a page to the list. *next: where it goes on, "" at the end. */
static int take_page(const struct controller *controller, json_t *list, struct text *next, struct err *err)
{
	struct text path = {0};
	json_t *answer = NULL;
	const char *behind;
	int r;

	text_add(&path, "/v1/sessions");
	if (next->length)
		text_add(&path, "?after=%s", next->data);
	r = controller_call(controller, "GET", path.data, NULL, 0, &answer, err);
	text_clear(&path);
	text_clear(next);
	if (r < 0)
		return r;
	json_array_extend(list, json_object_get(answer, "sessions"));
	behind = json_string_value(json_object_get(answer, "next"));
	text_add(next, "%s", behind ? behind : "");
	json_decref(answer);
	return 0;
}

int session_pages(const struct controller *controller, json_t *list, struct err *err)
{
	struct text next = {0};
	int r;

	do
		r = take_page(controller, list, &next, err);
	while (!r && next.length);
	text_clear(&next);
	return r;
}
