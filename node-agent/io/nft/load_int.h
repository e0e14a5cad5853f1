/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_LOAD_INT_H
#define HOLDFAST_IO_NFT_LOAD_INT_H

#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <linux/netlink.h>

#include "node-agent/core/trace/loaded.h"

/* Inside hf_agent_nft: libnftnl's objects into loaded ones. What is not understood becomes LOADED_PERHAPS, never nothing. */
void nft_load_expr(struct nftnl_expr *from, struct loaded_rule *to);

/* load_xt.c: what iptables-nft could not say in expressions. */
void nft_load_match(struct nftnl_expr *from, struct loaded_rule *to);
void nft_load_target(struct nftnl_expr *from, struct loaded_rule *to);

/* The set without its elements, and one element. -EBADMSG: a key, or a field of one, that no register has room for. */
int nft_load_set(const struct nlmsghdr *message, const struct nftnl_set *from, struct loaded_set *to);
void nft_load_element(struct nftnl_set_elem *from, struct loaded_set *to);

#endif
