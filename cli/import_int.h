/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_IMPORT_INT_H
#define HOLDFAST_CLI_IMPORT_INT_H

#include <uthash.h>

#include "cli/import.h"
#include "common/base/texts.h"

/* Inside of import: the tunnels (import_tunnel.c) and peers (import_peer.c) of the fleet that is made. */
struct import_tunnel {
	char name[PROTO_INTERFACE_MAX + 1];
	size_t source_count;
	const struct import_source
		*sources[PROTO_GATEWAYS_MAX]; /* one for each gateway; the first is the rule */
};

struct import_peer {
	struct key public_key;
	char name[PROTO_NAME_MAX + 1];
	const struct import_source *source;
	const struct quick_peer *peer;
	size_t index;                 /* in the source */
	uint64_t tunnels;             /* bit i: it is a peer of tunnel i */
	size_t seen;                  /* in how many files */
	struct import_peer *same_key; /* the next of the same key, in other tunnels */
	struct import_peer *next;     /* in the order of the files */
	UT_hash_handle hh, hh_name;
};

struct import {
	struct import_result *result;
	size_t tunnel_count;
	struct import_tunnel tunnels[PROTO_TUNNELS_MAX];
	struct import_peer *by_key, *by_name, *first, **last;
	size_t peer_count;
};

void import_tell(struct import *import, const char *format, ...) __attribute__((format(printf, 2, 3)));
void import_add_key(struct import *import, const char *path, const struct key *key);

void import_gather_tunnel(struct import *import, const struct import_source *source);
void import_put_tunnels(struct import *import);

void import_gather_peers(struct import *import, size_t tunnel, const struct import_source *source);
void import_put_peers(struct import *import);
void import_free_peers(struct import *import);

/* The hooks of a file that a fleet file takes, and why it does not take the others. */
void import_hooks_of(const struct quick_config *config, enum quick_hook hook, struct texts *ret_lines);
void import_tell_hooks(struct import *import, const struct import_source *source);
/* Its name servers and search domains, as many as a fleet file takes. */
void import_tell_dns(struct import *import, const struct import_source *source);
void import_dns_of(const struct quick_config *config, struct texts *ret_dns);
/* [one, "and two"] */
void import_put_texts(struct text *out, const struct texts *texts);

/* "10.0.0.0/8" or, quoted, "fd00::/8". */
void import_put_prefix(struct text *out, const struct prefix *prefix);

#endif
