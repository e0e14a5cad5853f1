/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "proto/desired_json.h"

const char *const desired_hook_names[HOOKS] = {[HOOK_PRE_UP] = "pre_up",
	[HOOK_POST_UP] = "post_up",
	[HOOK_PRE_DOWN] = "pre_down",
	[HOOK_POST_DOWN] = "post_down"};

bool desired_hook_is_line(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
			return false;
	return length && length <= PROTO_HOOK_MAX;
}

/* Left out where there are none. */
void desired_hooks_put(json_t *to, const struct texts hooks[HOOKS])
{
	for (size_t hook = 0; hook < HOOKS; hook++) {
		json_t *array = hooks[hook].count ? jput_array(to, desired_hook_names[hook]) : NULL;

		for (size_t i = 0; i < hooks[hook].count; i++)
			jput_text(array, NULL, hooks[hook].items[i]);
	}
}

static int get_lines(const struct jnode *from, const char *name, struct texts *lines, struct err *err)
{
	char line[PROTO_HOOK_MAX + 1];
	struct jnode array;
	int r = jnode_array(from, name, JSON_OPTIONAL, PROTO_HOOKS_MAX, &array, err);

	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = jnode_text(&item, NULL, JSON_REQUIRED, line, sizeof(line), err);
		if (!r && !desired_hook_is_line(line))
			r = jnode_fail(&item, err, -EINVAL, "not one line of a command");
		if (!r)
			texts_add(lines, line);
	}
	return r;
}

int desired_hooks_get(const struct jnode *from, struct texts hooks[HOOKS], struct err *err)
{
	int r = 0;

	for (size_t hook = 0; !r && hook < HOOKS; hook++)
		r = get_lines(from, desired_hook_names[hook], &hooks[hook], err);
	return r;
}
