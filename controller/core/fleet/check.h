/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_CHECK_H
#define HOLDFAST_CONTROLLER_FLEET_CHECK_H

#include "controller/core/fleet/diagnostics.h"
#include "controller/core/fleet/fleet.h"

/*
 * Inside controller/core/fleet only: what must hold between the parts of a fleet, once all files are read. References are
 * resolved first; the other checks leave alone what could not be resolved (index SIZE_MAX), so that one mistake is told once.
 */
struct checker {
	struct fleet *fleet;
	bool stored; /* it was right once: check_refuse() warns */
	struct diagnostics *diagnostics;
};

/* All of it; fills in indices, peers' tunnels and fwmarks. */
void check_fleet(struct fleet *fleet, bool stored, struct diagnostics *diagnostics);

/* It could be compiled, and gateways would take that; but nobody can mean it. What a version checks that the one before did
 * not is this, wherever it can be: a fleet that is in force stays so. */
void check_refuse(const struct checker *checker, const struct fleet_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* It cannot be compiled (a name stands for nothing), or no gateway would take that (it is there twice, or too much). */
void check_fail(const struct checker *checker, const struct fleet_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void check_warn(const struct checker *checker, enum diagnostic_kind kind, const struct fleet_place *place,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

enum { PLACE_TEXT_MAX = 600 };
/* "fleet.yaml:3:5". Returns buffer. */
char *check_place(
	const struct checker *checker, const struct fleet_place *place, char buffer[PLACE_TEXT_MAX]);

/* `whose` ("virtual endpoint vpn") needs the role on this gateway, by index. */
void check_role(
	const struct checker *checker, const char *whose, size_t gateway, const struct fleet_reference *role);

/* The parts. */
void check_references(struct checker *checker);
void check_tunnels(struct checker *checker); /* who carries them, and that they do not meet on a gateway */
void check_addresses(struct checker *checker);
void check_endpoints(struct checker *checker); /* roles, routes, what one gateway can own */
void check_forwards(struct checker *checker);
void check_peers(struct checker *checker);
void check_probes(struct checker *checker);   /* that each goes to the peer that it judges */
void check_networks(struct checker *checker); /* warns of peers outside the networks of their tunnels */
void check_default_routes(
	const struct checker *checker);       /* that a gateway has one tunnel that takes everything */
void check_overlaps(struct checker *checker); /* peers that have a prefix in common; says which are shared */

#endif
