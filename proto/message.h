/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_MESSAGE_H
#define HOLDFAST_PROTO_MESSAGE_H

#include "common/json/read.h"
#include "common/json/write.h"
#include "proto/drill.h"
#include "proto/epoch.h"
#include "proto/hearsay.h"
#include "proto/instruction.h"
#include "proto/moment.h"
#include "proto/seat.h"
#include "proto/standing.h"
#include "proto/unanswered.h"

/* What the JSON codecs of this directory share: the version in front, and the parts that travel in more than one
 * message. All "get" are 0 or -EINVAL with the member's path in err. */

/* A new message that says PROTO_VERSION; the caller fills it and ends it with message_take() or json_decref(). */
json_t *message_new(void);
/* Its text, keys sorted: equal values give equal bytes. Releases json. The caller frees the text. */
char *message_take(json_t *json);
/* Parse and check the version: -EPROTONOSUPPORT for another, -E2BIG beyond PROTO_JSON_MAX, else -EINVAL. */
int message_parse(const char *text, size_t size, json_t **ret_json, struct err *err);

/* Overwrite a string inside a tree that is about to be released. NULL-safe. */
void message_wipe_text(json_t *text);

void epoch_put(json_t *to, const char *name, const struct epoch *epoch);
int epoch_get(const struct jnode *from, const char *name, struct epoch *ret_epoch, struct err *err);

/* A name, or "": then the member is left out. */
void name_put_if_set(json_t *to, const char *name, const char *value);

void sessions_put(json_t *to, const char *name, const struct session *sessions, size_t count);
/* At most PROTO_SESSIONS_MAX; the caller frees *ret_sessions (NULL when there are none). */
int sessions_get(const struct jnode *from, const char *name, struct session **ret_sessions, size_t *ret_count,
	struct err *err);

void unanswered_put(json_t *to, const char *name, const struct unanswered *items, size_t count);
/* All of an array, into room for as many. */
int unanswered_get(const struct jnode *array, struct unanswered *ret_items, struct err *err);
void unanswered_news_put(json_t *to, const char *name, const struct unanswered_news *news);
/* The caller frees *ret_news. */
int unanswered_news_get(
	const struct jnode *from, const char *name, struct unanswered_news **ret_news, struct err *err);

void seat_put(json_t *to, const char *name, const struct seat_state *seat);
int seat_get(const struct jnode *from, struct seat_state *ret_seat, struct err *err);

void hearsays_put(json_t *to, const char *name, const struct hearsay *hearsays, size_t count);
/* Absent: both stay as they are. Each endpoint once. */
int hearsays_get(const struct jnode *from, const char *name, struct hearsay hearsays[PROTO_ENDPOINTS_MAX],
	size_t *ret_count, struct err *err);

void drill_order_put(json_t *to, const char *name, const struct drill_order *order);
int drill_order_get(
	const struct jnode *from, const char *name, struct drill_order *ret_order, struct err *err);
void drill_result_put(json_t *to, const char *name, const struct drill_result *result);
/* Absent: *ret_result stays as it is. */
int drill_result_get(
	const struct jnode *from, const char *name, struct drill_result *ret_result, struct err *err);

void moment_put(json_t *to, const char *name, const struct moment *moment);
/* *ret_known false: of a kind that a newer sender knows; to be passed over. */
int moment_get(const struct jnode *from, struct moment *ret_moment, bool *ret_known, struct err *err);

void standing_put(json_t *to, const char *name, const struct standing *standing);
int standing_get(const struct jnode *from, struct standing *ret_standing, struct err *err);

#endif
