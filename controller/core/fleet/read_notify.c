/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/reader.h"

enum { EVERY_STATE = (1u << STATES) - 1 };

bool reader_program(struct reader *reader, const struct conf_node *node, char ret_path[PROTO_PATH_MAX + 1])
{
	const char *path;

	if (!reader_ok_in(reader, "program", conf_as_text(node, PROTO_PATH_MAX, &path, &reader->err)))
		return false;
	if (path[0] != '/') {
		reader_fail(reader, node,
			"program: expected the absolute path of a program, which gets no arguments, found "
			"\"%s\"",
			path);
		return false;
	}
	(void)text_copy(ret_path, PROTO_PATH_MAX + 1, path);
	return true;
}

static unsigned read_when(struct reader *reader, const struct conf_node *map)
{
	const struct conf_node *list = reader_list(reader, map, "when", STATES);
	unsigned when = 0;

	if (!conf_find(map, "when"))
		return EVERY_STATE;
	for (size_t i = 0; i < conf_list_count(list); i++) {
		unsigned state;

		if (!reader_ok_in(reader, "when",
			    conf_as_word(conf_list_item(list, i), desired_state_names, STATES, &state,
				    &reader->err)))
			continue;
		when |= 1u << state;
	}
	if (list && !conf_list_count(list))
		reader_fail(reader, list, "when: of what shall it be told? owner, standby, unfit");
	return when;
}

void read_notify(struct reader *reader, const struct conf_node *map, struct fleet_endpoint *endpoint)
{
	const struct conf_node *list = reader_list(reader, map, "notify", PROTO_NOTIFIES_MAX);

	for (size_t i = 0; i < conf_list_count(list); i++) {
		const struct conf_node *item = conf_list_item(list, i);
		struct desired_notify *notify = &endpoint->notify[endpoint->notify_count];

		if (!reader_keys(reader, item, KEYS_NOTIFY) || !reader_require(reader, item, "program") ||
			!reader_program(reader, conf_find(item, "program"), notify->program))
			continue;
		notify->when = read_when(reader, item);
		endpoint->notify_count++;
	}
}
