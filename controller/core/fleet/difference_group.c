/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/core/fleet/difference_part.h"

static void may_reach(const void *thing, struct list *list)
{
	const struct desired_group *group = thing;

	list_prefixes(list, group->may_reach, group->may_reach_count);
}

static size_t say(char sign, const struct desired_group *group, struct text *lines)
{
	struct list list = {0};

	may_reach(group, &list);
	text_add(lines, "%c group %s may reach ", sign, group->name);
	list_say(&list, lines);
	text_add(lines, "\n");
	list_clear(&list);
	return 1;
}

static size_t say_change(const struct desired_group *from, const struct desired_group *to, struct text *lines)
{
	static const struct field fields[] = {{"may_reach", .list = may_reach}};
	char what[PROTO_NAME_MAX + 16];

	(void)snprintf(what, sizeof(what), "group %s", to->name);
	return difference_fields(what, fields, ARRAY_COUNT(fields), from, to, lines);
}

/* Both are sorted by name: a merge. */
size_t difference_groups(const struct desired *from, const struct desired *to, struct text *lines)
{
	size_t count = 0, old = 0, new = 0;

	while (old < from->group_count || new < to->group_count) {
		int order = old == from->group_count ? 1
			    : new == to->group_count ? -1
						     : strcmp(from->groups[old].name, to->groups[new].name);

		if (order < 0)
			count += say('-', &from->groups[old], lines);
		else if (order > 0)
			count += say('+', &to->groups[new], lines);
		else
			count += say_change(&from->groups[old], &to->groups[new], lines);
		old += order <= 0;
		new += order >= 0;
	}
	return count;
}
