/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_GENERATION_H
#define HOLDFAST_CONTROLLER_IO_GENERATION_H

#include <stdint.h>

#include "common/fleet_files/places.h"
#include "common/io/mac.h"
#include "controller/io/decisions/decisions.h"
#include "controller/io/fleet/bundle.h"
#include "controller/io/fleet/lines.h"
#include "controller/io/store/store.h"
#include "proto/desired.h"

/* One generation of the fleet, ready to be handed out: what each gateway shall be, and who may own what. */
struct generation_gateway {
	char name[PROTO_NAME_MAX + 1];
	struct desired *desired;   /* owned; has pair keys */
	char hash[SHA256_HEX_MAX]; /* SHA-256 of desired_encode(), as an agent reports it */
	size_t bytes;              /* of that text */
	struct key pair_key;       /* of this gateway and the controller; secret */
};

struct generation {
	uint64_t number;
	uint64_t floor; /* of revocation, once this one is in force (io/floor.h) */
	char fleet[PROTO_NAME_MAX + 1];
	char hash[SHA256_HEX_MAX]; /* of all gateways' together, whatever the number */
	char who[STORE_WHO_MAX + 1];
	char what[STORE_WHAT_MAX + 1]; /* for the history: "" or "rollback to 3" */
	uint64_t rollback_to;          /* 3; 0: an apply */
	struct store_counts counts;    /* against the one before it */
	int64_t wall_ms;
	char *bundle; /* JSON; owned */
	uint32_t liveness_ms;
	size_t gateway_count;
	struct generation_gateway *gateways; /* owned */
	size_t endpoint_count;
	struct decisions_endpoint *endpoints; /* owned */
	struct lines doubts;                  /* owned: what it would be refused for now (maker.stored) */
};

/* Who hands it out: what goes into every gateway's state beside the fleet. */
struct generation_maker {
	const char *controller; /* name */
	uint64_t store;
	const struct key *secret;
	bool stored; /* it comes from the store, so it was right once: what checks alone refuse is a warning */
};

/* The private key (Ed25519) that grants are signed with: another one for every store, since its secret is. The caller wipes
 * it. */
void generation_grant_seed(const struct key *secret, struct key *ret_seed);

/* Parse and compile. -EINVAL with every error, as file:line:column: text, in *errors; warnings either way. The caller
 * frees the generation, and clears both. */
int generation_make(const struct bundle *bundle, uint64_t number, const struct generation_maker *maker,
	struct generation **ret_generation, struct lines *errors, struct lines *warnings);
/* Of one gateway alone, if it is what has that hash: -ESTALE otherwise, -ENOENT if it was no gateway of it. Wiped and freed by
 * the caller (desired_free()). */
int generation_make_one(const struct bundle *bundle, uint64_t number, const struct generation_maker *maker,
	const char *gateway, const char *hash, struct desired **ret_desired);
void generation_free(struct generation *generation); /* wipes keys; NULL-safe */
const struct generation_gateway *generation_find(
	const struct generation *generation, const char *gateway); /* NULL; takes NULL */

/* Does it remove or narrow a peer of the one before (NULL: there was none)? */
bool generation_narrows(const struct generation *from, const struct generation *to);
/* Sets to->counts: what changes on the way from the first, NULL for none. */
void generation_count(const struct generation *from, struct generation *to);
/* Whom `to` lets in that `from` does not, or lets do more: a line each, at most max and one that counts the others. */
void generation_admits(
	const struct generation *from, const struct generation *to, size_t max, struct lines *lines);
/* The record of the store; its bundle is the caller's to free (store_generation_clear()). */
void generation_record(const struct generation *generation, struct store_generation *ret_record);

/* The fleet file and what it includes, from the disk. places: where a change of it would be, also if it fails; the caller's to
 * clear. NULL: not wanted. */
int generation_read_files(
	const char *path, struct bundle *ret_bundle, struct file_places *places, struct err *err);

#endif
