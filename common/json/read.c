/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/json/read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/expected.h"

const struct json_limits json_limits_message = {.max_bytes = 1 << 20, .max_depth = 16};
const struct json_limits json_limits_large = {.max_bytes = 32 << 20, .max_depth = 16};

/* jansson has a depth limit of its own, far above ours, so brackets are counted before it builds anything. What is in
 * strings does not count. */
static bool too_deep(const char *bytes, size_t size, unsigned max_depth)
{
	bool in_string = false;
	unsigned depth = 0;

	for (size_t i = 0; i < size; i++) {
		char c = bytes[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '[' || c == '{') && ++depth > max_depth)
			return true;
		else if (!in_string && (c == ']' || c == '}') && depth > 0)
			depth--;
	}
	return false;
}

int json_parse_bytes(
	const void *bytes, size_t size, const struct json_limits *limits, json_t **ret_json, struct err *err)
{
	json_error_t error;
	json_t *json;

	if (size > limits->max_bytes)
		return err_set(
			err, -E2BIG, "%zu bytes of JSON are too many: at most %zu", size, limits->max_bytes);
	if (too_deep(bytes, size, limits->max_depth))
		return err_set(err, -E2BIG, "JSON nested too deep: at most %u levels", limits->max_depth);
	json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		return err_at(err, -EINVAL, "JSON", error.line > 0 ? (unsigned)error.line : 0,
			error.column > 0 ? (unsigned)error.column : 0, "%s", error.text);
	*ret_json = json;
	return 0;
}

struct jnode jnode_root(const json_t *json)
{
	return (struct jnode){.json = json};
}

bool jnode_find(const struct jnode *object, const char *name, struct jnode *ret_node)
{
	const json_t *json = json_object_get(object->json, name);

	if (!json || json_is_null(json))
		return false;
	if (ret_node)
		*ret_node = (struct jnode){.json = json, .parent = object, .name = name};
	return true;
}

int jnode_object(const struct jnode *object, const char *name, enum json_need need, struct jnode *ret_node,
	struct err *err)
{
	struct jnode node;
	int r = jnode_pick(object, name, need, &node, err);

	if (r < 0)
		return r;
	if (node.json && !json_is_object(node.json))
		return jnode_expected(&node, "an object", err);
	*ret_node = node;
	return 0;
}

int jnode_array(const struct jnode *object, const char *name, enum json_need need, size_t max_count,
	struct jnode *ret_node, struct err *err)
{
	struct jnode node;
	int r = jnode_pick(object, name, need, &node, err);

	if (r < 0)
		return r;
	if (node.json && !json_is_array(node.json))
		return jnode_expected(&node, "an array", err);
	if (jnode_count(&node) > max_count)
		return jnode_fail(&node, err, -EINVAL, "%zu items are too many: at most %zu",
			jnode_count(&node), max_count);
	*ret_node = node;
	return 0;
}

size_t jnode_count(const struct jnode *array)
{
	return json_array_size(array->json);
}

struct jnode jnode_item(const struct jnode *array, size_t index)
{
	return (struct jnode){.json = json_array_get(array->json, index), .parent = array, .index = index};
}

/* From the root down: nesting is bounded by the parser's limit. */
static void add_path(const struct jnode *node, struct text *path)
{
	if (!node->parent)
		return;
	add_path(node->parent, path);
	if (node->name)
		text_add(path, "%s%.64s", path->length > 0 ? "." : "", node->name);
	else
		text_add(path, "[%zu]", node->index);
}

char *jnode_path(const struct jnode *node, char *buffer, size_t size)
{
	struct text path = {0};

	add_path(node, &path);
	text_copy(buffer, size, path.length > 0 ? path.data : "(root)");
	text_clear(&path);
	return buffer;
}

int jnode_fail(const struct jnode *node, struct err *err, int code, const char *format, ...)
{
	char path[ERR_TEXT_MAX / 2], text[ERR_TEXT_MAX / 2];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return err_set(err, code, "%s: %s", jnode_path(node, path, sizeof path), text);
}

int jnode_pick(const struct jnode *object, const char *name, enum json_need need, struct jnode *ret_node,
	struct err *err)
{
	struct jnode node = {.parent = object, .name = name};

	if (!name) {
		*ret_node = *object;
		return 0;
	}
	if (!json_is_object(object->json))
		return jnode_expected(object, "an object", err);
	jnode_find(object, name, &node);
	if (!node.json && need == JSON_REQUIRED)
		return jnode_fail(&node, err, -EINVAL, "missing");
	*ret_node = node;
	return 0;
}

static const char *found(const json_t *json, char *buffer, size_t size)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		snprintf(buffer, size, "\"%.60s\"", json_string_value(json));
		return buffer;
	case JSON_INTEGER:
		snprintf(buffer, size, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
		return buffer;
	case JSON_REAL:
		snprintf(buffer, size, "%g", json_real_value(json));
		return buffer;
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	case JSON_NULL:
		return "null";
	}
	return "?";
}

int jnode_expected(const struct jnode *node, const char *what, struct err *err)
{
	char buffer[80];

	return jnode_fail(node, err, -EINVAL, "expected %s, found %s", what,
		node->json ? found(node->json, buffer, sizeof buffer) : "nothing");
}
