/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_READ_H
#define HOLDFAST_CONTROLLER_FLEET_READ_H

#include <stddef.h>

#include "controller/core/fleet/diagnostics.h"
#include "controller/core/fleet/fleet.h"

/* One file of a fleet, already in memory: common/fleet_files loads them from disk. */
struct fleet_source {
	const char *name; /* as errors shall show it */
	const char *text;
	size_t size;
};

enum { FLEET_SOURCES_MAX = 10000 };

/*
 * Read a fleet: sources[0] is the fleet file, the others are what its `include:` named, in order (they may hold gateways,
 * virtual_endpoints, tunnels and peers). Everything that can be told without looking at a gateway is checked; all mistakes
 * are reported in one go. Files and lines in the diagnostics are the sources'. Never shows a key.
 *
 * 0: *ret_fleet is the caller's (fleet_free()); there may be warnings. -EINVAL: there is at least one error. Clear the
 * diagnostics (zeroed before the call) either way. 100,000 peers take about a second.
 */
int fleet_read(const struct fleet_source *sources, size_t count, struct fleet **ret_fleet,
	struct diagnostics *ret_diagnostics);
/* One that was right when it was applied, by an earlier version perhaps: what a check alone refuses is a warning
 * (WARNING_STORED). -EINVAL: it cannot be read, or not be compiled. */
int fleet_read_stored(const struct fleet_source *sources, size_t count, struct fleet **ret_fleet,
	struct diagnostics *ret_diagnostics);

#endif
