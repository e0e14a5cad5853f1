/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_JSON_EXPECTED_H
#define HOLDFAST_JSON_EXPECTED_H

#include "common/json/read.h"

/* Inside common/json only. */

/* The cursor a getter is about: the member, or the object itself if name is NULL. ret_node->json is NULL for an optional
 * member that is absent or null. -EINVAL if a required one is missing or object is none. */
int jnode_pick(const struct jnode *object, const char *name, enum json_need need, struct jnode *ret_node,
	struct err *err);
/* -EINVAL: "path: expected what, found ...". */
int jnode_expected(const struct jnode *node, const char *what, struct err *err);

#endif
