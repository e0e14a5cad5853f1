/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/session_pages.h"

#include <ctype.h>
#include <string.h>

#include "common/base/text.h"

struct walk {
	const struct controller *controller;
	const struct session_filter *filter;
	struct text next; /* where it goes on, "" at the end */
};

/* As a value in a query; any byte may be in it. */
static void add_encoded(struct text *path, const char *value)
{
	for (; *value; value++)
		if (isalnum((unsigned char)*value) || strchr("-._~", *value))
			text_add_bytes(path, value, 1);
		else
			text_add(path, "%%%02X", (unsigned char)*value);
}

static void add_query(struct text *path, const char *name, const char *value)
{
	if (!value)
		return;
	text_add(path, "%c%s=", strchr(path->data, '?') ? '&' : '?', name);
	add_encoded(path, value);
}

static void add_path(struct text *path, const struct walk *walk)
{
	text_add(path, "/v1/sessions");
	add_query(path, "peer", walk->filter->peer);
	add_query(path, "gateway", walk->filter->gateway);
	add_query(path, "tunnel", walk->filter->tunnel);
	add_query(path, "virtual_endpoint", walk->filter->endpoint);
	add_query(path, "after", walk->next.length ? walk->next.data : NULL);
}

/* Adds a page to the list. */
static int take_page(struct walk *walk, json_t *list, struct err *err)
{
	struct text path = {0};
	json_t *answer = NULL;
	const char *behind;
	int r;

	add_path(&path, walk);
	r = controller_call(walk->controller, "GET", path.data, NULL, 0, &answer, err);
	text_clear(&path);
	text_clear(&walk->next);
	if (r < 0)
		return r;
	json_array_extend(list, json_object_get(answer, "sessions"));
	behind = json_string_value(json_object_get(answer, "next"));
	text_add(&walk->next, "%s", behind ? behind : "");
	json_decref(answer);
	return 0;
}

int session_pages_of(const struct controller *controller, const struct session_filter *filter, json_t *list,
	struct err *err)
{
	struct walk walk = {.controller = controller, .filter = filter};
	int r;

	do
		r = take_page(&walk, list, err);
	while (!r && walk.next.length);
	text_clear(&walk.next);
	return r;
}

int session_pages(const struct controller *controller, json_t *list, struct err *err)
{
	return session_pages_of(controller, &(struct session_filter){0}, list, err);
}
