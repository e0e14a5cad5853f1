/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_DESIRED_JSON_H
#define HOLDFAST_PROTO_DESIRED_JSON_H

#include "common/json/read.h"
#include "common/json/write.h"
#include "proto/desired_text.h"

/* The JSON form of a desired state inside a larger message. For the codecs of this directory. */
void desired_put(json_t *to, const struct desired *desired); /* fills the object `to`; no peers: see below */
int desired_get(const struct jnode *from, struct desired **ret_desired, struct err *err);

void desired_delta_put(json_t *to, const char *name, const struct desired_delta *delta);
int desired_delta_get(const struct jnode *from, struct desired_delta **ret_delta, struct err *err);

/* Overwrite the pair keys in a tree that desired_put() filled or desired_get() has read. `json` may be anything. */
void desired_wipe_json(json_t *json);
void desired_delta_wipe_json(json_t *json);

/* The parts that live in files of their own. */
/* A canonical message with `count` desired states in it, in this order, and the peers of each (desired_peers_encode()) put where
 * they belong. Wipes and frees the message; the result is as secret. */
char *desired_put_peers_in(char *message, const char *const peers[], size_t count);
int desired_peers_get(const struct jnode *from, const char *name, struct desired *desired, struct err *err);
void desired_groups_put(json_t *to, const char *name, const struct desired *desired);
int desired_groups_get(const struct jnode *from, const char *name, struct desired *desired, struct err *err);
void desired_tunnels_put(json_t *to, const char *name, const struct desired *desired);
int desired_tunnels_get(const struct jnode *from, const char *name, struct desired *desired, struct err *err);
void desired_hooks_put(json_t *to, const struct texts hooks[HOOKS]);
void desired_dns_put(json_t *to, const struct texts *dns);
int desired_dns_get(const struct jnode *from, struct texts *dns, struct err *err);
int desired_hooks_get(const struct jnode *from, struct texts hooks[HOOKS], struct err *err);
void desired_endpoints_put(json_t *to, const char *name, const struct desired *desired);
int desired_endpoints_get(
	const struct jnode *from, const char *name, struct desired *desired, struct err *err);

void desired_checks_put(json_t *to, const struct desired_endpoint *endpoint);
int desired_checks_get(const struct jnode *from, struct desired_endpoint *endpoint, struct err *err);
void desired_notify_put(json_t *to, const struct desired_endpoint *endpoint);
int desired_notify_get(const struct jnode *from, struct desired_endpoint *endpoint, struct err *err);

/* Lists of addresses: at most PROTO_ADDRESSES_MAX. */
void addrs_put(json_t *to, const char *name, const struct addr *addrs, size_t count);
int addrs_get(const struct jnode *from, const char *name, struct addr *ret_addrs, size_t *ret_count,
	struct err *err);
/* Lists of prefixes, canonical: no host bits, and in rising order, so none twice. *ret_prefixes is NULL and *ret_count 0 before;
 * the caller frees, also after an error. */
int prefixes_get(const struct jnode *from, const char *name, size_t max, struct prefix **ret_prefixes,
	size_t *ret_count, struct err *err);
bool desired_has_tunnel(const struct desired *desired, const char *name);

#endif
