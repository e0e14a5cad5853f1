/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/reader.h"

static int compare_prefixes(const void *left, const void *right)
{
	return prefix_compare(left, right);
}

/* No `may_reach` would be a group that reaches nothing by a slip; `may_reach: []` says so. */
static void read_may_reach(struct reader *reader, const struct conf_node *map, struct fleet_group *group)
{
	if (!reader_require(reader, map, "may_reach"))
		return;
	group->may_reach_count =
		reader_reach(reader, map, "may_reach", PROTO_REACH_MAX - 1, &group->may_reach);
	if (group->may_reach_count)
		qsort(group->may_reach, group->may_reach_count, sizeof(*group->may_reach), compare_prefixes);
}

static void read_group(struct reader *reader, const struct conf_node *map, struct fleet_group *group)
{
	if (!reader_keys(reader, map, KEYS_GROUP))
		return;
	read_may_reach(reader, map, group);
	read_client(reader, map, &group->client);
}

static bool is_new(struct reader *reader, const struct conf_node *key)
{
	const struct fleet *fleet = reader->fleet;

	for (size_t i = 0; i < fleet->group_count; i++) {
		const struct fleet_place *place = &fleet->groups[i].place;

		if (strcmp(fleet->groups[i].name, key->text) != 0)
			continue;
		reader_fail(reader, key, "group %s is there already, at %s:%u:%u", key->text,
			fleet->sources[place->source], place->line, place->column);
		return false;
	}
	return true;
}

static struct fleet_group *add_group(struct reader *reader, const struct conf_node *key, const char *name)
{
	struct fleet *fleet = reader->fleet;
	struct fleet_group *group;

	if (fleet->group_count == PROTO_GROUPS_MAX) {
		reader_fail(reader, key, "more than %d groups", PROTO_GROUPS_MAX);
		return NULL;
	}
	fleet->groups = mem_grow(
		fleet->groups, &reader->group_capacity, fleet->group_count + 1, sizeof(*fleet->groups));
	group = &fleet->groups[fleet->group_count++];
	(void)text_copy(group->name, sizeof(group->name), name);
	group->place = reader_place(reader, key);
	return group;
}

void read_groups(struct reader *reader, const struct conf_node *node)
{
	if (!reader_ok_in(reader, "groups", conf_expect_mapping(node, &reader->err)))
		return;
	for (size_t i = 0; i < node->count; i++) {
		const struct conf_pair *pair = &node->pairs[i];
		struct fleet_group *group;
		const char *name;

		if (!reader_ok_in(
			    reader, "groups", conf_as_name(pair->key, PROTO_NAME_MAX, &name, &reader->err)) ||
			!is_new(reader, pair->key))
			continue;
		group = add_group(reader, pair->key, name);
		if (!group)
			return;
		read_group(reader, pair->value, group);
	}
}
