/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_DECODE_H
#define HOLDFAST_IO_NFT_DECODE_H

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <stdint.h>

#include "node-agent/io/nft/watch.h"

/*
 * What one message from the kernel says (linux/netfilter/nf_tables.h). None of these does I/O, so tests feed them bytes.
 * libnftnl reads the attributes; what every object of a kind has, and its users rely on, is checked here.
 */

/* The object, which the caller frees. -EBADMSG: malformed, or it lacks a name of its own or of what it belongs to. */
int nft_decode_table(const struct nlmsghdr *message, struct nftnl_table **ret_table);
int nft_decode_set(const struct nlmsghdr *message, struct nftnl_set **ret_set);
int nft_decode_chain(const struct nlmsghdr *message, struct nftnl_chain **ret_chain);
int nft_decode_rule(const struct nlmsghdr *message, struct nftnl_rule **ret_rule);

/* How long the first element of the message has left; 0: it has none, or no end. */
int64_t nft_decode_expiration_ms(const struct nlmsghdr *message);
/* What an event means for us. */
enum nft_news nft_decode_news(const struct nlmsghdr *message);

#endif
