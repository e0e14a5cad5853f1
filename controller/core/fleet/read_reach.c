/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "controller/core/fleet/reader.h"

static bool is_any(const struct conf_node *node)
{
	return node->kind == CONF_SCALAR && !strcmp(node->text, "any");
}

static bool is_new_prefix(const struct prefix *prefixes, size_t count, const struct prefix *prefix)
{
	for (size_t i = 0; i < count; i++) {
		if (prefix_equal(&prefixes[i], prefix))
			return false;
	}
	return true;
}

static void add_reach(struct reader *reader, const char *key, const struct conf_node *item,
	struct prefix *prefixes, size_t *count)
{
	static const struct prefix any[] = {{.addr = {.family = AF_INET}}, {.addr = {.family = AF_INET6}}};
	struct prefix prefix, masked;
	char text[PREFIX_TEXT_MAX];

	if (is_any(item)) {
		for (size_t i = 0; i < ARRAY_COUNT(any); i++) {
			if (is_new_prefix(prefixes, *count, &any[i]))
				prefixes[(*count)++] = any[i];
		}
		return;
	}
	if (!reader_prefix(reader, key, item, &prefix))
		return;
	masked = prefix_mask(&prefix);
	if (!prefix_equal(&masked, &prefix))
		reader_warn(reader, WARNING_HOST_BITS, item, "%s: %s means all of %s", key, item->text,
			prefix_format(&masked, text, sizeof(text)));
	if (is_new_prefix(prefixes, *count, &masked))
		prefixes[(*count)++] = masked;
	else
		reader_fail(reader, item, "%s: %s is there twice", key, item->text);
}

size_t reader_reach(struct reader *reader, const struct conf_node *map, const char *key, size_t max,
	struct prefix **ret_prefixes)
{
	const struct conf_node *list = reader_list(reader, map, key, max);
	size_t count = 0;

	*ret_prefixes = NULL;
	if (!conf_list_count(list))
		return 0;
	*ret_prefixes = mem_new(2 * conf_list_count(list), sizeof(**ret_prefixes));
	for (size_t i = 0; i < conf_list_count(list); i++)
		add_reach(reader, key, conf_list_item(list, i), *ret_prefixes, &count);
	return count;
}
