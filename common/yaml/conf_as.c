/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/duration.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/yaml/conf.h"

enum { FOUND_MAX = 80 };

/* What stands there, for "expected ..., found ...". */
static const char *found(const struct conf_node *node, char buffer[FOUND_MAX])
{
	if (conf_is_null(node))
		return "nothing";
	if (node->kind == CONF_SEQUENCE)
		return "a list";
	if (node->kind == CONF_MAPPING)
		return "a mapping";
	snprintf(buffer, FOUND_MAX, "\"%.60s\"", node->text);
	return buffer;
}

static int expected(const struct conf_node *node, const char *what, struct err *err)
{
	char buffer[FOUND_MAX];

	return conf_fail(node, err, -EINVAL, "expected %s, found %s", what, found(node, buffer));
}

int conf_expect_mapping(const struct conf_node *node, struct err *err)
{
	return conf_is_null(node) || node->kind == CONF_MAPPING
		       ? 0
		       : expected(node, "a mapping (key: value)", err);
}

int conf_expect_sequence(const struct conf_node *node, struct err *err)
{
	return node->kind == CONF_SEQUENCE ? 0 : expected(node, "a list", err);
}

int conf_expect_scalar(const struct conf_node *node, struct err *err)
{
	return node->kind == CONF_SCALAR && !conf_is_null(node) ? 0 : expected(node, "one value", err);
}

static bool is_value(const struct conf_node *node)
{
	return node->kind == CONF_SCALAR && !conf_is_null(node);
}

int conf_as_text(const struct conf_node *node, size_t max_length, const char **ret_text, struct err *err)
{
	if (!is_value(node))
		return expected(node, "text", err);
	if (node->text[0] == '\0')
		return conf_fail(node, err, -EINVAL, "must not be empty");
	if (strlen(node->text) > max_length)
		return conf_fail(node, err, -EINVAL, "too long: at most %zu bytes", max_length);
	*ret_text = node->text;
	return 0;
}

int conf_as_name(const struct conf_node *node, size_t max_length, const char **ret_name, struct err *err)
{
	char what[128];

	snprintf(what, sizeof what,
		"a name of at most %zu letters, digits, '_', '.' or '-', a letter or digit first",
		max_length);
	if (!is_value(node) || !text_is_name(node->text, max_length))
		return expected(node, what, err);
	*ret_name = node->text;
	return 0;
}

int conf_as_bool(const struct conf_node *node, bool *ret_value, struct err *err)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};

	for (size_t i = 0; is_value(node) && i < ARRAY_COUNT(words); i++) {
		if (strcasecmp(node->text, words[i]) == 0) {
			*ret_value = i % 2 == 1;
			return 0;
		}
	}
	return expected(node, "true or false", err);
}

static int expected_number(const struct conf_node *node, uint64_t min, uint64_t max, struct err *err)
{
	char what[80];

	snprintf(what, sizeof what, "a number from %" PRIu64 " to %" PRIu64, min, max);
	return expected(node, what, err);
}

int conf_as_u64(
	const struct conf_node *node, uint64_t min, uint64_t max, uint64_t *ret_value, struct err *err)
{
	if (!is_value(node) || text_to_u64(node->text, min, max, ret_value) < 0)
		return expected_number(node, min, max, err);
	return 0;
}

/* 0x and 1 to 16 hex digits; strtoull alone would take signs and spaces. */
static int parse_hex(const char *text, uint64_t *ret_value)
{
	size_t digits;

	if (strncasecmp(text, "0x", 2) != 0)
		return -EINVAL;
	digits = strspn(text + 2, "0123456789abcdefABCDEF");
	if (digits == 0 || digits > 16 || text[2 + digits] != '\0')
		return -EINVAL;
	*ret_value = strtoull(text + 2, NULL, 16);
	return 0;
}

int conf_as_hex_u64(
	const struct conf_node *node, uint64_t min, uint64_t max, uint64_t *ret_value, struct err *err)
{
	uint64_t value;

	if (!is_value(node) || parse_hex(node->text, &value) < 0)
		return conf_as_u64(node, min, max, ret_value, err);
	if (value < min || value > max)
		return expected_number(node, min, max, err);
	*ret_value = value;
	return 0;
}

/* The parser's own complaint, at the node's place. */
static int fail_with(const struct conf_node *node, const struct err *cause, struct err *err)
{
	return conf_fail(node, err, -EINVAL, "%s", cause->text);
}

int conf_as_duration(
	const struct conf_node *node, int64_t min_ms, int64_t max_ms, int64_t *ret_ms, struct err *err)
{
	char low[32], high[32];
	struct err cause;
	int64_t ms;

	if (!is_value(node))
		return expected(node, "a duration such as 50ms or 3s", err);
	if (duration_parse(node->text, &ms, &cause) < 0)
		return fail_with(node, &cause, err);
	if (ms < min_ms || ms > max_ms)
		return conf_fail(node, err, -EINVAL, "expected a duration from %s to %s, found \"%.60s\"",
			duration_format(min_ms, low, sizeof low), duration_format(max_ms, high, sizeof high),
			node->text);
	*ret_ms = ms;
	return 0;
}

int conf_as_addr(const struct conf_node *node, struct addr *ret_addr, struct err *err)
{
	struct err cause;

	if (!is_value(node))
		return expected(node, "an IP address", err);
	return addr_parse(node->text, ret_addr, &cause) < 0 ? fail_with(node, &cause, err) : 0;
}

int conf_as_prefix(const struct conf_node *node, struct prefix *ret_prefix, struct err *err)
{
	struct err cause;

	if (!is_value(node))
		return expected(node, "an address or prefix", err);
	return prefix_parse(node->text, ret_prefix, &cause) < 0 ? fail_with(node, &cause, err) : 0;
}

int conf_as_endpoint(const struct conf_node *node, struct endpoint *ret_endpoint, struct err *err)
{
	struct err cause;

	if (!is_value(node))
		return expected(node, "ADDRESS:PORT", err);
	return endpoint_parse(node->text, ret_endpoint, &cause) < 0 ? fail_with(node, &cause, err) : 0;
}

int conf_as_key(const struct conf_node *node, struct key *ret_key, struct err *err)
{
	struct err cause;

	/* What was found is not shown: it may be a private key in the wrong place. */
	if (!is_value(node))
		return conf_fail(node, err, -EINVAL, "expected a WireGuard key");
	return key_parse(node->text, ret_key, &cause) < 0 ? fail_with(node, &cause, err) : 0;
}

static int expected_word(
	const struct conf_node *node, const char *const words[], size_t count, struct err *err)
{
	const char *nearest = is_value(node) ? text_nearest(node->text, words, count) : NULL;
	char buffer[FOUND_MAX];
	struct text list = {0};

	for (size_t i = 0; i < count; i++)
		text_add(&list, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", words[i]);
	conf_fail(node, err, -EINVAL, "expected %s, found %s%s%s%s", list.data, found(node, buffer),
		nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
	text_clear(&list);
	return -EINVAL;
}

int conf_as_word(const struct conf_node *node, const char *const words[], size_t count, unsigned *ret_index,
	struct err *err)
{
	for (size_t i = 0; is_value(node) && i < count; i++) {
		if (strcmp(node->text, words[i]) == 0) {
			*ret_index = (unsigned)i;
			return 0;
		}
	}
	return expected_word(node, words, count, err);
}
