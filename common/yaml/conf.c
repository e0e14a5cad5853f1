/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/yaml/conf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/yaml/compose.h"

const struct conf_limits conf_limits_daemon = {.max_bytes = 256 << 10, .max_depth = 16, .max_nodes = 20000};
const struct conf_limits conf_limits_fleet = {.max_bytes = 32 << 20, .max_depth = 24, .max_nodes = 4000000};

enum { CHUNK_BYTES = 64 << 10 };

struct conf_chunk {
	struct conf_chunk *next;
	size_t used, size;
	max_align_t data[];
};

void *conf_alloc(struct conf_doc *doc, size_t size)
{
	struct conf_chunk *chunk = doc->chunks;
	size_t rounded = (size + sizeof(void *) - 1) & ~(sizeof(void *) - 1), room;

	if (!chunk || chunk->size - chunk->used < rounded) {
		/* The first chunk is small: most documents are a page of configuration. */
		room = chunk ? CHUNK_BYTES : CHUNK_BYTES / 16;
		room = rounded > room ? rounded : room;
		chunk = mem_new(1, sizeof *chunk + room);
		chunk->size = room;
		chunk->next = doc->chunks;
		doc->chunks = chunk;
	}
	chunk->used += rounded;
	return (char *)chunk->data + chunk->used - rounded;
}

int conf_parse(const char *file, const char *text, size_t size, const struct conf_limits *limits,
	struct conf_doc **ret_doc, struct err *err)
{
	struct conf_doc *doc;
	int r;

	if (size > limits->max_bytes)
		return err_at(err, -E2BIG, file, 0, 0, "%zu bytes are too many: at most %zu", size,
			limits->max_bytes);
	doc = mem_new(1, sizeof *doc);
	doc->file = mem_text(file);
	r = conf_compose(doc, text, size, limits, err);
	if (r < 0) {
		conf_free(doc);
		return r;
	}
	*ret_doc = doc;
	return 0;
}

void conf_free(struct conf_doc *doc)
{
	if (!doc)
		return;
	while (doc->chunks) {
		struct conf_chunk *chunk = doc->chunks;

		doc->chunks = chunk->next;
		free(chunk);
	}
	free(doc->file);
	free(doc);
}

const struct conf_node *conf_root(const struct conf_doc *doc)
{
	return doc->root;
}

/* What was found in the file may hold line breaks, and escapes for a terminal. */
static void one_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

int conf_fail(const struct conf_node *node, struct err *err, int code, const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	one_line(text);
	return err_at(err, code, node->file, node->line, node->column, "%s", text);
}

static const struct conf_pair *find_pair(const struct conf_node *map, const char *key)
{
	size_t low = 0, high;

	if (!map || map->kind != CONF_MAPPING)
		return NULL;
	high = map->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(key, map->sorted[middle]->key->text);

		if (order == 0)
			return map->sorted[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct conf_node *conf_find(const struct conf_node *map, const char *key)
{
	const struct conf_pair *pair = find_pair(map, key);

	return pair ? pair->value : NULL;
}

const struct conf_node *conf_find_key(const struct conf_node *map, const char *key)
{
	const struct conf_pair *pair = find_pair(map, key);

	return pair ? pair->key : NULL;
}

int conf_require(
	const struct conf_node *map, const char *key, const struct conf_node **ret_value, struct err *err)
{
	const struct conf_node *value = conf_find(map, key);

	if (!value)
		return conf_fail(map, err, -ENOENT, "missing \"%s\"", key);
	if (ret_value)
		*ret_value = value;
	return 0;
}

bool conf_is_null(const struct conf_node *node)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

	if (!node)
		return true;
	if (node->kind != CONF_SCALAR || node->quoted)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(nulls); i++)
		if (strcmp(node->text, nulls[i]) == 0)
			return true;
	return false;
}

static bool is_known(const char *key, const char *const known[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(key, known[i]) == 0)
			return true;
	return strncmp(key, "x-", 2) == 0;
}

static void list_words(const char *const words[], size_t count, struct text *text)
{
	for (size_t i = 0; i < count; i++)
		text_add(text, "%s%s", i > 0 ? ", " : "", words[i]);
}

int conf_check_key(const struct conf_pair *pair, const char *const known[], size_t count, struct err *err)
{
	const char *key = pair->key->text, *nearest;
	struct text list = {0};
	int r;

	if (is_known(key, known, count))
		return 0;
	nearest = text_nearest(key, known, count);
	if (nearest)
		return conf_fail(
			pair->key, err, -EINVAL, "unknown key \"%.64s\"; did you mean \"%s\"?", key, nearest);
	list_words(known, count, &list);
	r = conf_fail(pair->key, err, -EINVAL, "unknown key \"%.64s\"; known here: %s", key,
		list.data ? list.data : "none");
	text_clear(&list);
	return r;
}

int conf_check_keys(const struct conf_node *map, const char *const known[], size_t count, struct err *err)
{
	int r = conf_expect_mapping(map, err);

	if (r < 0 || conf_is_null(map))
		return r;
	for (size_t i = 0; r == 0 && i < map->count; i++)
		r = conf_check_key(&map->pairs[i], known, count, err);
	return r;
}

size_t conf_list_count(const struct conf_node *node)
{
	if (conf_is_null(node))
		return 0;
	return node->kind == CONF_SEQUENCE ? node->count : 1;
}

const struct conf_node *conf_list_item(const struct conf_node *node, size_t index)
{
	return node->kind == CONF_SEQUENCE ? node->items[index] : node;
}
