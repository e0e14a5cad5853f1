/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "proto/datagram.h"
#include "tests/fuzz/fuzz_target.h"

/* What is known of it has one form: encoded, decoded and encoded again it is the same. And a peek sees the same names. */
enum { FLOOR_BYTES = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t text[PROTO_DATAGRAM_MAX], again[PROTO_DATAGRAM_MAX];
	struct datagram datagram, back;
	int length;
	struct datagram_head head;
	int peeked = datagram_peek(data, size, &head);

	if (datagram_decode(data, size, &datagram))
		return 0;
	FUZZ_CHECK(!peeked && !strcmp(head.from, datagram.head.from) && !strcmp(head.to, datagram.head.to));
	if (size > PROTO_DATAGRAM_MAX - DATAGRAM_MAC_BYTES)
		return 0;
	length = datagram_encode(&datagram, text, sizeof(text));
	/* A beat of before there was a revocation floor gets one. */
	FUZZ_CHECK(length > 0 &&
		   (size_t)length <= size + (datagram.head.kind == DATAGRAM_BEAT ? FLOOR_BYTES : 0));
	FUZZ_CHECK(!datagram_decode(text, (size_t)length, &back));
	FUZZ_CHECK(datagram_encode(&back, again, sizeof(again)) == length);
	FUZZ_CHECK(!memcmp(text, again, (size_t)length));
	return 0;
}
