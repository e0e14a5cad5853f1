/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_ACCESS_REACH_H
#define HOLDFAST_CONTROLLER_FLEET_ACCESS_REACH_H

#include <stdbool.h>

#include "proto/desired.h"

/* What groups let peers of a gateway reach, in one generation and in another. Begin with {0}. */
struct access_reach {
	const struct desired *from, *to;
	bool keeps
		[PROTO_GROUPS_MAX]; /* by group of from: the group of that name in `to` reaches all that it did */
};

/* What is compared from now on; borrowed. Cheap when it is the same as before. */
void access_reach_between(struct access_reach *reach, const struct desired *from, const struct desired *to);

/* May the peer, in `to`, not reach something that it could in `from`? A prefix that only two others together cover counts. */
bool access_reach_narrows(
	const struct access_reach *reach, const struct desired_peer *from, const struct desired_peer *to);

#endif
