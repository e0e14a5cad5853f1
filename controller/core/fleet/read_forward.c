/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/mem.h"
#include "controller/core/fleet/reader.h"

static bool read_translation(struct reader *reader, const struct conf_node *map, struct fleet_snat *to)
{
	if (!reader_keys(reader, map, KEYS_TRANSLATION) || !reader_require(reader, map, "from") ||
		!reader_prefix(reader, "from", conf_find(map, "from"), &to->from))
		return false;
	to->from = prefix_mask(&to->from);
	return reader_reference(reader, map, "interface", &to->role);
}

static size_t read_translations(struct reader *reader, const struct conf_node *forward, const char *key,
	struct fleet_snat to[PROTO_ADDRESSES_MAX])
{
	const struct conf_node *list = reader_list(reader, forward, key, PROTO_ADDRESSES_MAX);
	size_t count = 0;

	for (size_t i = 0; i < conf_list_count(list); i++)
		count += read_translation(reader, conf_list_item(list, i), &to[count]);
	return count;
}

/* An override's replaces the tunnel's as a whole. */
void read_forward(struct reader *reader, const struct conf_node *map, struct fleet_forward *forward)
{
	static const char *const policies[] = {"accept", "drop"};
	const struct conf_node *node = conf_find(map, "forward");
	unsigned policy = 0;

	if (!node || !reader_keys(reader, node, KEYS_FORWARD))
		return;
	*forward = (struct fleet_forward){.place = reader_place(reader, node)};
	(void)reader_ok(reader,
		conf_get_word(node, "default", policies, ARRAY_COUNT(policies), &policy, &reader->err));
	forward->policy = policy ? FORWARD_DROP : FORWARD_ACCEPT;
	forward->snat_count = read_translations(reader, node, "snat", forward->snat);
	forward->masquerade_count = read_translations(reader, node, "masquerade", forward->masquerade);
	(void)reader_ok(reader, conf_get_bool(node, "clamp_mss", &forward->clamp_mss, &reader->err));
}
