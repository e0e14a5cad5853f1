/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/datagram.h"

#include <errno.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/wire.h"

enum { MAGIC = 'H' << 8 | 'F', FLAG_FROM_CONTROLLER = 1 };
enum { FLAG_LEADER_CONTACT = 1, FLAG_UNDERLAY_OK = 2, FLAG_FLOOR_CONFIRMED = 4, FLAG_FROZEN = 8 };
enum { FLAG_BURST_DONE = 1, FLAG_AGENT_ANSWERED = 2, FLAG_KERNEL_ANSWERED = 4, FLAG_BLIND = 8 };

static bool echo_is_sane(const struct datagram_echo *echo)
{
	return echo->boot || (!echo->time_us && !echo->held_us);
}

static bool seats_are_distinct(const struct datagram_beat *beat)
{
	for (size_t i = 0; i < beat->seat_count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!strcmp(beat->seats[i].endpoint, beat->seats[j].endpoint))
				return false;
		}
	}
	return true;
}

static bool kind_is_known(unsigned kind)
{
	return kind >= DATAGRAM_BEAT && kind <= DATAGRAM_PROMISE;
}

static void put_head(struct wire_writer *writer, const struct datagram_head *head)
{
	if (!kind_is_known(head->kind) || !head->boot || !echo_is_sane(&head->echo))
		writer->error = -EINVAL;
	wire_put_u16(writer, MAGIC);
	wire_put_u8(writer, PROTO_VERSION);
	wire_put_u8(writer, (uint8_t)head->kind);
	wire_put_u8(writer, head->from_controller ? FLAG_FROM_CONTROLLER : 0);
	wire_put_name(writer, head->from);
	wire_put_name(writer, head->to);
	wire_put_u64(writer, head->store);
	wire_put_u64(writer, head->boot);
	wire_put_u64(writer, head->seq);
	wire_put_u64(writer, head->time_us);
	wire_put_u64(writer, head->echo.boot);
	wire_put_u64(writer, head->echo.time_us);
	wire_put_u32(writer, head->echo.held_us);
}

static void put_seat(struct wire_writer *writer, const struct seat_state *seat)
{
	if (!seat_role_name(seat->role))
		writer->error = -EINVAL;
	wire_put_name(writer, seat->endpoint);
	wire_put_u8(writer, (uint8_t)seat->role);
	wire_put_epoch(writer, &seat->epoch);
	wire_put_epoch(writer, &seat->highest);
	wire_put_u32(writer, seat->permit_left_ms);
	wire_put_epoch(writer, &seat->released);
}

static void put_beat(struct wire_writer *writer, const struct datagram_beat *beat)
{
	if (beat->seat_count > PROTO_ENDPOINTS_MAX || beat->floor > INT64_MAX || !seats_are_distinct(beat)) {
		writer->error = -EINVAL;
		return;
	}
	wire_put_u64(writer, beat->generation);
	wire_put_u8(writer, (beat->leader_contact ? FLAG_LEADER_CONTACT : 0) |
				    (beat->underlay_ok ? FLAG_UNDERLAY_OK : 0) |
				    (beat->floor_confirmed ? FLAG_FLOOR_CONFIRMED : 0) |
				    (beat->frozen ? FLAG_FROZEN : 0));
	wire_put_u32(writer, beat->lag_ms);
	wire_put_u8(writer, (uint8_t)beat->seat_count);
	for (size_t i = 0; i < beat->seat_count; i++)
		put_seat(writer, &beat->seats[i]);
	wire_put_u64(writer, beat->floor);
}

static void put_silence(struct wire_writer *writer, const struct datagram_silence *silence)
{
	wire_put_name(writer, silence->suspect);
	wire_put_u32(writer, silence->silent_ms);
	wire_put_u8(writer, (silence->burst_done ? FLAG_BURST_DONE : 0) |
				    (silence->agent_answered ? FLAG_AGENT_ANSWERED : 0) |
				    (silence->kernel_answered ? FLAG_KERNEL_ANSWERED : 0) |
				    (silence->blind ? FLAG_BLIND : 0));
}

static void put_claim(struct wire_writer *writer, const struct claim *claim)
{
	if (!claim->nonce.boot || epoch_is_zero(&claim->epoch))
		writer->error = -EINVAL;
	claim_put(writer, claim);
}

static void put_body(struct wire_writer *writer, const struct datagram *datagram)
{
	switch (datagram->head.kind) {
	case DATAGRAM_BEAT:
		put_beat(writer, &datagram->beat);
		break;
	case DATAGRAM_SILENCE:
		put_silence(writer, &datagram->silence);
		break;
	case DATAGRAM_CLAIM:
	case DATAGRAM_PROMISE:
		put_claim(writer, &datagram->claim);
		break;
	case DATAGRAM_GRANT:
		put_claim(writer, &datagram->grant.claim);
		wire_put_bytes(writer, datagram->grant.signature, GRANT_SIGNATURE_BYTES);
		break;
	case DATAGRAM_PROBE:
	case DATAGRAM_ANSWER:
		break;
	}
}

int datagram_encode(const struct datagram *datagram, uint8_t *buffer, size_t size)
{
	size_t most = PROTO_DATAGRAM_MAX - DATAGRAM_MAC_BYTES;
	struct wire_writer writer = {.bytes = buffer, .size = size < most ? size : most};

	put_head(&writer, &datagram->head);
	if (!writer.error)
		put_body(&writer, datagram);
	return writer.error ? writer.error : (int)writer.length;
}

/* Magic, version and kind, flags and names: what may be looked at before the MAC has been checked. */
static int get_introduction(struct wire_reader *reader, struct datagram_head *head)
{
	unsigned magic = wire_get_u16(reader), version = wire_get_u8(reader);
	unsigned kind = wire_get_u8(reader), flags = wire_get_u8(reader);

	if (reader->failed || magic != MAGIC)
		return -EBADMSG;
	if (version != PROTO_VERSION)
		return -EPROTONOSUPPORT;
	if (!kind_is_known(kind))
		return -EBADMSG;
	head->kind = (enum datagram_kind)kind;
	head->from_controller = flags & FLAG_FROM_CONTROLLER;
	wire_get_name(reader, head->from);
	wire_get_name(reader, head->to);
	return reader->failed ? -EBADMSG : 0;
}

int datagram_peek(const uint8_t *bytes, size_t size, struct datagram_head *ret_head)
{
	struct wire_reader reader = {.bytes = bytes, .size = size};
	struct datagram_head head = {0};
	int r = get_introduction(&reader, &head);

	if (!r)
		*ret_head = head;
	return r;
}

static bool get_rest_of_head(struct wire_reader *reader, struct datagram_head *head)
{
	head->store = wire_get_u64(reader);
	head->boot = wire_get_u64(reader);
	head->seq = wire_get_u64(reader);
	head->time_us = wire_get_u64(reader);
	head->echo.boot = wire_get_u64(reader);
	head->echo.time_us = wire_get_u64(reader);
	head->echo.held_us = wire_get_u32(reader);
	return head->boot && echo_is_sane(&head->echo);
}

static bool get_seat(struct wire_reader *reader, struct seat_state *seat)
{
	wire_get_name(reader, seat->endpoint);
	seat->role = (enum seat_role)wire_get_u8(reader);
	seat->epoch = wire_get_epoch(reader);
	seat->highest = wire_get_epoch(reader);
	seat->permit_left_ms = wire_get_u32(reader);
	seat->released = wire_get_epoch(reader);
	return seat_role_name(seat->role) != NULL;
}

static bool get_beat(struct wire_reader *reader, struct datagram_beat *beat)
{
	unsigned flags;

	beat->generation = wire_get_u64(reader);
	flags = wire_get_u8(reader);
	beat->leader_contact = flags & FLAG_LEADER_CONTACT;
	beat->underlay_ok = flags & FLAG_UNDERLAY_OK;
	beat->floor_confirmed = flags & FLAG_FLOOR_CONFIRMED;
	beat->frozen = flags & FLAG_FROZEN;
	beat->lag_ms = wire_get_u32(reader);
	beat->seat_count = wire_get_u8(reader);
	if (beat->seat_count > PROTO_ENDPOINTS_MAX)
		return false;
	for (size_t i = 0; i < beat->seat_count; i++) {
		if (!get_seat(reader, &beat->seats[i]))
			return false;
	}
	if (reader->position < reader->size)
		beat->floor = wire_get_u64(reader);
	else /* a sender of before says nothing of it, so that there is nothing to confirm either */
		beat->floor_confirmed = false;
	return beat->floor <= INT64_MAX && seats_are_distinct(beat); /* as a generation's number in JSON */
}

static void get_silence(struct wire_reader *reader, struct datagram_silence *silence)
{
	unsigned flags;

	wire_get_name(reader, silence->suspect);
	silence->silent_ms = wire_get_u32(reader);
	flags = wire_get_u8(reader);
	silence->burst_done = flags & FLAG_BURST_DONE;
	silence->agent_answered = flags & FLAG_AGENT_ANSWERED;
	silence->kernel_answered = flags & FLAG_KERNEL_ANSWERED;
	silence->blind = flags & FLAG_BLIND;
}

static bool get_grant(struct wire_reader *reader, struct grant *grant)
{
	bool whole = claim_get(reader, &grant->claim);

	wire_get_bytes(reader, grant->signature, GRANT_SIGNATURE_BYTES);
	return whole;
}

static bool get_body(struct wire_reader *reader, struct datagram *datagram)
{
	switch (datagram->head.kind) {
	case DATAGRAM_BEAT:
		return get_beat(reader, &datagram->beat);
	case DATAGRAM_SILENCE:
		get_silence(reader, &datagram->silence);
		return true;
	case DATAGRAM_CLAIM:
	case DATAGRAM_PROMISE:
		return claim_get(reader, &datagram->claim);
	case DATAGRAM_GRANT:
		return get_grant(reader, &datagram->grant);
	case DATAGRAM_PROBE:
	case DATAGRAM_ANSWER:
		return true;
	}
	return false;
}

/* What follows the body is a newer sender's, whose MAC covers it: it says more, and that much is not for us. */
int datagram_decode(const uint8_t *bytes, size_t size, struct datagram *ret_datagram)
{
	struct wire_reader reader = {.bytes = bytes, .size = size};
	struct datagram datagram = {0};
	int r = get_introduction(&reader, &datagram.head);

	if (r)
		return r;
	if (!get_rest_of_head(&reader, &datagram.head) || !get_body(&reader, &datagram) || reader.failed)
		return -EBADMSG;
	*ret_datagram = datagram;
	return 0;
}

const char *datagram_silence_text(const struct datagram_silence *silence)
{
	if (silence->blind)
		return "it cannot tell";
	return silence->kernel_answered ? "only its kernel answers" : "nothing answers";
}
