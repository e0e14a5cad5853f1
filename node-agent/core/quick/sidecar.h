/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_SIDECAR_H
#define HOLDFAST_QUICK_SIDECAR_H

#include "node-agent/core/quick/config.h"
#include "node-agent/core/quick/forward.h"

/*
 * What goes beyond a wg-quick file: NAME.yaml beside NAME.conf, so that the .conf stays one that wg-quick takes. Keys
 * are the fleet file's wherever that has them, with the same meaning. docs/wg-quick.md ("Beyond the file") lists them.
 */
enum {
	QUICK_SIDECAR_MAX_BYTES = 8 * 1024 * 1024,
	QUICK_SIDECAR_PEERS_MAX = 100000,
	QUICK_SIDECAR_ADDRESSES_MAX = 16, /* besides the .conf's; as PROTO_ADDRESSES_MAX */
	QUICK_KEY_PATH_MAX = 511,         /* characters of a key file's path; as PROTO_PATH_MAX */
	QUICK_NAMESPACE_MAX = 255,
};

/* What a default route of Table = auto becomes. */
enum quick_default_route {
	QUICK_DEFAULT_RULES, /* wg-quick's: a mark, a table and two rules */
	QUICK_DEFAULT_HALVES /* two routes of length 1 in the main table */
};

struct quick_sidecar_peer {
	struct quick_place place; /* of its key */
	struct key public_key;
	char *preshared_key_file; /* as written; owned; NULL: none */
	bool disabled, unrouted;
	uint32_t route_metric, route_table; /* 0: as the kernel, the .conf says */
};

struct quick_sidecar_address {
	struct quick_place place;
	struct prefix prefix; /* with a peer, the length is the peer's */
	struct addr peer;     /* the far end; none: an ordinary address */
};

struct quick_sidecar {
	bool has_multicast, multicast; /* whether the interface says that it takes multicast */
	bool link_local;               /* fe80:: and the first 8 bytes of the public key */
	struct quick_place link_local_place;
	struct quick_sidecar_address addresses[QUICK_SIDECAR_ADDRESSES_MAX];
	size_t address_count;
	char *private_key_file; /* as written; owned; NULL: none */
	struct quick_place private_key_place;
	bool dns_optional;              /* a tunnel without its name servers is better than none */
	struct quick_texts dns_domains; /* whose names they are asked for, and no others; none: all */
	struct quick_place dns_domains_place;
	enum quick_default_route default_route;
	struct quick_place default_route_place;
	bool host_routes; /* endpoints that AllowedIPs cover get routes around them; always with halves */
	struct quick_forward forward;
	char *namespace; /* where the interface is: a name of ip-netns(8) or an absolute path; owned; NULL: here */
	char *socket_namespace;           /* where its UDP socket is; the same */
	struct quick_sidecar_peer *peers; /* owned; sorted by key, each once */
	size_t peer_count;
};

/*
 * Read it. -EINVAL with line and column of the first thing that is wrong, -E2BIG over a limit. `file` is for messages.
 * Clear *ret_sidecar with quick_sidecar_clear().
 */
int quick_sidecar_read(
	const char *file, const char *text, size_t size, struct quick_sidecar *ret_sidecar, struct err *err);
void quick_sidecar_clear(struct quick_sidecar *sidecar); /* NULL-safe */

/* What it says of a peer; NULL: nothing. */
const struct quick_sidecar_peer *quick_sidecar_find(
	const struct quick_sidecar *sidecar, const struct key *public_key);

/* Lay it over its .conf: peers are marked as disabled. -EINVAL if it speaks of a peer that is not there, or says what the
 * .conf says already. */
int quick_sidecar_join(
	const struct quick_sidecar *sidecar, const char *file, struct quick_config *config, struct err *err);

#endif
