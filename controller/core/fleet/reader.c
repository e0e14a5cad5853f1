/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "controller/core/fleet/note.h"

static void take_down(struct reader *reader, struct err *err, enum diagnostic_kind kind)
{
	struct diagnostic diagnostic = {.kind = kind,
		.file = err->where,
		.source = reader->source,
		.line = err->line,
		.column = err->column,
		.text = err->text};

	diagnostics_add(reader->diagnostics, &diagnostic);
}

bool reader_ok(struct reader *reader, int r)
{
	if (r < 0)
		take_down(reader, &reader->err, DIAGNOSTIC_ERROR);
	return r >= 0;
}

bool reader_ok_in(struct reader *reader, const char *key, int r)
{
	return reader_ok(reader, r < 0 ? err_prefix(&reader->err, r, "%s", key) : 0);
}

static void note(
	struct reader *reader, const struct conf_node *node, enum diagnostic_kind kind, const char *text)
{
	struct err err = {0};

	(void)conf_fail(node, &err, -EINVAL, "%s", text);
	take_down(reader, &err, kind);
}

void reader_fail(struct reader *reader, const struct conf_node *node, const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	note(reader, node, DIAGNOSTIC_ERROR, text);
}

void reader_warn(struct reader *reader, enum diagnostic_kind kind, const struct conf_node *node,
	const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	note(reader, node, kind, text);
}

struct fleet_place reader_place(const struct reader *reader, const struct conf_node *node)
{
	return (struct fleet_place){.source = reader->source, .line = node->line, .column = node->column};
}

static bool is_one_of(const char *text, const char *const keys[])
{
	for (; *keys; keys++) {
		if (!strcmp(text, *keys))
			return true;
	}
	return false;
}

static void check_key(struct reader *reader, const struct conf_pair *pair, const struct fleet_keys *keys)
{
	if (is_one_of(pair->key->text, keys->later))
		reader_fail(reader, pair->key, "\"%s\" is not there yet in this version", pair->key->text);
	else
		(void)reader_ok(reader,
			conf_check_key(pair, keys->known, fleet_keys_count(keys->known), &reader->err));
}

bool reader_keys(struct reader *reader, const struct conf_node *map, enum fleet_mapping mapping)
{
	if (!reader_ok(reader, conf_expect_mapping(map, &reader->err)))
		return false;
	for (size_t i = 0; i < map->count; i++)
		check_key(reader, &map->pairs[i], &fleet_keys[mapping]);
	return true;
}

bool reader_require(struct reader *reader, const struct conf_node *map, const char *key)
{
	return reader_ok(reader, conf_require(map, key, NULL, &reader->err));
}

const struct conf_node *reader_list(
	struct reader *reader, const struct conf_node *map, const char *key, size_t max)
{
	const struct conf_node *list = conf_find(map, key);

	if (!list || conf_list_count(list) <= max)
		return list;
	reader_fail(reader, list, "%s: %zu are too many: at most %zu", key, conf_list_count(list), max);
	return NULL;
}

bool reader_keepalive(struct reader *reader, const struct conf_node *map, uint16_t *ret_seconds)
{
	const struct conf_node *node = conf_find(map, "persistent_keepalive");
	uint64_t seconds = 0;
	bool on = true;

	if (!node)
		return false;
	if ((conf_as_bool(node, &on, NULL) || on) &&
		!reader_ok_in(reader, "persistent_keepalive",
			conf_as_u64(node, 0, UINT16_MAX, &seconds, &reader->err)))
		return false;
	*ret_seconds = (uint16_t)seconds;
	return true;
}

static bool get_reference(struct reader *reader, const char *key, const struct conf_node *node,
	struct fleet_reference *ret_reference)
{
	const char *name;

	if (!reader_ok_in(reader, key, conf_as_name(node, PROTO_NAME_MAX, &name, &reader->err)))
		return false;
	(void)text_copy(ret_reference->name, sizeof(ret_reference->name), name);
	ret_reference->place = reader_place(reader, node);
	ret_reference->index = SIZE_MAX;
	return true;
}

bool reader_reference(struct reader *reader, const struct conf_node *map, const char *key,
	struct fleet_reference *ret_reference)
{
	return reader_require(reader, map, key) &&
	       get_reference(reader, key, conf_find(map, key), ret_reference);
}

static bool is_listed(const struct fleet_reference *references, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(references[i].name, name))
			return true;
	}
	return false;
}

size_t reader_references(struct reader *reader, const struct conf_node *map, const char *key, size_t max,
	struct fleet_reference *ret_references)
{
	const struct conf_node *list = reader_list(reader, map, key, max);
	size_t count = 0;

	for (size_t i = 0; i < conf_list_count(list); i++) {
		const struct conf_node *item = conf_list_item(list, i);

		if (!get_reference(reader, key, item, &ret_references[count]))
			continue;
		if (is_listed(ret_references, count, ret_references[count].name))
			reader_fail(reader, item, "%s: %s is there twice", key, item->text);
		else
			count++;
	}
	return count;
}

/* "- fd50::" is a key without a value to YAML. */
static bool is_split_ipv6(const struct conf_node *node)
{
	return node->kind == CONF_MAPPING && node->count == 1 && strchr(node->pairs[0].key->text, ':') &&
	       conf_is_null(node->pairs[0].value);
}

bool reader_addr(struct reader *reader, const char *key, const struct conf_node *node, struct addr *ret_addr)
{
	if (is_split_ipv6(node)) {
		reader_fail(reader, node, "%s: quote IPv6 that starts or ends with ':'", key);
		return false;
	}
	return reader_ok_in(reader, key, conf_as_addr(node, ret_addr, &reader->err));
}

bool reader_prefix(
	struct reader *reader, const char *key, const struct conf_node *node, struct prefix *ret_prefix)
{
	if (is_split_ipv6(node)) {
		reader_fail(reader, node, "%s: quote IPv6 that starts or ends with ':'", key);
		return false;
	}
	return reader_ok_in(reader, key, conf_as_prefix(node, ret_prefix, &reader->err));
}

/* What no host can have as an address of its own on a network; NULL if one can. */
static const char *unfit_addr(const struct addr *addr)
{
	static const struct addr any4 = {.family = AF_INET}, any6 = {.family = AF_INET6};
	static const struct addr loopback6 = {.family = AF_INET6, .bytes = {[15] = 1}};
	bool is4 = addr->family == AF_INET;

	if (addr_equal(addr, &any4) || addr_equal(addr, &any6))
		return "stands for any address";
	if (is4 ? addr->bytes[0] == 127 : addr_equal(addr, &loopback6))
		return "is a loopback address";
	if (is4 ? addr->bytes[0] >= 224 : addr->bytes[0] == 0xff)
		return "is no address of one host";
	if (addr_is_link_local(addr))
		return "is link-local, and does not say on which link";
	return NULL;
}

static bool is_new_addr(const struct addr *addrs, size_t count, const struct addr *addr)
{
	for (size_t i = 0; i < count; i++) {
		if (addr_equal(&addrs[i], addr))
			return false;
	}
	return true;
}

size_t reader_addrs(struct reader *reader, const struct conf_node *map, const char *key,
	struct addr *ret_addrs, struct fleet_place *places)
{
	const struct conf_node *list = reader_list(reader, map, key, PROTO_ADDRESSES_MAX);
	size_t count = 0;

	for (size_t i = 0; i < conf_list_count(list); i++) {
		const struct conf_node *item = conf_list_item(list, i);
		const char *unfit;
		struct addr addr;

		if (!reader_addr(reader, key, item, &addr))
			continue;
		unfit = unfit_addr(&addr);
		if (unfit)
			reader_fail(reader, item, "%s: %s %s", key, item->text, unfit);
		else if (!is_new_addr(ret_addrs, count, &addr))
			reader_fail(reader, item, "%s: %s is there twice", key, item->text);
		else {
			if (places)
				places[count] = reader_place(reader, item);
			ret_addrs[count++] = addr;
		}
	}
	return count;
}
