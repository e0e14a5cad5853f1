/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_ENCODE_INT_H
#define HOLDFAST_IO_NFT_ENCODE_INT_H

/* Inside encode*.c only. The object itself; NULL ends the program: libnftnl has no other error than running out of memory. */
void *nft_must(void *object);

#endif
