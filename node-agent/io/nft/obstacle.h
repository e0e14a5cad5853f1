/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_OBSTACLE_H
#define HOLDFAST_IO_NFT_OBSTACLE_H

#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <stdbool.h>
#include <stddef.h>

#include "node-agent/io/nft/nft.h"

/*
 * Another's chain on the forward hook that drops what its rules do not accept (Docker, ufw, firewalld; iptables as far as
 * it is iptables-nft: the older tables are not to be seen here), in a table in which no rule names this interface. What
 * is forwarded to or from the interface is dropped there, whatever our own tables say.
 */
enum { NFT_OBSTACLE_MAX = 160 };

/* *ret_chain: "ip filter FORWARD", the first; "": there is none. */
int nft_find_obstacle(struct nft *nft, const char *interface, char ret_chain[NFT_OBSTACLE_MAX]);

/* What it looks for in what it is told: is a chain such a one, and does a rule compare with that name? */
bool nft_drops_forwarded(const struct nftnl_chain *chain);
bool nft_names_interface(struct nftnl_rule *rule, const char *interface);

#endif
