/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FIREWALL_RANGE_H
#define HOLDFAST_FIREWALL_RANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/addr.h"

/*
 * Prefixes that lie in each other, taken apart: each address belongs to the innermost. Of equal prefixes each is told.
 */
struct range_claim {
	struct prefix prefix; /* masked */
	const void *whose;
};

/* Sorts the claims, which are of one family, and tells the ranges in rising order. */
void range_flatten(struct range_claim *claims, size_t count,
	void (*tell)(const struct addr *first, const struct addr *last, const void *whose, void *context),
	void *context);

struct addr range_last(const struct prefix *prefix); /* of a masked one */
/* The next address. False: that was the last of its family. */
bool range_next(struct addr *addr);
struct addr range_before(const struct addr *addr); /* of any but the first of its family */

#endif
