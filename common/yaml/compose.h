/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_YAML_COMPOSE_H
#define HOLDFAST_YAML_COMPOSE_H

#include "common/yaml/conf.h"

/* Inside common/yaml only: how a document is put together. */
struct conf_chunk;

struct conf_doc {
	char *file;
	const struct conf_node *root;
	struct conf_chunk *chunks; /* all nodes and texts live here and go at once */
};

/* Zeroed room that lives as long as the document, aligned for pointers. */
void *conf_alloc(struct conf_doc *doc, size_t size);

/* libyaml's events to doc->root. */
int conf_compose(struct conf_doc *doc, const char *text, size_t size, const struct conf_limits *limits,
	struct err *err);

/*
 * Give a mapping its pairs: checks that `own` (as written, without <<) has no key twice, adds what `merge` (the value
 * of <<; NULL: none) brings, and sorts. Both arrays are copied into the document.
 */
int conf_mapping_fill(struct conf_doc *doc, struct conf_node *map, const struct conf_pair *own, size_t count,
	const struct conf_node *merge, struct err *err);

#endif
