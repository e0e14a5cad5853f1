/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_OBSTACLE_H
#define HOLDFAST_IO_NFT_OBSTACLE_H

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

#endif
