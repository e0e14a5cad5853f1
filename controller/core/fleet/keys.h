/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_KEYS_H
#define HOLDFAST_CONTROLLER_FLEET_KEYS_H

#include <stddef.h>

/*
 * The keys of a fleet file: one table that the reader refuses unknown ones by, and that deploy/fleet.schema.json is tested
 * against. Mappings whose keys are names (gateways, peers, ...) are not in it: any name will do there.
 */
enum fleet_mapping {
	KEYS_ROOT,
	KEYS_DEFAULTS,
	KEYS_GATEWAY,
	KEYS_ENDPOINT,
	KEYS_DIAL,
	KEYS_INSIDE,
	KEYS_ROUTE,
	KEYS_CHECK,
	KEYS_NOTIFY,
	KEYS_TUNNEL,
	KEYS_OVERRIDE,
	KEYS_ADDRESS,
	KEYS_FORWARD,
	KEYS_TRANSLATION,
	KEYS_CLIENT,
	KEYS_GROUP,
	KEYS_PEER,
	KEYS_ALLOWED_IP,
	FLEET_MAPPINGS
};

enum { FLEET_KEYS_MAX = 24 }; /* of one mapping */

struct fleet_keys {
	const char *where; /* "virtual_endpoints.*.dial": the way from the root, * for any name or item */
	const char *known[FLEET_KEYS_MAX + 1]; /* ends with NULL, as does */
	const char *later[FLEET_KEYS_MAX + 1]; /* known, and not there yet in this version */
};

extern const struct fleet_keys fleet_keys[FLEET_MAPPINGS];

size_t fleet_keys_count(const char *const keys[]); /* up to the NULL */

#endif
