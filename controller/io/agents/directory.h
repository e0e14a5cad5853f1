/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_DIRECTORY_H
#define HOLDFAST_CONTROLLER_IO_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/instruction.h"

/*
 * The live WireGuard sessions as the owners report them, so that the other members of a pool know where each client is.
 * Every change gets a rising version: whoever has taken in version V needs only what is newer.
 * A session older than WireGuard's 180 s (REJECT_AFTER_TIME) is dead and forgotten.
 */
struct directory;

enum { SESSION_LIVE_MS = 180000 };

struct directory *directory_new(void);
void directory_free(struct directory *directory);

/* From an owner, the gateway. Returns true if anything changed that others should know: not for counted bytes, but if
 * another told of it before, for that one is a standby now, which has to be told. */
bool directory_put(
	struct directory *directory, const char *gateway, const struct session *session, int64_t now_ms);
/* An owner tells all it has: between these two calls it puts them; those of the tunnel that it did not are forgotten. */
void directory_begin_whole(struct directory *directory);
void directory_end_whole(struct directory *directory, const char *tunnel);
void directory_expire(struct directory *directory, int64_t now_ms);

uint64_t directory_version(const struct directory *directory);

struct directory_session {
	struct session session; /* its age is of now */
	const char *gateway;    /* who told of it last; until the directory changes */
	int64_t told_ago_ms;
};
/* False: nothing live is known of that peer. */
bool directory_find(const struct directory *directory, const char *tunnel, const struct key *public_key,
	int64_t now_ms, struct directory_session *ret_session);
size_t directory_count(const struct directory *directory, const char *tunnel, int64_t now_ms);
/* Those newer than a version for which wanted() says yes. The caller frees *ret_items (NULL if none). */
size_t directory_since(const struct directory *directory, uint64_t version, int64_t now_ms,
	bool (*wanted)(const char *tunnel, void *context), void *context, struct session **ret_items);

#endif
