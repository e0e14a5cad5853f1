/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_YAML_ANCHOR_H
#define HOLDFAST_YAML_ANCHOR_H

#include "common/yaml/conf.h"

/* Inside common/yaml only: what the &names of a document stand for. Zero anchors are NULL. */

/* A node with what it costs. */
struct built {
	const struct conf_node *node; /* NULL: it is being read */
	size_t weight;                /* nodes in it, aliases resolved */
	unsigned height;              /* levels in it */
};

struct conf_anchor;

/* From here on the name stands for a node that is being read; one of the same name before is forgotten. The name is copied;
 * NULL: the node has none, and NULL is returned. */
struct conf_anchor *conf_anchor_open(struct conf_anchor **anchors, const char *name);
/* It has been read. NULL-safe. */
void conf_anchor_close(struct conf_anchor *anchor, const struct built *built);
/* NULL: no such name before this. */
const struct built *conf_anchor_find(const struct conf_anchor *anchors, const char *name);
void conf_anchors_free(struct conf_anchor *anchors);

#endif
