/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_WIRE_H
#define HOLDFAST_PROTO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/epoch.h"

/*
 * Big-endian bytes, written and read from front to back. Both remember the first failure and then do nothing,
 * so that a codec is a plain list of fields with one question at the end.
 */
struct wire_writer {
	uint8_t *bytes;
	size_t size, length; /* room, and how much is written */
	int error;           /* 0, -EMSGSIZE (full) or -EINVAL (a value that may not travel) */
};

struct wire_reader {
	const uint8_t *bytes;
	size_t size, position;
	bool failed; /* too short, or a name that is none; everything read since is zero */
};

void wire_put_u8(struct wire_writer *writer, uint8_t value);
void wire_put_u16(struct wire_writer *writer, uint16_t value);
void wire_put_u32(struct wire_writer *writer, uint32_t value);
void wire_put_u64(struct wire_writer *writer, uint64_t value);
void wire_put_bytes(struct wire_writer *writer, const void *data, size_t size_bytes);
/* One byte of length and the name; it must be one (text_is_name, PROTO_NAME_MAX). */
void wire_put_name(struct wire_writer *writer, const char *name);
void wire_put_epoch(struct wire_writer *writer, const struct epoch *epoch);

uint8_t wire_get_u8(struct wire_reader *reader);
uint16_t wire_get_u16(struct wire_reader *reader);
uint32_t wire_get_u32(struct wire_reader *reader);
uint64_t wire_get_u64(struct wire_reader *reader);
struct epoch wire_get_epoch(struct wire_reader *reader);
/* Zeros, when it has failed. */
void wire_get_bytes(struct wire_reader *reader, void *ret_bytes, size_t size_bytes);
/* ret_name holds PROTO_NAME_MAX + 1 bytes. */
void wire_get_name(struct wire_reader *reader, char *ret_name);

#endif
