/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_SHAPE_H
#define HOLDFAST_IO_NFT_SHAPE_H

#include <libmnl/libmnl.h>
#include <stdbool.h>

/*
 * Whether libnftnl may see a message that tells of a table, chain, rule, set or set elements: it ends the process where an
 * attribute is not of the size that its type has (linux/netfilter/nf_tables.h), and takes some that are not there as there.
 * False, too: an expression that is not known here, or more than
 * NFT_SHAPE_DEPTH_MAX nests within each other.
 */
#define NFT_SHAPE_DEPTH_MAX 16

bool nft_shape_ok(const struct nlmsghdr *message);

#endif
