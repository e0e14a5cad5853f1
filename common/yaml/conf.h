/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_YAML_CONF_H
#define HOLDFAST_YAML_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/key.h"

/*
 * Strict reading of YAML 1.1 configuration (libyaml): one document becomes a tree of nodes that know their line and
 * column, so that every complaint is `fleet.yaml:16:5: unknown key "listen_prot"; did you mean "listen_port"?`.
 *
 * Anchors, aliases and the merge key `<<` (a mapping or a list of mappings; keys written out win, then earlier
 * mappings) are resolved. An aliased node is shared, not copied: its place is where it was written. Refused: duplicate
 * keys, keys that are not scalars, a second document, tags other than !!str, NUL bytes, an alias inside its own anchor,
 * a `key: value` without braces inside [ ] (what YAML makes of an unquoted ::/0).
 *
 * How to read a mapping:
 *
 *	static const char *const known[] = {"listen", "lease", "allowed_ips"};
 *	int64_t lease_ms = 3000;                                 // the default: an absent key leaves it alone
 *	const char *listen = NULL;
 *
 *	r = conf_check_keys(map, known, ARRAY_COUNT(known), err);  // is a mapping, and has no other keys
 *	r = conf_require(map, "listen", &node, err);             // must be there
 *	r = conf_get_text(map, "listen", 255, &listen, err);     // 0 and untouched if absent
 *	r = conf_get_duration(map, "lease", 1000, 60000, &lease_ms, err);
 *
 * A list, or one item standing for a list of one:
 *
 *	const struct conf_node *ips = conf_find(map, "allowed_ips"); // NULL if absent: an empty list below
 *	for (size_t i = 0; i < conf_list_count(ips); i++)
 *		r = conf_as_prefix(conf_list_item(ips, i), &prefix, err);
 *
 * A mapping whose keys are names (gateways, peers):
 *
 *	r = conf_expect_mapping(node, err);
 *	for (size_t i = 0; i < node->count; i++)
 *		use(node->pairs[i].key->text, node->pairs[i].value);   // in the order of the file
 *
 * Several complaints: each getter fills its own struct err; the caller collects them and goes on.
 * All texts and nodes live as long as their document.
 */
enum conf_kind { CONF_SCALAR, CONF_SEQUENCE, CONF_MAPPING };

struct conf_node;

struct conf_pair {
	const struct conf_node *key; /* always a scalar */
	const struct conf_node *value;
	bool merged; /* came in by << */
};

struct conf_node {
	enum conf_kind kind;
	bool quoted;           /* scalar: was written in quotes or as a block (then it is never null) */
	unsigned line, column; /* from 1 */
	const char *file;      /* as given to conf_parse() */
	const char *text;      /* scalar: terminated, has no other NUL; else NULL */
	size_t count;          /* items or pairs */
	const struct conf_node *const *items;  /* sequence */
	const struct conf_pair *pairs;         /* mapping, in the order of the file, merged ones last */
	const struct conf_pair *const *sorted; /* mapping: by key, for conf_find() */
};

struct conf_doc;

struct conf_limits {
	size_t max_bytes;
	unsigned max_depth; /* aliases resolved; the root is 1 */
	size_t max_nodes;   /* aliases resolved: an alias counts as much as what it stands for */
};
extern const struct conf_limits conf_limits_daemon; /* agent, controller, client: 256 KiB, 16, 20,000 */
extern const struct conf_limits conf_limits_fleet;  /* a fleet file: 32 MiB, 24, 4,000,000 */

/* Parse `size` bytes; `file` is the name used in errors (copied). An empty document is an empty mapping.
 * -EINVAL with file:line:column, -E2BIG over a limit. Free with conf_free(). */
int conf_parse(const char *file, const char *text, size_t size, const struct conf_limits *limits,
	struct conf_doc **ret_doc, struct err *err);
void conf_free(struct conf_doc *doc);
const struct conf_node *conf_root(const struct conf_doc *doc);

/* err_at() with the node's place: return conf_fail(node, err, -EINVAL, "..."). */
int conf_fail(const struct conf_node *node, struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The value of a key; NULL if it is absent, if map is NULL or if it is not a mapping. */
const struct conf_node *conf_find(const struct conf_node *map, const char *key);
/* The node of the key itself (to point at it); NULL like conf_find(). */
const struct conf_node *conf_find_key(const struct conf_node *map, const char *key);
/* The same, but an absent one is -ENOENT: missing "listen". ret_value may be NULL. */
int conf_require(
	const struct conf_node *map, const char *key, const struct conf_node **ret_value, struct err *err);

/* Written as nothing, ~ or null, without quotes. NULL is null too. */
bool conf_is_null(const struct conf_node *node);
/* -EINVAL unless a mapping or null (an empty mapping) ... or a sequence, or a scalar that is not null. */
int conf_expect_mapping(const struct conf_node *node, struct err *err);
int conf_expect_sequence(const struct conf_node *node, struct err *err);
int conf_expect_scalar(const struct conf_node *node, struct err *err);

/* A mapping (or null) with no keys but these. Keys that start with "x-" are always let through. The first unknown one
 * is the error, at its own place, with the nearest known key. To name all of them: conf_check_key() for each. */
int conf_check_keys(const struct conf_node *map, const char *const known[], size_t count, struct err *err);
/* Is pair's key unknown? Then -EINVAL and err says so; else 0. */
int conf_check_key(const struct conf_pair *pair, const char *const known[], size_t count, struct err *err);

/* One item stands for a list of one; NULL and null for an empty list. */
size_t conf_list_count(const struct conf_node *node);
const struct conf_node *conf_list_item(const struct conf_node *node, size_t index);

/* What a scalar says. -EINVAL with the node's place, what was expected and what was found (keys: not repeated). */
int conf_as_text(const struct conf_node *node, size_t max_length, const char **ret_text,
	struct err *err); /* not empty */
int conf_as_name(const struct conf_node *node, size_t max_length, const char **ret_name,
	struct err *err); /* text_is_name() */
int conf_as_bool(
	const struct conf_node *node, bool *ret_value, struct err *err); /* true false yes no on off */
int conf_as_u64(
	const struct conf_node *node, uint64_t min, uint64_t max, uint64_t *ret_value, struct err *err);
/* The same, also 0x... (fwmark). */
int conf_as_hex_u64(
	const struct conf_node *node, uint64_t min, uint64_t max, uint64_t *ret_value, struct err *err);
int conf_as_duration(
	const struct conf_node *node, int64_t min_ms, int64_t max_ms, int64_t *ret_ms, struct err *err);
int conf_as_addr(const struct conf_node *node, struct addr *ret_addr, struct err *err);
int conf_as_prefix(
	const struct conf_node *node, struct prefix *ret_prefix, struct err *err); /* host bits are kept */
int conf_as_endpoint(const struct conf_node *node, struct endpoint *ret_endpoint, struct err *err);
int conf_as_key(const struct conf_node *node, struct key *ret_key, struct err *err);
/* One of the words; *ret_index is its index. The error lists them, or names the nearest. */
int conf_as_word(const struct conf_node *node, const char *const words[], size_t count, unsigned *ret_index,
	struct err *err);

/* The same for the value of a key, with "key: " before the complaint; an absent key is 0 and leaves ret_* alone. */
int conf_get_text(const struct conf_node *map, const char *key, size_t max_length, const char **ret_text,
	struct err *err);
int conf_get_name(const struct conf_node *map, const char *key, size_t max_length, const char **ret_name,
	struct err *err);
int conf_get_bool(const struct conf_node *map, const char *key, bool *ret_value, struct err *err);
int conf_get_u64(const struct conf_node *map, const char *key, uint64_t min, uint64_t max,
	uint64_t *ret_value, struct err *err);
int conf_get_hex_u64(const struct conf_node *map, const char *key, uint64_t min, uint64_t max,
	uint64_t *ret_value, struct err *err);
int conf_get_duration(const struct conf_node *map, const char *key, int64_t min_ms, int64_t max_ms,
	int64_t *ret_ms, struct err *err);
int conf_get_addr(const struct conf_node *map, const char *key, struct addr *ret_addr, struct err *err);
int conf_get_prefix(const struct conf_node *map, const char *key, struct prefix *ret_prefix, struct err *err);
int conf_get_endpoint(
	const struct conf_node *map, const char *key, struct endpoint *ret_endpoint, struct err *err);
int conf_get_key(const struct conf_node *map, const char *key, struct key *ret_key, struct err *err);
int conf_get_word(const struct conf_node *map, const char *key, const char *const words[], size_t count,
	unsigned *ret_index, struct err *err);

#endif
