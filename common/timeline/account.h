/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TIMELINE_ACCOUNT_H
#define HOLDFAST_TIMELINE_ACCOUNT_H

#include <jansson.h>

#include "common/base/err.h"
#include "common/timeline/timeline.h"

/*
 * How one endpoint came to one owner: the moments that belong to it, from everybody, in the order in which they were. Pure.
 *
 * An event's id is ENDPOINT@EPOCH, the epoch under which the new owner serves: the same on every host.
 */
enum { ACCOUNT_ROWS_MAX = 2048, ACCOUNT_ID_MAX = PROTO_NAME_MAX + 1 + EPOCH_TEXT_MAX };

struct account_source {
	const char *who;
	const struct timeline *timeline;
};

struct account_row {
	const char *who;
	const struct timeline_entry *entry;
};

struct account {
	char endpoint[PROTO_NAME_MAX + 1];
	struct epoch epoch;
	size_t row_count;
	struct account_row *rows; /* owned; they borrow from the sources */
};

/* "vpn@60000001.2", "vpn" (its last) or "" (the last of all) to the two; *ret_epoch zero: the last. -EINVAL */
int account_parse(
	const char *text, char ret_endpoint[PROTO_NAME_MAX + 1], struct epoch *ret_epoch, struct err *err);

/* -ENOENT: nobody remembers it. What is not settled is left out. */
int account_make(const struct account_source *sources, size_t count, const char *endpoint,
	const struct epoch *epoch, struct account *ret_account, struct err *err);
void account_clear(struct account *account);

/* wall_us: the wall clock when the keeper's was 0. The members are in docs/api.md. */
void account_put(json_t *to, const struct account *account, int64_t wall_us);

#endif
