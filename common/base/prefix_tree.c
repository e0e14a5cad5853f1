/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/prefix_tree.h"

/* The stack of those around the current one needs no memory of its own: each knows its parent. */
void prefix_tree_parents(const struct prefix *sorted, size_t count, size_t *ret_parents)
{
	size_t around = PREFIX_TREE_ROOT; /* the one before, or what is around it */

	for (size_t i = 0; i < count; i++) {
		if (i && prefix_equal(&sorted[i - 1], &sorted[i])) {
			ret_parents[i] = ret_parents[i - 1];
			continue;
		}
		while (around != PREFIX_TREE_ROOT && !prefix_covers(&sorted[around], &sorted[i]))
			around = ret_parents[around];
		ret_parents[i] = around;
		around = i;
	}
}
