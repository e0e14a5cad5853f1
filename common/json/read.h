/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_JSON_READ_H
#define HOLDFAST_JSON_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/key.h"

/*
 * Strict reading of JSON (RFC 8259, jansson). A cursor (struct jnode) points at a value and knows the way there, so
 * that errors name it: `endpoints[2].epoch: expected a number from 0 to 9, found "x"`. Cursors are plain values that
 * point at their parents: keep those alive. Members that nobody asks for are ignored: that is how the protocol grows.
 *
 *	json_t *json;
 *	r = json_parse_bytes(body, size, &json_limits_message, &json, err);
 *	struct jnode root = jnode_root(json);
 *	r = jnode_u64(&root, "generation", JSON_REQUIRED, 0, INT64_MAX, &generation, err);
 *	r = jnode_array(&root, "endpoints", JSON_REQUIRED, 64, &endpoints, err);
 *	for (size_t i = 0; i < jnode_count(&endpoints); i++) {
 *		struct jnode item = jnode_item(&endpoints, i);
 *		r = jnode_text(&item, "name", JSON_REQUIRED, name, sizeof name, err);
 *	}
 *	json_decref(json);
 *
 * With name NULL a getter reads the cursor's own value (items of an array). JSON_OPTIONAL: an absent member or null is
 * 0 and leaves ret_* alone. All errors are -EINVAL unless said otherwise.
 */
struct json_limits {
	size_t max_bytes;
	unsigned max_depth; /* nesting of arrays and objects; the root is 1 */
};
extern const struct json_limits json_limits_message; /* 1 MiB, 16 */
extern const struct json_limits json_limits_large;   /* 32 MiB, 16 */

enum json_need { JSON_REQUIRED, JSON_OPTIONAL };

struct jnode {
	const json_t *json;         /* never NULL in a cursor that a function returned */
	const struct jnode *parent; /* NULL: the root */
	const char *name;           /* in an object; NULL: index counts */
	size_t index;
};

/* Bytes to a tree: an object or array at the root, no duplicate members, UTF-8. -E2BIG over a limit. The caller owns
 * the result (json_decref()). */
int json_parse_bytes(
	const void *bytes, size_t size, const struct json_limits *limits, json_t **ret_json, struct err *err);

struct jnode jnode_root(const json_t *json);

/* Is it there, and not null? Then *ret_node (may be NULL) points at it. */
bool jnode_find(const struct jnode *object, const char *name, struct jnode *ret_node);
/* A member that is an object. JSON_OPTIONAL and absent: 0, and ret_node->json is NULL. */
int jnode_object(const struct jnode *object, const char *name, enum json_need need, struct jnode *ret_node,
	struct err *err);
/* A member that is an array of at most max_count items. JSON_OPTIONAL and absent: an empty array to jnode_count(). */
int jnode_array(const struct jnode *object, const char *name, enum json_need need, size_t max_count,
	struct jnode *ret_node, struct err *err);
size_t jnode_count(const struct jnode *array);                    /* 0 for what is not an array */
struct jnode jnode_item(const struct jnode *array, size_t index); /* index < jnode_count() */

/* "endpoints[2].epoch"; the root alone is "(root)". Always terminated. Returns buffer. */
char *jnode_path(const struct jnode *node, char *buffer, size_t size);
/* -EINVAL (or code) with the cursor's path in front, for checks of one's own. */
int jnode_fail(const struct jnode *node, struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Text that fits the buffer with its NUL and has no NUL inside. May be empty. */
int jnode_text(const struct jnode *object, const char *name, enum json_need need, char *buffer, size_t size,
	struct err *err);
/* The same as a new string of at most max_length bytes; the caller frees. */
int jnode_text_new(const struct jnode *object, const char *name, enum json_need need, size_t max_length,
	char **ret_text, struct err *err);
/* text_is_name(), shorter than size. */
int jnode_name(const struct jnode *object, const char *name, enum json_need need, char *buffer, size_t size,
	struct err *err);
int jnode_bool(
	const struct jnode *object, const char *name, enum json_need need, bool *ret_value, struct err *err);
/* Integers only (1.0 is refused). JSON numbers here end at INT64_MAX: larger things travel as hex64. */
int jnode_u64(const struct jnode *object, const char *name, enum json_need need, uint64_t min, uint64_t max,
	uint64_t *ret_value, struct err *err);
int jnode_i64(const struct jnode *object, const char *name, enum json_need need, int64_t min, int64_t max,
	int64_t *ret_value, struct err *err);
/* A number of 64 bits as text of 16 lower-case hex digits (boot ids, nonces). */
int jnode_hex64(const struct jnode *object, const char *name, enum json_need need, uint64_t *ret_value,
	struct err *err);
/* Exactly size bytes as lower-case hex. */
int jnode_hex(const struct jnode *object, const char *name, enum json_need need, void *ret_bytes, size_t size,
	struct err *err);
int jnode_addr(const struct jnode *object, const char *name, enum json_need need, struct addr *ret_addr,
	struct err *err);
int jnode_prefix(const struct jnode *object, const char *name, enum json_need need, struct prefix *ret_prefix,
	struct err *err);
int jnode_endpoint(const struct jnode *object, const char *name, enum json_need need,
	struct endpoint *ret_endpoint, struct err *err);
int jnode_key(const struct jnode *object, const char *name, enum json_need need, struct key *ret_key,
	struct err *err);
/* One of the words; *ret_index is its index. */
int jnode_word(const struct jnode *object, const char *name, enum json_need need, const char *const words[],
	size_t count, unsigned *ret_index, struct err *err);

#endif
