/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_SEAT_TENURE_H
#define HOLDFAST_SEAT_TENURE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/epoch.h"
#include "proto/limits.h"

/*
 * `isolation: fence`: since when others vouch that nobody else serves the endpoint. That is the latest moment at which
 * this gateway asked and was granted leave by the controller (rule 2), or asked and was promised by every other member
 * of the pool (rule 7). A lease runs from there. Pure; times are ms of the own monotonic clock.
 */
#define TENURE_NEVER INT64_MIN

struct tenure_member {
	char name[PROTO_NAME_MAX + 1];
	int64_t promised_ms; /* when that was asked which it promised last */
};

struct tenure {
	struct epoch epoch;  /* of all that is kept here; what is about a lower one has no meaning any more */
	int64_t since_ms;    /* what was asked before does not count: the last stall, or the start */
	int64_t granted_ms;  /* when that was asked which was granted last */
	size_t member_count; /* the other members of the pool */
	struct tenure_member members[PROTO_POOL_MAX];
};

void tenure_init(struct tenure *tenure, int64_t now_ms);
/* The other members of the pool; promises of those who stay are kept. */
void tenure_set_pool(struct tenure *tenure, const char (*names)[PROTO_NAME_MAX + 1], size_t count);
/* The own loop stood still, or began: whatever was asked before now may be older than it looks. */
void tenure_forget(struct tenure *tenure, int64_t now_ms);

/* asked_ms: the nonce. */
void tenure_grant(struct tenure *tenure, const struct epoch *epoch, int64_t asked_ms, int64_t now_ms);
/* `from` is no other member of the pool: nothing happens. */
void tenure_promise(
	struct tenure *tenure, const char *from, const struct epoch *epoch, int64_t asked_ms, int64_t now_ms);

/* The moment from which a lease under this epoch may run; TENURE_NEVER: none. A pool without others has nobody to
 * ask: now. */
int64_t tenure_from_ms(const struct tenure *tenure, const struct epoch *epoch, int64_t now_ms);

/* Whose answer that is. */
enum tenure_by { TENURE_BY_NOBODY = 0, TENURE_BY_CONTROLLER = 1, TENURE_BY_POOL = 2 };
enum tenure_by tenure_by(const struct tenure *tenure, const struct epoch *epoch, int64_t now_ms);
const char *tenure_by_name(enum tenure_by by); /* "nobody", "controller", "pool" */

#endif
