/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "common/base/mem.h"
#include "proto/desired_json.h"

/* The one at prefix[-1] is before it, unless it is the first. */
static int get_prefix(const struct jnode *item, bool is_first, struct prefix *prefix, struct err *err)
{
	struct prefix masked;
	int r = jnode_prefix(item, NULL, JSON_REQUIRED, prefix, err);

	if (r)
		return r;
	masked = prefix_mask(prefix);
	if (!prefix_equal(prefix, &masked))
		return jnode_fail(item, err, -EINVAL, "has bits set beyond its length");
	if (!is_first && prefix_compare(prefix - 1, prefix) >= 0)
		return jnode_fail(item, err, -EINVAL, "not in rising order");
	return 0;
}

int prefixes_get(const struct jnode *from, const char *name, size_t max, struct prefix **ret_prefixes,
	size_t *ret_count, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, name, JSON_REQUIRED, max, &array, err);

	if (r || !jnode_count(&array))
		return r;
	*ret_prefixes = mem_new(jnode_count(&array), sizeof(**ret_prefixes));
	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = get_prefix(&item, i == 0, &(*ret_prefixes)[i], err);
		*ret_count += !r;
	}
	return r;
}
