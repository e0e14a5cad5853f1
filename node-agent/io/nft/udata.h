/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_NFT_UDATA_H
#define HOLDFAST_IO_NFT_UDATA_H

#include <stddef.h>
#include <stdint.h>

/*
 * User data of nftables objects: bytes that whoever made the object chose and the kernel hands on unread. By nft's
 * convention they are attributes: type, length, so many bytes (libnftnl, udata.h). libnftnl's own reader trusts the lengths.
 */

/* The text of the last attribute of that type, terminated inside the data; NULL: there is none. */
const char *nft_udata_text(const void *data, size_t size_bytes, uint8_t type);

#endif
