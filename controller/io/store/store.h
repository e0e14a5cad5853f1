/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_STORE_H
#define HOLDFAST_CONTROLLER_IO_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/key.h"
#include "common/io/mac.h"
#include "common/io/tls.h"
#include "proto/limits.h"

/*
 * What must outlive the controller: who it is (store id, fleet secret), its term, the generations of the fleet, which
 * gateways are drained, and the last events. SQLite (WAL, synchronous=FULL), mode 0600, one process at a time (a lock
 * file beside it). Whether people have frozen it, and the revocation floor, too. Who owns an endpoint is not here: the gateways are the truth about that.
 *
 * Every call writes to the disk before it returns and is slow: at start in the main thread, later only in the writer's
 * (writer.h). Errors name the file and say what to do.
 */
struct store;

enum {
	STORE_GENERATIONS_KEPT = 50,
	STORE_EVENTS_KEPT = 10000,
	STORE_AUDIT_KEPT = 10000,
	STORE_AUDIT_REFUSED_KEPT =
		1000, /* of those, for want of the right: who may nothing cannot push out the rest */
	STORE_WHO_MAX = 127,
	STORE_WHAT_MAX = 127,
	STORE_AUDIT_DETAIL_MAX = 511,
};

/* What a generation changed against the one before: distinct peers, and other lines of a plan. */
struct store_counts {
	uint64_t added, changed, removed, other;
};

struct store_generation {
	uint64_t number;
	char hash[SHA256_HEX_MAX]; /* of the compiled fleet */
	char who[STORE_WHO_MAX + 1];
	int64_t wall_ms;
	uint64_t floor;                /* of revocation, once this one is in force; as added, not as loaded */
	uint64_t rollback_to;          /* whose files these are; 0: an apply; likewise */
	char what[STORE_WHAT_MAX + 1]; /* "": an apply; "rollback to 3" */
	struct store_counts counts;
	char *bundle; /* the fleet's files as JSON (fleet/bundle.h); owned; NULL where it is only listed */
};

/* A generation that is rolled back unless somebody confirms it in time. */
struct store_confirmation {
	uint64_t generation, back_to;
	int64_t deadline_ms; /* wall clock */
	int64_t given_ms;    /* how long there was: a clock that is set back gives no more */
	char who[STORE_WHO_MAX + 1];
};

/* One request that changes something, or would have. */
struct store_audit {
	uint64_t seq; /* given by the store */
	int64_t wall_ms;
	char who[STORE_WHO_MAX + 1];
	char what[STORE_WHAT_MAX + 1];   /* "apply", "move" */
	char target[STORE_WHAT_MAX + 1]; /* "vpn to gw-b"; "": the fleet */
	uint64_t generation;             /* in force when it was answered */
	int status;                      /* of the answer, as in HTTP; 0: whoever asked did not wait for it */
	char detail[STORE_AUDIT_DETAIL_MAX + 1]; /* why it was refused */
};

/* Who may join as what: the secret itself is nowhere. */
struct store_invitation {
	char gateway[PROTO_NAME_MAX + 1];
	char hash[SHA256_HEX_MAX]; /* of its secret */
	int64_t expires_ms;        /* wall clock */
	char who[STORE_WHO_MAX + 1];
};

/* Certificates of that identity that are dated up to then do not count. */
struct store_revocation {
	struct tls_identity whose;
	int64_t wall_ms;
	char who[STORE_WHO_MAX + 1];
};

struct store_event {
	uint64_t seq;
	char *json; /* owned by whoever holds it */
};

/* Makes the file and its identity when there is none. -EBUSY: another controller has it. */
int store_open(const char *path, struct store **ret_store, struct err *err);
void store_close(struct store *store); /* NULL-safe; wipes the secret */

uint64_t store_id(const struct store *store); /* never 0 */
const struct key *store_secret(const struct store *store);
uint32_t store_term(const struct store *store);  /* as written last; 0: none yet */
bool store_is_frozen(const struct store *store); /* no automatic moves */

uint64_t store_floor(const struct store *store); /* of revocation: a generation's number; 0: none */

/* On the disk when this returns. -EINVAL unless it is higher than the one there. */
int store_write_term(struct store *store, uint32_t term, struct err *err);
/* Never lowers it. */
int store_raise_floor(struct store *store, uint64_t floor, struct err *err);
int store_write_frozen(struct store *store, bool frozen, struct err *err);

/* The newest generation. -ENOENT while there is none (err untouched). */
int store_load_generation(struct store *store, struct store_generation *ret_generation, struct err *err);
/* The newest below that number, likewise. */
int store_load_generation_before(
	struct store *store, uint64_t number, struct store_generation *ret_generation, struct err *err);
/* That one; -ENOENT, too. */
int store_load_generation_number(
	struct store *store, uint64_t number, struct store_generation *ret_generation, struct err *err);
/* At most limit of those above a number, the oldest first, without their bundles: one call each. */
int store_each_generation(struct store *store, uint64_t after, size_t limit,
	void (*each)(const struct store_generation *generation, void *context), void *context,
	struct err *err);
/* Adds one, with its row of the trail (store_add_audit(): who did what, 200), raises the floor to its, and forgets the oldest
 * beyond STORE_GENERATIONS_KEPT. In the same transaction: from now on this confirmation is awaited (NULL: none). */
int store_add_generation(struct store *store, const struct store_generation *generation,
	const struct store_confirmation *confirmation, struct err *err);
void store_generation_clear(struct store_generation *generation);

/* The one that is awaited. -ENOENT while there is none (err untouched). */
int store_load_confirmation(
	struct store *store, struct store_confirmation *ret_confirmation, struct err *err);
int store_clear_confirmation(struct store *store, struct err *err);

/* Names of drained gateways, one call each. */
int store_each_drained(struct store *store, void (*each)(const char *gateway, void *context), void *context,
	struct err *err);
int store_set_drained(struct store *store, const char *gateway, bool drained, struct err *err);

/* Open invitations, one call each; some may have ended. */
int store_each_invitation(struct store *store,
	void (*each)(const struct store_invitation *invitation, void *context), void *context,
	struct err *err);
/* In place of an earlier one for that gateway. */
int store_put_invitation(struct store *store, const struct store_invitation *invitation, struct err *err);
/* That of the gateway, if it has that hash (NULL: any), and all that ended before wall_ms. */
int store_remove_invitation(
	struct store *store, const char *gateway, const char *hash, int64_t wall_ms, struct err *err);

/* What is revoked, one call each. */
int store_each_revocation(struct store *store,
	void (*each)(const struct store_revocation *revocation, void *context), void *context,
	struct err *err);
/* In place of an earlier one of that identity. */
int store_revoke(struct store *store, const struct store_revocation *revocation, struct err *err);

/* Events from the oldest kept to the newest, one call each. */
int store_each_event(struct store *store, void (*each)(uint64_t seq, const char *json, void *context),
	void *context, struct err *err);
/* In one transaction; forgets the oldest beyond STORE_EVENTS_KEPT. */
int store_add_events(struct store *store, const struct store_event *events, size_t count, struct err *err);

/* Forgets the oldest beyond STORE_AUDIT_KEPT, and of the refused (403) beyond theirs. */
int store_add_audit(struct store *store, const struct store_audit *audit, struct err *err);
/* At most limit of those after a sequence number, the oldest first: one call each. */
int store_each_audit(struct store *store, uint64_t after, size_t limit,
	void (*each)(const struct store_audit *audit, void *context), void *context, struct err *err);

#endif
