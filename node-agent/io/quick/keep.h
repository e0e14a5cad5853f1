/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_KEEP_H
#define HOLDFAST_AGENT_QUICK_KEEP_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/host.h"
#include "common/base/key.h"
#include "node-agent/core/plan/plan.h"
#include "node-agent/core/repair/repair.h"

/*
 * Keeping what `holdfast up` made, in the network namespace of the caller: rules, routes, addresses, MTU, up, firewall,
 * src_valid_mark, name servers. What is missing is made again; nothing is removed, and WireGuard's settings are whoever's
 * set them, but for the mark that `up` chose, if it was taken away. What counts is what `up` did: the file may have been
 * changed since, and what PostUp took away stays away. A tunnel that was made from here in other network namespaces is kept
 * there.
 *
 * Calls block, for programs that set name servers up to some seconds: not for a daemon's loop. No signal is held back.
 */
enum {
	QUICK_KEPT_PEERS_MAX = 1024,
	QUICK_KEPT_MAX = 1024,
	QUICK_KEPT_WHY_MAX = 200,
	QUICK_KEPT_LOCK_MAX = 32
};

enum quick_kept_state {
	QUICK_KEPT_NONE,   /* there is no such tunnel (any more) */
	QUICK_KEPT_BUSY,   /* a command is at work on it, or on the routes of all: look again later */
	QUICK_KEPT_UP,     /* looked at: see repairs and failure */
	QUICK_KEPT_LOST,   /* its link is gone: `holdfast down` or `up` is a person's to say */
	QUICK_KEPT_UNDONE, /* a command was killed half way: all of it is taken back */
};

struct quick_repair {
	enum repair_what what; /* REPAIR_WIREGUARD: the mark */
	char text[PLAN_TEXT_MAX];
};

/* A peer of the file, as it is. */
struct quick_kept_peer {
	struct key public_key;
	struct endpoint endpoint; /* live; no family: none */
	char host[HOST_MAX + 1];  /* "": its endpoint is a number, or none */
	uint16_t port;
};

/* A network namespace other than the caller's. */
struct quick_kept_space {
	char *where; /* owned; a name or a path, for netns_open(), unless it has lost it; NULL: it is the caller's */
	uint64_t inode, cookie; /* as of struct netns */
};

struct quick_kept {
	enum quick_kept_state state;
	/* BUSY: the lock that a command has, a file's name in quick_kept_directory(), which goes when it is free; "": none */
	char awaited[QUICK_KEPT_LOCK_MAX];
	struct quick_kept_space target, birth; /* where the link is, and its socket */
	uint32_t mtu;                          /* as it shall be */
	uint32_t mark;                         /* of the device */
	bool needs_mark;                       /* its rules go by one */
	uint32_t rules_mark;                   /* ... this one */
	bool has_host_routes;                  /* ways to its endpoints that follow the underlay */
	bool has_other_table; /* its routes are not in the main table, nor found by rules of ours */
	/* Routes of the main table that spare allowed IPs one of their own, unless another's within one of them has those. */
	size_t cover_count;
	struct prefix *covers; /* owned */
	size_t repair_count, repair_capacity;
	struct quick_repair *repairs; /* owned; in order */
	char failure
		[QUICK_KEPT_WHY_MAX]; /* the first thing that could not be repaired; "": all is as it shall be */
	size_t peer_count;
	struct quick_kept_peer *peers; /* owned; those with an endpoint, at most QUICK_KEPT_PEERS_MAX */
	size_t peers_left_out;         /* beyond that */
};

/* A failure may come after repairs: ret_kept has them, and is to be cleared, whatever is returned; the rest of it counts
 * if nothing failed. */
int quick_keep(const char *run_directory, const char *name, struct quick_kept *ret_kept, struct err *err);
void quick_kept_clear(struct quick_kept *kept); /* NULL-safe */

/* Names of the tunnels that there are journals of. */
struct quick_kept_names {
	size_t count, capacity;
	char (*items)[IFNAMSIZ]; /* owned; in no order */
};
int quick_kept_list(const char *run_directory, struct quick_kept_names *ret_names, struct err *err);
void quick_kept_names_clear(struct quick_kept_names *names);
#define CLEANUP_QUICK_KEPT_NAMES __attribute__((cleanup(quick_kept_names_clear)))

/* Be the one that keeps this namespace's tunnels: `up` then leaves names that can't be resolved to it. Returns a
 * descriptor to close; -EBUSY: another is. */
int quick_keeper_open(const char *run_directory, struct err *err);
void quick_keeper_close(const char *run_directory, int fd);
/* Where journals and locks come and go. */
int quick_kept_directory(const char *run_directory, char *ret_path, size_t size, struct err *err);

#endif
