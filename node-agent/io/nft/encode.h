/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_ENCODE_H
#define HOLDFAST_IO_NFT_ENCODE_H

#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node-agent/core/firewall/ruleset.h"

/* The ruleset's data in libnftnl's objects, which the caller frees. */
uint16_t nft_family(enum fw_family family);                  /* NFPROTO_... */
uint32_t nft_hook(enum fw_family family, enum fw_hook hook); /* NF_INET_... or NF_ARP_... */
struct nftnl_table *nft_encode_table(
	const struct fw_table *table, const char *scope); /* "": without a comment */
struct nftnl_set *nft_encode_set(const struct fw_table *table, const struct fw_set *set, uint32_t id);
struct nftnl_chain *nft_encode_chain(const struct fw_table *table, const struct fw_chain *chain);
struct nftnl_rule *nft_encode_rule(
	const struct fw_table *table, const struct fw_chain *chain, const struct fw_rule *rule);

/* The scope in a table's comment, as nft_encode_table() wrote it, into scope; false if it has none. */
bool nft_decode_scope(const struct nftnl_table *table, char *scope, size_t size);

#endif
