/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_ATTR_H
#define HOLDFAST_IO_NFT_ATTR_H

#include <libmnl/libmnl.h>
#include <stdint.h>

/* Attributes of what the kernel says; NULL: there is none of that type. */
const struct nlattr *nft_attr(const struct nlmsghdr *message, uint16_t type); /* after the nfgenmsg */
const struct nlattr *nft_attr_within(const struct nlattr *nest, uint16_t type);
/* The table a message is about: attribute 1 of every object (linux/netfilter/nf_tables.h). "" if it names none. */
const char *nft_attr_table(const struct nlmsghdr *message);

#endif
