/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/expected.h"

/* A string without NUL inside. *ret_text is NULL if an optional member is absent; it lives as long as the tree. */
static int pick_string(const struct jnode *object, const char *name, enum json_need need, const char *what,
	struct jnode *ret_node, const char **ret_text, struct err *err)
{
	int r = jnode_pick(object, name, need, ret_node, err);

	if (r < 0)
		return r;
	*ret_text = NULL;
	if (!ret_node->json)
		return 0;
	if (!json_is_string(ret_node->json))
		return jnode_expected(ret_node, what, err);
	*ret_text = json_string_value(ret_node->json);
	if (strlen(*ret_text) != json_string_length(ret_node->json))
		return jnode_fail(ret_node, err, -EINVAL, "text with a NUL inside");
	return 0;
}

int jnode_text(const struct jnode *object, const char *name, enum json_need need, char *buffer, size_t size,
	struct err *err)
{
	struct jnode node;
	const char *text;
	int r = pick_string(object, name, need, "text", &node, &text, err);

	if (r < 0 || !text)
		return r;
	if (strlen(text) >= size)
		return jnode_fail(&node, err, -EINVAL, "too long: at most %zu bytes", size - 1);
	text_copy(buffer, size, text);
	return 0;
}

int jnode_text_new(const struct jnode *object, const char *name, enum json_need need, size_t max_length,
	char **ret_text, struct err *err)
{
	struct jnode node;
	const char *text;
	int r = pick_string(object, name, need, "text", &node, &text, err);

	if (r < 0 || !text)
		return r;
	if (strlen(text) > max_length)
		return jnode_fail(&node, err, -EINVAL, "too long: at most %zu bytes", max_length);
	*ret_text = mem_text(text);
	return 0;
}

int jnode_name(const struct jnode *object, const char *name, enum json_need need, char *buffer, size_t size,
	struct err *err)
{
	struct jnode node;
	const char *text;
	int r = pick_string(object, name, need, "a name", &node, &text, err);

	if (r < 0 || !text)
		return r;
	if (!text_is_name(text, size - 1))
		return jnode_expected(&node, "a name", err);
	text_copy(buffer, size, text);
	return 0;
}

int jnode_bool(
	const struct jnode *object, const char *name, enum json_need need, bool *ret_value, struct err *err)
{
	struct jnode node;
	int r = jnode_pick(object, name, need, &node, err);

	if (r < 0 || !node.json)
		return r;
	if (!json_is_boolean(node.json))
		return jnode_expected(&node, "true or false", err);
	*ret_value = json_is_true(node.json);
	return 0;
}

int jnode_u64(const struct jnode *object, const char *name, enum json_need need, uint64_t min, uint64_t max,
	uint64_t *ret_value, struct err *err)
{
	struct jnode node;
	char what[80];
	json_int_t value;
	int r = jnode_pick(object, name, need, &node, err);

	if (r < 0 || !node.json)
		return r;
	value = json_integer_value(node.json);
	if (!json_is_integer(node.json) || value < 0 || (uint64_t)value < min || (uint64_t)value > max) {
		snprintf(what, sizeof what, "a number from %" PRIu64 " to %" PRIu64, min, max);
		return jnode_expected(&node, what, err);
	}
	*ret_value = (uint64_t)value;
	return 0;
}

int jnode_i64(const struct jnode *object, const char *name, enum json_need need, int64_t min, int64_t max,
	int64_t *ret_value, struct err *err)
{
	struct jnode node;
	char what[80];
	json_int_t value;
	int r = jnode_pick(object, name, need, &node, err);

	if (r < 0 || !node.json)
		return r;
	value = json_integer_value(node.json);
	if (!json_is_integer(node.json) || value < min || value > max) {
		snprintf(what, sizeof what, "a number from %" PRId64 " to %" PRId64, min, max);
		return jnode_expected(&node, what, err);
	}
	*ret_value = value;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int jnode_hex(const struct jnode *object, const char *name, enum json_need need, void *ret_bytes, size_t size,
	struct err *err)
{
	struct jnode node;
	const char *text;
	char what[64];
	bool good;
	int r;

	snprintf(what, sizeof what, "%zu lower-case hex digits", 2 * size);
	r = pick_string(object, name, need, what, &node, &text, err);
	if (r < 0 || !text)
		return r;
	good = strlen(text) == 2 * size;
	for (size_t i = 0; good && i < 2 * size; i++)
		good = hex_digit(text[i]) >= 0;
	if (!good)
		return jnode_expected(&node, what, err);
	for (size_t i = 0; i < size; i++)
		((uint8_t *)ret_bytes)[i] =
			(uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return 0;
}

int jnode_hex64(const struct jnode *object, const char *name, enum json_need need, uint64_t *ret_value,
	struct err *err)
{
	uint8_t bytes[8];
	struct jnode node;
	uint64_t value = 0;
	int r = jnode_pick(object, name, need, &node, err);

	if (r < 0 || !node.json)
		return r;
	r = jnode_hex(&node, NULL, JSON_REQUIRED, bytes, sizeof bytes, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof bytes; i++)
		value = value << 8 | bytes[i];
	*ret_value = value;
	return 0;
}

/* A base parser's complaint, with the path in front. */
static int fail_with(const struct jnode *node, const struct err *cause, struct err *err)
{
	return jnode_fail(node, err, -EINVAL, "%s", cause->text);
}

int jnode_addr(const struct jnode *object, const char *name, enum json_need need, struct addr *ret_addr,
	struct err *err)
{
	struct jnode node;
	struct err cause;
	const char *text;
	int r = pick_string(object, name, need, "an IP address", &node, &text, err);

	if (r < 0 || !text)
		return r;
	return addr_parse(text, ret_addr, &cause) < 0 ? fail_with(&node, &cause, err) : 0;
}

int jnode_prefix(const struct jnode *object, const char *name, enum json_need need, struct prefix *ret_prefix,
	struct err *err)
{
	struct jnode node;
	struct err cause;
	const char *text;
	int r = pick_string(object, name, need, "a prefix", &node, &text, err);

	if (r < 0 || !text)
		return r;
	return prefix_parse(text, ret_prefix, &cause) < 0 ? fail_with(&node, &cause, err) : 0;
}

int jnode_endpoint(const struct jnode *object, const char *name, enum json_need need,
	struct endpoint *ret_endpoint, struct err *err)
{
	struct jnode node;
	struct err cause;
	const char *text;
	int r = pick_string(object, name, need, "ADDRESS:PORT", &node, &text, err);

	if (r < 0 || !text)
		return r;
	return endpoint_parse(text, ret_endpoint, &cause) < 0 ? fail_with(&node, &cause, err) : 0;
}

int jnode_key(const struct jnode *object, const char *name, enum json_need need, struct key *ret_key,
	struct err *err)
{
	struct jnode node;
	struct err cause;
	int r = jnode_pick(object, name, need, &node, err);

	if (r < 0 || !node.json)
		return r;
	if (!json_is_string(node.json) ||
		strlen(json_string_value(node.json)) != json_string_length(node.json))
		return jnode_fail(&node, err, -EINVAL,
			"expected a WireGuard key"); /* and what was found stays unsaid */
	r = key_parse(json_string_value(node.json), ret_key, &cause);
	return r < 0 ? fail_with(&node, &cause, err) : 0;
}

int jnode_word(const struct jnode *object, const char *name, enum json_need need, const char *const words[],
	size_t count, unsigned *ret_index, struct err *err)
{
	struct text list = {0};
	struct jnode node;
	const char *text;
	int r = pick_string(object, name, need, "a word", &node, &text, err);

	if (r < 0 || !text)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_index = (unsigned)i;
			return 0;
		}
	}
	for (size_t i = 0; i < count; i++)
		text_add(&list, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", words[i]);
	r = jnode_expected(&node, list.data ? list.data : "nothing", err);
	text_clear(&list);
	return r;
}
