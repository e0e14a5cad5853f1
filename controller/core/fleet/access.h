/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_ACCESS_H
#define HOLDFAST_CONTROLLER_FLEET_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/desired.h"

/*
 * Whom one generation lets in that another does not: what a revocation, a rollback and a plan have to know. Peers are
 * told apart by tunnel and public key, as WireGuard does; a tunnel's peers are the same on each of its gateways, so
 * each is met once, however many gateways there are.
 *
 * A peer is narrowed when an address that was its own no longer is, or when a pre-shared key is wanted that was not
 * wanted before; widened the other way round, and when it ends later or is in groups that let it reach more; it can be both. That another peer's narrower prefix takes a part of its
 * addresses does not count: that is said of the other.
 */
enum access_change {
	ACCESS_ADMITTED = 1, /* only in the second */
	ACCESS_REMOVED = 2,  /* only in the first */
	ACCESS_NARROWED = 4,
	ACCESS_WIDENED = 8,
	ACCESS_CHANGED = 16, /* anything that desired_peer_equal() sees, and neither of the first two */
};

/* What all gateways of one generation shall be. count 0: no fleet. */
struct access_side {
	const struct desired *const *gateways;
	size_t count;
	int64_t now_s; /* peers that are expired by then are none; 0: all are peers */
};

/* changes: of enum access_change, never 0. Only the side that has the peer is not NULL. */
typedef void access_found(
	const struct desired_peer *from, const struct desired_peer *to, unsigned changes, void *context);

/* Each peer that differs, or whose groups let it reach more, once; tunnels in the order of `from`, then new ones. A merge: linear in the peers. */
void access_compare(
	const struct access_side *from, const struct access_side *to, access_found *found, void *context);

/*
 * Does going from one to the other remove or narrow any peer (docs/failure-model.md: the revocation floor)? Narrowed is here
 * also who may reach less through its groups, and whose time ends earlier: neither costs a session, but a gateway that has
 * not heard of it still lets through what it must not.
 */
bool access_narrows(const struct access_side *from, const struct access_side *to);

#endif
