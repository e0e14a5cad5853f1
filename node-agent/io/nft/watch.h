/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_WATCH_H
#define HOLDFAST_IO_NFT_WATCH_H

#include "common/base/err.h"
#include "node-agent/io/nft/nft.h"

/*
 * Tells when somebody else changes our tables (`nft flush ruleset` opens the fence). Multicast group
 * NFNLGRP_NFTABLES; a filter in the kernel leaves out what `nft` itself did, so that renewals wake nobody.
 */
struct nft_watch;

enum nft_news {
	NFT_NEWS_NONE,    /* nothing */
	NFT_NEWS_OTHERS,  /* somebody has changed tables that are not ours */
	NFT_NEWS_CHANGED, /* something in a table of ours, or events were lost: nft_observe() */
	NFT_NEWS_GONE,    /* a table of ours was deleted: nft_apply() now */
};

int nft_watch_open(const struct nft *nft, struct nft_watch **ret_watch, struct err *err);
void nft_watch_close(struct nft_watch *watch);   /* NULL-safe */
int nft_watch_fd(const struct nft_watch *watch); /* readable: nft_watch_read() */
/* Takes in all that is there and tells the worst of it. Never blocks. */
enum nft_news nft_watch_read(struct nft_watch *watch);

#endif
