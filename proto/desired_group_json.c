/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/desired_json.h"

static void put_group(json_t *to, const struct desired_group *group)
{
	json_t *object = jput_object(to, NULL), *array;

	jput_text(object, "name", group->name);
	array = jput_array(object, "may_reach");
	for (size_t i = 0; i < group->may_reach_count; i++)
		jput_prefix(array, NULL, &group->may_reach[i]);
}

void desired_groups_put(json_t *to, const char *name, const struct desired *desired)
{
	json_t *array;

	if (!desired->group_count)
		return;
	array = jput_array(to, name);
	for (size_t i = 0; i < desired->group_count; i++)
		put_group(array, &desired->groups[i]);
}

static int get_group(const struct jnode *from, struct desired_group *group, struct err *err)
{
	int r = jnode_name(from, "name", JSON_REQUIRED, group->name, sizeof(group->name), err);

	return r ? r
		 : prefixes_get(from, "may_reach", PROTO_REACH_MAX, &group->may_reach,
			   &group->may_reach_count, err);
}

int desired_groups_get(const struct jnode *from, const char *name, struct desired *desired, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, name, JSON_OPTIONAL, PROTO_GROUPS_MAX, &array, err);

	if (!r && jnode_count(&array))
		desired->groups = mem_new(jnode_count(&array), sizeof(*desired->groups));
	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);
		struct desired_group *group = &desired->groups[desired->group_count++];

		r = get_group(&item, group, err);
		if (!r && i && strcmp(group[-1].name, group->name) >= 0)
			r = jnode_fail(&item, err, -EINVAL, "not in rising order");
	}
	return r;
}
