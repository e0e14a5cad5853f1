/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_DRILL_TALLY_H
#define HOLDFAST_DRILL_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/drill.h"

/*
 * The pings of one drill as one gateway counts them: those that it sends, and the answers that come here to its own and to
 * others'. Pure. What a ping carries says whose it is; an answer counts once.
 */
enum {
	TALLY_PINGS_MAX = 8192, /* of one sender to one target */
	TALLY_PAYLOAD_MAX = 96,
	TALLY_CLIENT_ROWS_MAX = 2, /* for one client: of the owner before, and of the one after */
};

struct tally;

struct tally *tally_new(const struct drill_order *order, const char *gateway);
void tally_free(struct tally *tally); /* NULL-safe */
const struct drill_order *tally_order(const struct tally *tally);

/* Whoever knows the id, which each ping carries, can make up answers: what counts is of a client, and fills no more than its own
 * rows. A target is a client. */
void tally_add_client(struct tally *tally, const struct addr *client);

/* Whom this gateway pings; false: it is there already, or they are DRILL_TARGETS_MAX. */
bool tally_add_target(struct tally *tally, const struct addr *target);
size_t tally_target_count(const struct tally *tally);
const struct addr *tally_target(const struct tally *tally, size_t index);

/* The next ping to that target: what it carries. The size in bytes; 0: it has had TALLY_PINGS_MAX. tally_sent() when it has
 * left. */
size_t tally_next(struct tally *tally, size_t index, uint8_t payload[TALLY_PAYLOAD_MAX]);
void tally_sent(struct tally *tally, size_t index);
/* False: not an answer of a client, not one of this drill's, or counted before. */
bool tally_answered(struct tally *tally, const struct addr *from, const uint8_t *payload, size_t size);

void tally_result(const struct tally *tally, struct drill_result *ret_result);

#endif
