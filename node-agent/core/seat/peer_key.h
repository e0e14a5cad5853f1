/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_SEAT_PEER_KEY_H
#define HOLDFAST_SEAT_PEER_KEY_H

#include <stdbool.h>

#include "common/base/key.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "proto/limits.h"

/* A peer of a tunnel as the key of a hash table: no padding, the rest of the name zero. */
struct peer_key {
	char tunnel[PROTO_INTERFACE_MAX + 1];
	struct key public_key;
};

_Static_assert(sizeof(struct peer_key) == PROTO_INTERFACE_MAX + 1 + KEY_BYTES, "hashed as bytes");

static inline struct peer_key peer_key_of(const char *tunnel, const struct key *public_key)
{
	struct peer_key key = {.public_key = *public_key};

	text_copy(key.tunnel, sizeof(key.tunnel), tunnel);
	return key;
}

/* The one place where the tables' memory comes from: see common/base/mem.h. */
#define uthash_malloc(size) mem_new(1, size)
#include <uthash.h>

#endif
