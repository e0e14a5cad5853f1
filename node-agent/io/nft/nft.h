/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_NFT_H
#define HOLDFAST_IO_NFT_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "node-agent/core/firewall/permit.h"
#include "node-agent/core/firewall/ruleset.h"

/*
 * nftables over one netlink socket (libmnl, libnftnl; linux/netfilter/nf_tables.h), in the network namespace the
 * caller is in when it opens. Calls are synchronous: the kernel has answered when they return. Needs CAP_NET_ADMIN.
 *
 * Other programs change nftables at the same time. A batch waits for them inside the kernel; a dump is told that
 * it was interrupted, and is started again here, at most NFT_ATTEMPTS_MAX times: others commit once in some hundred
 * microseconds at most, a dump of our small tables takes a fraction of that.
 */
enum { NFT_ATTEMPTS_MAX = 1000 };

struct nft;

int nft_open(struct nft **ret_nft, struct err *err);
void nft_close(struct nft *nft); /* NULL-safe; what is in the kernel stays */

/* The port id of the socket: nft_watch_open() leaves out what this socket did. */
uint32_t nft_port_id(const struct nft *nft);

/*
 * Is the ruleset in place, rule by rule and expression by expression, as the kernel lists it? Elements and counters
 * do not count. Also differs when a table of the same scope is left over.
 */
struct nft_difference {
	bool differs;
	bool fence_missing; /* a permit set, or the table that holds it, is not there: the fence is open */
	char what[256];     /* the first difference, for a person: "inet holdfast fence_in: rule 3" */
};

/* -EPROTONOSUPPORT: the kernel has no nftables. */
int nft_observe(struct nft *nft, const struct fw_ruleset *ruleset, struct nft_difference *ret_difference,
	struct err *err);

/*
 * Make it so, in one batch: packets see the old rules or the new ones. Does nothing when nothing differs.
 * Permit sets and their elements are kept, so that applying neither fences nor un-fences. Only where a set had to be
 * made (first start, or somebody flushed the ruleset) the elements of `permits` are put into it, in the same batch,
 * each with its timeout; pass what this gateway holds the right to serve now, or none: then everything is fenced.
 * -ESTALE: others kept changing the same tables.
 */
struct nft_seed {
	struct fw_permit permit;
	int64_t timeout_ms; /* 1 at least */
};

/* -EOPNOTSUPP: the kernel lacks what one of the rules needs; -EPROTONOSUPPORT: it has no nftables at all. Modules that are
 * there are loaded by the kernel when they are needed. */
bool nft_is_unsupported(int error);

int nft_apply(struct nft *nft, const struct fw_ruleset *ruleset, const struct nft_seed *seeds,
	size_t seed_count, bool *ret_changed, struct err *err);

/* Would the kernel take it, from what is there now? nft_apply()'s one batch and its errors, tried and undone: nothing is changed, nobody is
 * told. Nothing is asked when nothing differs, and nothing is wanted of a kernel without nftables by a ruleset without tables. */
int nft_try(struct nft *nft, const struct fw_ruleset *ruleset, struct err *err);

/* Is there a table of this name, whosever it is? */
int nft_has_table(struct nft *nft, enum fw_family family, const char *name, bool *ret_has, struct err *err);

/* The comment of a set, "" if it has none. -ENOENT: there is no such set. */
int nft_set_comment(struct nft *nft, enum fw_family family, const char *table, const char *set,
	char *ret_comment, size_t size);

/* Remove all tables of a scope, the fence's included: for `down` and for removing the product. */
int nft_remove(struct nft *nft, const char *scope, struct err *err);

#endif
