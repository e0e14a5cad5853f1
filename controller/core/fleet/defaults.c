/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/defaults.h"

#include "common/base/mem.h"

void read_lease(struct reader *reader, const struct conf_node *map, uint32_t *ret_lease_ms)
{
	int64_t lease_ms = *ret_lease_ms;

	if (reader_ok(reader,
		    conf_get_duration(map, "lease", LEASE_MIN_MS, LEASE_MAX_MS, &lease_ms, &reader->err)))
		*ret_lease_ms = (uint32_t)lease_ms;
}

void read_isolation(struct reader *reader, const struct conf_node *map, enum desired_isolation *ret_isolation)
{
	static const char *const words[] = {[ISOLATION_HOLD] = "hold", [ISOLATION_FENCE] = "fence"};
	unsigned isolation = *ret_isolation;

	if (reader_ok(reader,
		    conf_get_word(map, "isolation", words, ARRAY_COUNT(words), &isolation, &reader->err)))
		*ret_isolation = (enum desired_isolation)isolation;
}

void read_defaults(struct reader *reader, const struct conf_node *node)
{
	int64_t liveness_ms = DEFAULT_LIVENESS_MS;

	if (!reader_keys(reader, node, KEYS_DEFAULTS))
		return;
	if (reader_ok(reader, conf_get_duration(node, "liveness", LIVENESS_MIN_MS, LIVENESS_MAX_MS,
				      &liveness_ms, &reader->err)))
		reader->fleet->liveness_ms = (uint32_t)liveness_ms;
	read_lease(reader, node, &reader->fleet->lease_ms);
	read_isolation(reader, node, &reader->fleet->isolation);
}
