/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/yaml/anchor.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "common/base/mem.h"

struct conf_anchor {
	UT_hash_handle hh;
	char *name;
	struct built built;
};

struct conf_anchor *conf_anchor_open(struct conf_anchor **anchors, const char *name)
{
	struct conf_anchor *anchor = NULL;

	if (!name)
		return NULL;
	HASH_FIND_STR(*anchors, name, anchor);
	if (!anchor) {
		anchor = mem_new(1, sizeof *anchor);
		anchor->name = mem_text(name);
		HASH_ADD_KEYPTR(hh, *anchors, anchor->name, strlen(anchor->name), anchor);
	}
	anchor->built.node = NULL;
	return anchor;
}

void conf_anchor_close(struct conf_anchor *anchor, const struct built *built)
{
	if (anchor)
		anchor->built = *built;
}

const struct built *conf_anchor_find(const struct conf_anchor *anchors, const char *name)
{
	const struct conf_anchor *anchor = NULL;

	HASH_FIND_STR(anchors, name, anchor);
	return anchor ? &anchor->built : NULL;
}

void conf_anchors_free(struct conf_anchor *anchors)
{
	struct conf_anchor *anchor, *next;

	HASH_ITER (hh, anchors, anchor, next) {
		HASH_DEL(anchors, anchor);
		free(anchor->name);
		free(anchor);
	}
}
