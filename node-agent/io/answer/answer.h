/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_ANSWER_ANSWER_H
#define HOLDFAST_ANSWER_ANSWER_H

#include <stdint.h>

#include "common/base/key.h"
#include "proto/claim.h"

/* `isolation: fence`: is an answer to one of our claims to be taken (FAILOVER rules 2 and 3)? Whoever passed it on, and
 * however long ago, it is about this life of this gateway, the present lease and pool, and not older than the lease; and a
 * grant is the controller's own. */
enum answer_fault {
	ANSWER_GOOD = 0,
	ANSWER_OTHER_TERMS = 1, /* of a pool or a lease that is not the present one */
	ANSWER_STALE = 2,       /* asked in another life, longer ago than a lease, or not yet */
	ANSWER_FORGED = 3,      /* its signature is not that of our controller's store */
};

/* Who asks. */
struct asker {
	uint64_t boot, terms;
	uint32_t lease_ms;
	uint64_t store;       /* that this gateway belongs to */
	struct key grant_key; /* of that store */
};

/* Of a promise, whose sender was authenticated already; now_us is monotonic, as the nonce's time. */
enum answer_fault answer_check_promise(const struct asker *asker, const struct claim *claim, int64_t now_us);
enum answer_fault answer_check_grant(const struct asker *asker, const struct grant *grant, int64_t now_us);
const char *answer_fault_name(enum answer_fault fault); /* "good", "other-terms", "stale", "forged" */

#endif
