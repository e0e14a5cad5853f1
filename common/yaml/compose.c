/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/yaml/compose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/yaml/compose_int.h"

struct items {
	struct built *data;
	size_t count, capacity;
};

static int compose_node(struct composer *c, yaml_event_t *event, unsigned depth, struct built *ret_built);

static int next_event(struct composer *c, yaml_event_t *event)
{
	return yaml_parser_parse(&c->parser, event) ? 0 : composer_fail_parser(c);
}

static int count_nodes(struct composer *c, const yaml_mark_t *mark, size_t count)
{
	c->nodes += count;
	if (c->nodes <= c->limits->max_nodes)
		return 0;
	return composer_fail(c, mark, -E2BIG, "too much: at most %zu values, counting what aliases stand for",
		c->limits->max_nodes);
}

static int check_depth(struct composer *c, const yaml_mark_t *mark, unsigned depth)
{
	if (depth <= c->limits->max_depth)
		return 0;
	return composer_fail(c, mark, -E2BIG, "nested too deep: at most %u levels", c->limits->max_depth);
}

static struct conf_node *new_node(struct composer *c, enum conf_kind kind, const yaml_mark_t *mark)
{
	struct conf_node *node = conf_alloc(c->doc, sizeof *node);

	node->kind = kind;
	node->file = c->doc->file;
	node->line = (unsigned)mark->line + 1;
	node->column = (unsigned)mark->column + 1;
	return node;
}

static int check_tag(struct composer *c, const yaml_event_t *event, const yaml_char_t *tag)
{
	if (!tag || (event->type == YAML_SCALAR_EVENT && strcmp((const char *)tag, YAML_STR_TAG) == 0))
		return 0;
	return composer_fail(c, &event->start_mark, -EINVAL,
		"tags such as !x are not used here; quote text that starts with '!'");
}

static int compose_alias(struct composer *c, yaml_event_t *event, unsigned depth, struct built *ret_built)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct built *built = conf_anchor_find(c->anchors, name);
	int r;

	if (!built)
		return composer_fail(c, &event->start_mark, -EINVAL, "no anchor &%.64s before this", name);
	if (!built->node)
		return composer_fail(
			c, &event->start_mark, -EINVAL, "*%.64s stands inside its own anchor", name);
	r = check_depth(c, &event->start_mark, depth + built->height - 1);
	if (r == 0)
		r = count_nodes(c, &event->start_mark, built->weight);
	if (r == 0)
		*ret_built = *built;
	return r;
}

static int compose_scalar(struct composer *c, yaml_event_t *event, struct built *ret_built)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	struct conf_node *node = new_node(c, CONF_SCALAR, &event->start_mark);
	char *text;
	int r = check_tag(c, event, event->data.scalar.tag);

	if (r == 0 && memchr(value, '\0', length))
		r = composer_fail(c, &event->start_mark, -EINVAL, "text with a NUL byte inside");
	if (r < 0)
		return r;
	text = conf_alloc(c->doc, length + 1);
	memcpy(text, value, length);
	node->text = text;
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || event->data.scalar.tag;
	*ret_built = (struct built){node, 1, 1};
	conf_anchor_close(conf_anchor_open(&c->anchors, (const char *)event->data.scalar.anchor), ret_built);
	return 0;
}

/* Nodes until the event that ends this collection, flat: for a mapping key, value, key, value. */
static int compose_items(struct composer *c, yaml_event_type_t end, unsigned depth, struct items *items)
{
	for (;;) {
		yaml_event_t event;
		struct built built;
		int r = next_event(c, &event);

		if (r < 0)
			return r;
		if (event.type == end) {
			yaml_event_delete(&event);
			return 0;
		}
		r = compose_node(c, &event, depth, &built);
		yaml_event_delete(&event);
		if (r < 0)
			return r;
		items->data = mem_grow(items->data, &items->capacity, items->count + 1, sizeof *items->data);
		items->data[items->count++] = built;
	}
}

static void add_up(const struct items *items, struct built *built)
{
	unsigned height = 0;

	built->weight = 1;
	for (size_t i = 0; i < items->count; i++) {
		built->weight += items->data[i].weight;
		height = items->data[i].height > height ? items->data[i].height : height;
	}
	built->height = height + 1;
}

static int fill_sequence(struct composer *c, struct conf_node *node, const struct items *items)
{
	const struct conf_node **list = conf_alloc(c->doc, items->count * sizeof *list);

	for (size_t i = 0; i < items->count; i++)
		list[i] = items->data[i].node;
	node->items = list;
	node->count = items->count;
	return 0;
}

static int check_key(struct composer *c, const struct conf_node *key)
{
	if (key->kind != CONF_SCALAR)
		return conf_fail(key, c->err, -EINVAL, "a key must be text, not a list or a mapping");
	if (conf_is_null(key))
		return conf_fail(key, c->err, -EINVAL, "a key is missing before ':'");
	return 0;
}

static bool is_merge(const struct conf_node *key)
{
	return !key->quoted && strcmp(key->text, "<<") == 0;
}

/* Split the flat items in the mapping's own pairs and the value of <<. */
static int fill_mapping(struct composer *c, struct conf_node *node, const struct items *items)
{
	struct conf_pair *own CLEANUP_FREE = mem_new(items->count / 2, sizeof *own);
	const struct conf_node *merge = NULL, *merge_key = NULL;
	size_t count = 0;

	for (size_t i = 0; i + 1 < items->count; i += 2) {
		const struct conf_node *key = items->data[i].node, *value = items->data[i + 1].node;
		int r = check_key(c, key);

		if (r < 0)
			return r;
		if (!is_merge(key)) {
			own[count++] = (struct conf_pair){.key = key, .value = value};
			continue;
		}
		if (merge_key)
			return conf_fail(key, c->err, -EINVAL,
				"<< is here for the second time, the first is in line %u; write <<: [*one, "
				"*other]",
				merge_key->line);
		merge_key = key;
		merge = value;
	}
	return conf_mapping_fill(c->doc, node, own, count, merge, c->err);
}

/* A pair without braces in [ ] starts at a mark of no width: libyaml made it up. */
static int check_braces(struct composer *c, const yaml_event_t *event)
{
	if (event->type != YAML_MAPPING_START_EVENT ||
		event->data.mapping_start.style != YAML_FLOW_MAPPING_STYLE ||
		event->start_mark.index != event->end_mark.index)
		return 0;
	return composer_fail(c, &event->start_mark, -EINVAL, "key: value without { } inside [ ]%s",
		composer_hint_ipv6(c, event->start_mark.line));
}

static int compose_collection(
	struct composer *c, yaml_event_t *event, unsigned depth, struct built *ret_built)
{
	bool map = event->type == YAML_MAPPING_START_EVENT;
	const yaml_char_t *name = map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
	const yaml_char_t *tag = map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
	struct conf_node *node = new_node(c, map ? CONF_MAPPING : CONF_SEQUENCE, &event->start_mark);
	struct built built = {.node = node};
	struct items items = {0};
	struct conf_anchor *anchor;
	int r = check_tag(c, event, tag);

	if (r == 0)
		r = check_braces(c, event);
	if (r < 0)
		return r;
	anchor = conf_anchor_open(&c->anchors, (const char *)name);
	r = compose_items(c, map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, depth + 1, &items);
	if (r == 0)
		r = map ? fill_mapping(c, node, &items) : fill_sequence(c, node, &items);
	if (r == 0) {
		add_up(&items, &built);
		conf_anchor_close(anchor, &built);
		*ret_built = built;
	}
	free(items.data);
	return r;
}

static int compose_node(struct composer *c, yaml_event_t *event, unsigned depth, struct built *ret_built)
{
	int r;

	if (event->type == YAML_ALIAS_EVENT)
		return compose_alias(c, event, depth, ret_built);
	r = check_depth(c, &event->start_mark, depth);
	if (r == 0)
		r = count_nodes(c, &event->start_mark, 1);
	if (r < 0)
		return r;
	if (event->type == YAML_SCALAR_EVENT)
		return compose_scalar(c, event, ret_built);
	return compose_collection(c, event, depth, ret_built);
}

/* The first event that is not an opening; the caller deletes it. */
static int skip_to_content(struct composer *c, yaml_event_t *event)
{
	int r;

	while ((r = next_event(c, event)) == 0) {
		if (event->type != YAML_STREAM_START_EVENT && event->type != YAML_DOCUMENT_START_EVENT)
			return 0;
		yaml_event_delete(event);
	}
	return r;
}

static int check_end(struct composer *c)
{
	for (;;) {
		yaml_event_t event;
		yaml_event_type_t type;
		yaml_mark_t mark;
		int r = next_event(c, &event);

		if (r < 0)
			return r;
		type = event.type;
		mark = event.start_mark;
		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			return 0;
		if (type == YAML_DOCUMENT_START_EVENT)
			return composer_fail(c, &mark, -EINVAL, "a second document: one file holds one");
	}
}

static int compose_root(struct composer *c)
{
	yaml_event_t event;
	struct built built;
	bool empty;
	int r = skip_to_content(c, &event);

	if (r < 0)
		return r;
	empty = event.type == YAML_STREAM_END_EVENT;
	if (!empty)
		r = compose_node(c, &event, 1, &built);
	yaml_event_delete(&event);
	if (r == 0 && !empty)
		r = check_end(c);
	if (r < 0)
		return r;
	if (empty || conf_is_null(built.node))
		c->doc->root = new_node(c, CONF_MAPPING, &(yaml_mark_t){0});
	else
		c->doc->root = built.node;
	return 0;
}

int conf_compose(struct conf_doc *doc, const char *text, size_t size, const struct conf_limits *limits,
	struct err *err)
{
	struct composer c = {.doc = doc, .limits = limits, .input = text, .size = size, .err = err};
	int r;

	if (!yaml_parser_initialize(&c.parser))
		mem_new(SIZE_MAX, 2); /* ends here */
	yaml_parser_set_encoding(&c.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&c.parser, (const unsigned char *)text, size);
	r = compose_root(&c);
	yaml_parser_delete(&c.parser);
	conf_anchors_free(c.anchors);
	return r;
}
