/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/reader.h"

/* wg-quick's hooks: command lines, or one. */

static void read_line(
	struct reader *reader, const char *key, const struct conf_node *item, struct texts *lines)
{
	const char *line;

	if (!reader_ok_in(reader, key, conf_as_text(item, PROTO_HOOK_MAX, &line, &reader->err)))
		return;
	if (!desired_hook_is_line(line)) {
		reader_fail(reader, item,
			"%s: expected a command in one line, without control characters; make a list of "
			"several",
			key);
		return;
	}
	texts_add(lines, line);
}

static void read_lines(
	struct reader *reader, const struct conf_node *map, const char *key, struct texts *lines)
{
	const struct conf_node *list = reader_list(reader, map, key, PROTO_HOOKS_MAX);

	if (!list)
		return;
	texts_clear(lines);
	for (size_t i = 0; i < conf_list_count(list); i++)
		read_line(reader, key, conf_list_item(list, i), lines);
}

void read_hooks(struct reader *reader, const struct conf_node *map, struct texts hooks[HOOKS])
{
	for (size_t i = 0; i < HOOKS; i++)
		read_lines(reader, map, desired_hook_names[i], &hooks[i]);
}

/* There is nothing that it could be saved into: the fleet file says what a tunnel is. */
void read_save_config(struct reader *reader, const struct conf_node *map)
{
	bool saves = false;

	if (reader_ok(reader, conf_get_bool(map, "save_config", &saves, &reader->err)) && saves)
		reader_fail(reader, conf_find(map, "save_config"),
			"save_config: a tunnel of a fleet is what this file says, so nothing that runs is "
			"saved; `holdfast export` writes a wg-quick file of it");
}
