/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_LOAD_TAKE_H
#define HOLDFAST_IO_NFT_LOAD_TAKE_H

#include <linux/netlink.h>

#include "node-agent/core/trace/loaded.h"

/*
 * One message of a listing, whoever wrote the ruleset, into what is loaded: as nft_dump() passes them on. What belongs to a
 * table or chain that was not listed is left out: it is newer than the list of those. 0, or -EBADMSG for one that no
 * kernel sends.
 */
int nft_load_take_table(const struct nlmsghdr *message, void *ruleset);
int nft_load_take_chain(const struct nlmsghdr *message, void *ruleset);
int nft_load_take_rule(const struct nlmsghdr *message, void *ruleset);
int nft_load_take_set(const struct nlmsghdr *message, void *ruleset);
/* The context is the struct loaded_set that was asked for. */
int nft_load_take_elements(const struct nlmsghdr *message, void *set);

#endif
