/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "proto/datagram.h"
#include "tests/fuzz/fuzz_target.h"

/* What decodes is canonical: it encodes to the same bytes. And a peek sees the same names. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[PROTO_DATAGRAM_MAX];
	struct datagram datagram;
	struct datagram_head head;
	int peeked = datagram_peek(data, size, &head);

	if (datagram_decode(data, size, &datagram))
		return 0;
	FUZZ_CHECK(!peeked && !strcmp(head.from, datagram.head.from) && !strcmp(head.to, datagram.head.to));
	if (size > PROTO_DATAGRAM_MAX - DATAGRAM_MAC_BYTES)
		return 0;
	FUZZ_CHECK(datagram_encode(&datagram, again, sizeof(again)) == (int)size);
	FUZZ_CHECK(!memcmp(data, again, size));
	return 0;
}
