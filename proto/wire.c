/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/wire.h"

#include <errno.h>
#include <string.h>

#include "common/base/text.h"
#include "proto/limits.h"

void wire_put_bytes(struct wire_writer *writer, const void *data, size_t size_bytes)
{
	if (!writer->error && size_bytes > writer->size - writer->length)
		writer->error = -EMSGSIZE;
	if (writer->error)
		return;
	memcpy(writer->bytes + writer->length, data, size_bytes);
	writer->length += size_bytes;
}

static void put_number(struct wire_writer *writer, uint64_t value, size_t size_bytes)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size_bytes; i++)
		bytes[i] = (uint8_t)(value >> (8 * (size_bytes - 1 - i)));
	wire_put_bytes(writer, bytes, size_bytes);
}

void wire_put_u8(struct wire_writer *writer, uint8_t value)
{
	put_number(writer, value, 1);
}

void wire_put_u16(struct wire_writer *writer, uint16_t value)
{
	put_number(writer, value, 2);
}

void wire_put_u32(struct wire_writer *writer, uint32_t value)
{
	put_number(writer, value, 4);
}

void wire_put_u64(struct wire_writer *writer, uint64_t value)
{
	put_number(writer, value, 8);
}

void wire_put_name(struct wire_writer *writer, const char *name)
{
	if (!text_is_name(name, PROTO_NAME_MAX)) {
		writer->error = writer->error ? writer->error : -EINVAL;
		return;
	}
	wire_put_u8(writer, (uint8_t)strlen(name));
	wire_put_bytes(writer, name, strlen(name));
}

void wire_put_epoch(struct wire_writer *writer, const struct epoch *epoch)
{
	wire_put_u32(writer, epoch->term);
	wire_put_u32(writer, epoch->n);
	wire_put_u32(writer, epoch->minor);
}

static const uint8_t *get_bytes(struct wire_reader *reader, size_t size_bytes)
{
	const uint8_t *bytes = reader->bytes + reader->position;

	if (size_bytes > reader->size - reader->position)
		reader->failed = true;
	if (reader->failed)
		return NULL;
	reader->position += size_bytes;
	return bytes;
}

static uint64_t get_number(struct wire_reader *reader, size_t size_bytes)
{
	const uint8_t *bytes = get_bytes(reader, size_bytes);
	uint64_t value = 0;

	for (size_t i = 0; bytes && i < size_bytes; i++)
		value = value << 8 | bytes[i];
	return value;
}

void wire_get_bytes(struct wire_reader *reader, void *ret_bytes, size_t size_bytes)
{
	const uint8_t *bytes = get_bytes(reader, size_bytes);

	if (bytes)
		memcpy(ret_bytes, bytes, size_bytes);
	else
		memset(ret_bytes, 0, size_bytes);
}

uint8_t wire_get_u8(struct wire_reader *reader)
{
	return (uint8_t)get_number(reader, 1);
}

uint16_t wire_get_u16(struct wire_reader *reader)
{
	return (uint16_t)get_number(reader, 2);
}

uint32_t wire_get_u32(struct wire_reader *reader)
{
	return (uint32_t)get_number(reader, 4);
}

uint64_t wire_get_u64(struct wire_reader *reader)
{
	return get_number(reader, 8);
}

void wire_get_name(struct wire_reader *reader, char *ret_name)
{
	size_t length = wire_get_u8(reader);
	const uint8_t *bytes = length <= PROTO_NAME_MAX ? get_bytes(reader, length) : NULL;

	memset(ret_name, 0, PROTO_NAME_MAX + 1);
	if (bytes)
		memcpy(ret_name, bytes, length);
	/* An embedded NUL would make two different datagrams name the same gateway. */
	if (!bytes || strlen(ret_name) != length || !text_is_name(ret_name, PROTO_NAME_MAX))
		reader->failed = true;
}

struct epoch wire_get_epoch(struct wire_reader *reader)
{
	struct epoch epoch;

	epoch.term = wire_get_u32(reader);
	epoch.n = wire_get_u32(reader);
	epoch.minor = wire_get_u32(reader);
	return epoch;
}
