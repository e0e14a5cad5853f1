/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_COMPILE_H
#define HOLDFAST_CONTROLLER_FLEET_COMPILE_H

#include "controller/core/fleet/fleet.h"
#include "proto/desired.h"

/* What a desired state holds beside what the fleet file says. */
struct fleet_issue {
	uint64_t generation;
	uint64_t store;         /* id of the controller's store */
	struct key grant_key;   /* of that store: goes to whoever has an endpoint with `isolation: fence` */
	const char *controller; /* its name: the first partner of every gateway. NULL: none */
	/* The key of the pair {a, b}, the same in either order. NULL: pair keys stay zero (plans, tests). */
	void (*pair_key)(void *context, const char *a, const char *b, struct key *ret_key);
	void *context;
};

/*
 * What gateway number `gateway` shall be. Deterministic: the same fleet and issue give equal states. Peers come sorted.
 * Partners: the controller, then every other member of its endpoints' pools in the order of the file, each once.
 * The caller frees it with desired_free().
 */
struct desired *fleet_compile(const struct fleet *fleet, size_t gateway, const struct fleet_issue *issue);

#endif
