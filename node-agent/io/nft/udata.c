/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/nft/udata.h"

enum { HEADER_BYTES = 2 };

const char *nft_udata_text(const void *data, size_t size_bytes, uint8_t type)
{
	const uint8_t *attr = data, *end = attr + size_bytes, *value;
	const char *text = NULL;
	while (end - attr >= HEADER_BYTES && end - attr - HEADER_BYTES >= attr[1]) {
		value = attr + HEADER_BYTES;
		if (attr[0] == type && attr[1] > 0 && value[attr[1] - 1] == '\0')
			text = (const char *)value;
		attr = value + attr[1];
	}
	return text;
}
