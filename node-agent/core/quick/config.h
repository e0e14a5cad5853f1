/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_CONFIG_H
#define HOLDFAST_QUICK_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/key.h"

/*
 * What a wg-quick(8) file says, checked, with everything in it that needs no look at the host. Names (of hosts, services,
 * routing tables) stay text: whoever has a resolver turns them into numbers. docs/wg-quick.md tells where this is
 * stricter than wg-quick.
 */
enum {
	QUICK_FILE_MAX_BYTES = 32 * 1024 * 1024,
	QUICK_ADDRESSES_MAX = 1024, /* each is a rule of a chain, see FW_RULES_MAX */
	QUICK_DNS_MAX = 64,         /* servers; and as many search domains */
	QUICK_HOOKS_MAX = 256,      /* of a kind */
	QUICK_HOOK_MAX_BYTES = 65536,
	QUICK_NAME_MAX = 255, /* characters of a host, a service, a routing table, a search domain */
	QUICK_WARNINGS_MAX = 64,
};

struct quick_place {
	unsigned line, column; /* from 1; 0: not in the file */
};

struct quick_texts {
	char **items; /* owned */
	size_t count, capacity;
};

enum quick_hook { QUICK_PRE_UP, QUICK_POST_UP, QUICK_PRE_DOWN, QUICK_POST_DOWN, QUICK_HOOK_COUNT };
enum quick_table { QUICK_TABLE_AUTO, QUICK_TABLE_OFF, QUICK_TABLE_NAMED };

struct quick_peer {
	struct quick_place place; /* of [Peer] */
	struct key public_key;
	bool disabled; /* the sidecar says so: it stays in the file, and out of the device */
	bool has_preshared_key;
	bool preshared_key_elsewhere; /* came from a file of its own: not to be written into this one */
	struct key preshared_key;     /* secret */
	char *host, *service;         /* of Endpoint; owned; NULL: none */
	const char *zone;             /* within host, behind its '%'; NULL: none */
	struct quick_place endpoint_place;
	/* If host and service are numbers; else without a family. Which interface the zone is has to be looked up: scope 0. */
	struct endpoint endpoint;
	bool has_keepalive;
	uint16_t keepalive_s;
	struct prefix *allowed_ips; /* owned; masked, as in the file */
	size_t allowed_ip_count, allowed_ip_capacity;
};

struct quick_config {
	struct prefix *addresses; /* owned; host bits kept; in the file's order */
	size_t address_count, address_capacity;
	struct quick_texts dns, search; /* name servers; search domains */
	uint32_t mtu;                   /* 0: automatic */
	enum quick_table table;
	char *table_name; /* owned; number or name, for QUICK_TABLE_NAMED */
	struct quick_place table_place;
	struct quick_texts hooks[QUICK_HOOK_COUNT];
	bool save_config;

	bool has_private_key, has_listen_port, has_fwmark;
	bool private_key_elsewhere; /* as preshared_key_elsewhere */
	struct key private_key;     /* secret; zero with has_private_key: taken away */
	char *listen_service;       /* owned; a service's name instead of listen_port; NULL: none */
	struct quick_place listen_place;
	uint16_t listen_port;
	uint32_t fwmark;
	struct quick_peer *peers; /* owned, wiped; as in the file: one key may occur twice */
	size_t peer_count, peer_capacity;

	struct quick_texts warnings; /* "FILE:3:14: ..." for a person */
};

void quick_config_clear(struct quick_config *config); /* NULL-safe; wipes keys */

void quick_texts_add(struct quick_texts *texts, const char *text, size_t length);
void quick_texts_clear(struct quick_texts *texts);
/* After QUICK_WARNINGS_MAX of them one more, which says that the rest is left out. */
void quick_warning_add(struct quick_texts *warnings, const char *line);

/* "PreUp" */
const char *quick_hook_name(enum quick_hook hook);
/* The hook with %i replaced; the caller frees. */
char *quick_hook_text(const char *hook, const char *interface);

/* An interface's address as `ip address add` takes it: with a length, or for IPv4 a netmask. -EINVAL. */
int quick_address_parse(const char *text, struct prefix *ret_prefix);

/* A new, zeroed peer at the end; the array is moved without leaving keys behind. */
struct quick_peer *quick_config_peer(struct quick_config *config);

#endif
