/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_JSON_WRITE_H
#define HOLDFAST_JSON_WRITE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/key.h"

/*
 * Making JSON. The same forms that read.h reads. `to` is an object with a member name, or an array with name NULL (the
 * value is appended). Text must be UTF-8; bytes that are not become U+FFFD. Nothing here fails: out of memory aborts.
 */
json_t *jput_object(json_t *to, const char *name); /* a new empty one inside `to`, which owns it */
json_t *jput_array(json_t *to, const char *name);
void jput_text(json_t *to, const char *name, const char *text); /* NULL: the member is left out */
void jput_text_of(json_t *to, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void jput_bool(json_t *to, const char *name, bool value);
void jput_u64(json_t *to, const char *name, uint64_t value); /* above INT64_MAX it is written as INT64_MAX */
void jput_i64(json_t *to, const char *name, int64_t value);
void jput_hex64(json_t *to, const char *name, uint64_t value);
void jput_hex(json_t *to, const char *name, const void *bytes, size_t size);
void jput_addr(json_t *to, const char *name, const struct addr *addr); /* without a family: left out */
void jput_prefix(json_t *to, const char *name, const struct prefix *prefix);
void jput_endpoint(json_t *to, const char *name, const struct endpoint *endpoint);
void jput_key(json_t *to, const char *name, const struct key *key);
void jput_json(json_t *to, const char *name, json_t *value); /* takes over the caller's reference */

/* Compact, one line, keys in the order they were put. The caller frees; ret_size (may be NULL) without the NUL. */
char *json_compact(const json_t *json, size_t *ret_size);
/* Keys sorted as well: the same value always gives the same bytes (content hashes). */
char *json_canonical(const json_t *json, size_t *ret_size);
/* For people: indented by two. */
char *json_pretty(const json_t *json, size_t *ret_size);

#endif
