/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_BASE_PREFIX_TREE_H
#define HOLDFAST_BASE_PREFIX_TREE_H

#include "common/base/addr.h"

/*
 * Which prefix lies within which: sorted by prefix_compare(), masked prefixes are a tree in preorder, and one walk finds
 * each one's parent, whatever their number.
 */
#define PREFIX_TREE_ROOT SIZE_MAX

/* ret_parents[i]: the first of those equal to the narrowest prefix that is around sorted[i] and not equal to it, or
 * PREFIX_TREE_ROOT. Equal ones may be there, and have one parent. */
void prefix_tree_parents(const struct prefix *sorted, size_t count, size_t *ret_parents);

#endif
