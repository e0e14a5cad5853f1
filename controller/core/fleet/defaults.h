/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_DEFAULTS_H
#define HOLDFAST_CONTROLLER_FLEET_DEFAULTS_H

#include "controller/core/fleet/reader.h"

/* Inside controller/core/fleet only: what `defaults:` says and an endpoint may say otherwise. */
enum {
	DEFAULT_LIVENESS_MS = 50,
	LIVENESS_MIN_MS = 10,
	LIVENESS_MAX_MS = 1000,
	DEFAULT_LEASE_MS = 3000,
	LEASE_MIN_MS = 1000, /* FAILOVER rule 9: the kernel's nftables lock is shared */
	LEASE_MAX_MS = 60000,
};

void read_defaults(struct reader *reader, const struct conf_node *node);
/* lease: and isolation: of `map`; absent ones leave *ret_* alone. */
void read_lease(struct reader *reader, const struct conf_node *map, uint32_t *ret_lease_ms);
void read_isolation(
	struct reader *reader, const struct conf_node *map, enum desired_isolation *ret_isolation);

#endif
