/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_READER_H
#define HOLDFAST_CONTROLLER_FLEET_READER_H

#include "common/yaml/conf.h"
#include "controller/core/fleet/diagnostics.h"
#include "controller/core/fleet/fleet.h"
#include "controller/core/fleet/keys.h"

/*
 * Inside controller/core/fleet only: from YAML to the model. One file reads one thing; each reads all it can, so that one
 * mistake does not hide the next. A getter's complaint goes into reader->err and is taken down by reader_ok():
 *
 *	if (reader_ok(reader, conf_get_u64(map, "mtu", 576, 65535, &mtu, &reader->err)))
 */
struct reader {
	struct fleet *fleet;
	struct diagnostics *diagnostics;
	uint32_t source;                /* which is being read */
	bool has_gateways, has_tunnels; /* some file has such a section, right or wrong */
	size_t gateway_capacity, endpoint_capacity, tunnel_capacity, group_capacity, peer_capacity;
	struct err err;
};

bool reader_ok(struct reader *reader, int r);
/* The same for a value under a key: "key: " comes before the complaint. */
bool reader_ok_in(struct reader *reader, const char *key, int r);
void reader_fail(struct reader *reader, const struct conf_node *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void reader_warn(struct reader *reader, enum diagnostic_kind kind, const struct conf_node *node,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

struct fleet_place reader_place(const struct reader *reader, const struct conf_node *node);

/* Is it a mapping? Every unknown key of it is told, and every one that is known but not delivered yet. */
bool reader_keys(struct reader *reader, const struct conf_node *map, enum fleet_mapping mapping);
bool reader_require(struct reader *reader, const struct conf_node *map, const char *key);

/* The list under a key, of at most `max` items; NULL if it is absent or wrong (which has been told). */
const struct conf_node *reader_list(
	struct reader *reader, const struct conf_node *map, const char *key, size_t max);

/* persistent_keepalive: off, or seconds. False if it is absent or wrong. */
bool reader_keepalive(struct reader *reader, const struct conf_node *map, uint16_t *ret_seconds);

/* A name that stands for something: the value of a key, or the items of a list, each once. */
bool reader_reference(struct reader *reader, const struct conf_node *map, const char *key,
	struct fleet_reference *ret_reference);
size_t reader_references(struct reader *reader, const struct conf_node *map, const char *key, size_t max,
	struct fleet_reference *ret_references);

/* Addresses with traps told in words: IPv6 that YAML took apart. */
bool reader_addr(struct reader *reader, const char *key, const struct conf_node *node, struct addr *ret_addr);
bool reader_prefix(
	struct reader *reader, const char *key, const struct conf_node *node, struct prefix *ret_prefix);
/* A list of prefixes, masked, each once; "any" is 0.0.0.0/0 and ::/0. *ret_prefixes is the caller's, NULL if there are none. */
size_t reader_reach(struct reader *reader, const struct conf_node *map, const char *key, size_t max,
	struct prefix **ret_prefixes);
/* A list of them, each one that a host can have, and each once. `places` may be NULL. */
size_t reader_addrs(struct reader *reader, const struct conf_node *map, const char *key,
	struct addr *ret_addrs, struct fleet_place *places);

/* The parts of the file. */
void read_gateways(struct reader *reader, const struct conf_node *node);
void read_endpoints(struct reader *reader, const struct conf_node *node);
void read_tunnels(struct reader *reader, const struct conf_node *node);
void read_groups(struct reader *reader, const struct conf_node *node);
void read_peers(struct reader *reader, const struct conf_node *node);
/* Keys of a tunnel that an override may repeat; those that are absent leave *settings as it is. */
void read_settings(struct reader *reader, const struct conf_node *map, struct fleet_settings *settings);
void read_forward(struct reader *reader, const struct conf_node *map, struct fleet_forward *forward);
/* dns: servers' addresses and domains to search; *to is empty before. False: it is absent. */
bool reader_dns(struct reader *reader, const struct conf_node *map, size_t max, struct texts *to);
/* The same of a tunnel on its gateways: with a server, if there is anything; one that is absent stays as it is. */
void read_dns(struct reader *reader, const struct conf_node *map, struct texts *dns);
/* pre_up: and so on; a list that is absent stays as it is. */
void read_hooks(struct reader *reader, const struct conf_node *map, struct texts hooks[HOOKS]);
void read_save_config(struct reader *reader, const struct conf_node *map);
/* inside: and routes: of an endpoint. */
void read_insides(struct reader *reader, const struct conf_node *map, struct fleet_endpoint *endpoint);
void read_routes(struct reader *reader, const struct conf_node *map, struct fleet_endpoint *endpoint);
/* `client:` of a tunnel or a group. */
void read_client(struct reader *reader, const struct conf_node *map, struct fleet_client *client);
void read_checks(struct reader *reader, const struct conf_node *map, struct fleet_endpoint *endpoint);
void read_notify(struct reader *reader, const struct conf_node *map, struct fleet_endpoint *endpoint);
/* program: the absolute path of one on the gateways. */
bool reader_program(struct reader *reader, const struct conf_node *node, char ret_path[PROTO_PATH_MAX + 1]);

#endif
