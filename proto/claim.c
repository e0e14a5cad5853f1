/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/claim.h"

enum { FLAG_SERVES = 1 };

static const char label[] = "holdfast grant";

void claim_put(struct wire_writer *writer, const struct claim *claim)
{
	wire_put_name(writer, claim->endpoint);
	wire_put_name(writer, claim->gateway);
	wire_put_epoch(writer, &claim->epoch);
	wire_put_u8(writer, claim->serves ? FLAG_SERVES : 0);
	wire_put_u64(writer, claim->terms);
	wire_put_u64(writer, claim->nonce.boot);
	wire_put_u64(writer, claim->nonce.time_us);
}

bool claim_get(struct wire_reader *reader, struct claim *ret_claim)
{
	unsigned flags;

	wire_get_name(reader, ret_claim->endpoint);
	wire_get_name(reader, ret_claim->gateway);
	ret_claim->epoch = wire_get_epoch(reader);
	flags = wire_get_u8(reader);
	ret_claim->serves = flags & FLAG_SERVES;
	ret_claim->terms = wire_get_u64(reader);
	ret_claim->nonce.boot = wire_get_u64(reader);
	ret_claim->nonce.time_us = wire_get_u64(reader);
	return !(flags & ~(unsigned)FLAG_SERVES) && ret_claim->nonce.boot &&
	       !epoch_is_zero(&ret_claim->epoch);
}

int grant_text(uint64_t store, const struct claim *claim, uint8_t buffer[GRANT_TEXT_MAX])
{
	struct wire_writer writer = {.bytes = buffer, .size = GRANT_TEXT_MAX};

	wire_put_bytes(&writer, label, sizeof(label));
	wire_put_u8(&writer, PROTO_VERSION);
	wire_put_u64(&writer, store);
	claim_put(&writer, claim);
	return writer.error ? writer.error : (int)writer.length;
}
