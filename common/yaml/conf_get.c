/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/yaml/conf.h"

/* The complaint about a value starts with the name of its key. */
static int named(const char *key, int r, struct err *err)
{
	return r < 0 ? err_prefix(err, r, "%s", key) : 0;
}

int conf_get_text(const struct conf_node *map, const char *key, size_t max_length, const char **ret_text,
	struct err *err)
{
	const struct conf_node *node = conf_find(map, key);

	return node ? named(key, conf_as_text(node, max_length, ret_text, err), err) : 0;
}

int conf_get_name(const struct conf_node *map, const char *key, size_t max_length, const char **ret_name,
	struct err *err)
{
	const struct conf_node *node = conf_find(map, key);

	return node ? named(key, conf_as_name(node, max_length, ret_name, err), err) : 0;
}

int conf_get_bool(const struct conf_node *map, const char *key, bool *ret_value, struct err *err)
{
	const struct conf_node *node = conf_find(map, key);

	return node ? named(key, conf_as_bool(node, ret_value, err), err) : 0;
}

int conf_get_u64(const struct conf_node *map, const char *key, uint64_t min, uint64_t max,
	uint64_t *ret_value, struct err *err)
{
	const struct conf_node *node = conf_find(map, key);

	return node ? named(key, conf_as_u64(node, min, max, ret_value, err), err) : 0;
}

int conf_get_hex_u64(const struct conf_node *map, const char *key, uint64_t min, uint64_t max,
	uint64_t *ret_value, struct err *err)
{
	const struct conf_node *node = conf_find(map, key);

	return node ? named(key, conf_as_hex_u64(node, min, max, ret_value, err), err) : 0;
}

int conf_get_duration(const struct conf_node *map, const char *key, int64_t min_ms, int64_t max_ms,
	int64_t *ret_ms, struct err *err)
{
	const struct conf_node *node = conf_find(map, key);

	return node ? named(key, conf_as_duration(node, min_ms, max_ms, ret_ms, err), err) : 0;
}

int conf_get_addr(const struct conf_node *map, const char *key, struct addr *ret_addr, struct err *err)
{
	const struct conf_node *node = conf_find(map, key);

	return node ? named(key, conf_as_addr(node, ret_addr, err), err) : 0;
}

int conf_get_prefix(const struct conf_node *map, const char *key, struct prefix *ret_prefix, struct err *err)
{
	const struct conf_node *node = conf_find(map, key);

	return node ? named(key, conf_as_prefix(node, ret_prefix, err), err) : 0;
}

int conf_get_endpoint(
	const struct conf_node *map, const char *key, struct endpoint *ret_endpoint, struct err *err)
{
	const struct conf_node *node = conf_find(map, key);

	return node ? named(key, conf_as_endpoint(node, ret_endpoint, err), err) : 0;
}

int conf_get_key(const struct conf_node *map, const char *key, struct key *ret_key, struct err *err)
{
	const struct conf_node *node = conf_find(map, key);

	return node ? named(key, conf_as_key(node, ret_key, err), err) : 0;
}

int conf_get_word(const struct conf_node *map, const char *key, const char *const words[], size_t count,
	unsigned *ret_index, struct err *err)
{
	const struct conf_node *node = conf_find(map, key);

	return node ? named(key, conf_as_word(node, words, count, ret_index, err), err) : 0;
}
