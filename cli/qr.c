/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/qr.h"

#include <errno.h>
#include <qrencode.h>
#include <stdlib.h>

#include "common/base/mem.h"

enum { MODULE_DARK = 1 }; /* the lowest bit of libqrencode's modules */

int qr_encode(const void *data, size_t size, struct qr *ret_qr)
{
	QRcode *code;
	size_t modules;

	if (size > QR_BYTES_MAX)
		return -E2BIG;
	code = QRcode_encodeData((int)size, data, 0, QR_ECLEVEL_L);
	if (!code)
		return -errno;
	modules = (size_t)code->width * (size_t)code->width;
	ret_qr->width = (unsigned)code->width;
	for (size_t i = 0; i < modules; i++)
		ret_qr->dark[i] = code->data[i] & MODULE_DARK;
	mem_wipe(code->data, modules);
	QRcode_free(code);
	return 0;
}

void qr_wipe(struct qr *qr)
{
	mem_wipe(qr, sizeof(*qr));
}

/* With the margin. */
static bool is_dark(const struct qr *qr, unsigned row, unsigned column)
{
	if (row < QR_MARGIN || column < QR_MARGIN)
		return false;
	row -= QR_MARGIN;
	column -= QR_MARGIN;
	return row < qr->width && column < qr->width && qr->dark[row * qr->width + column];
}

static const char *half_blocks(bool light_above, bool light_below)
{
	if (light_above)
		return light_below ? "\u2588" : "\u2580";
	return light_below ? "\u2584" : " ";
}

void qr_draw(const struct qr *qr, bool coloured, struct text *out)
{
	unsigned side = qr->width + 2 * QR_MARGIN;

	for (unsigned row = 0; row < side; row += 2) {
		text_add(out, "%s",
			coloured ? "\033[97;40m" : ""); /* what is light is drawn: bright white on black */
		for (unsigned column = 0; column < side; column++)
			text_add(out, "%s",
				half_blocks(!is_dark(qr, row, column),
					row + 1 < side && !is_dark(qr, row + 1, column)));
		text_add(out, "%s\n", coloured ? "\033[0m" : "");
	}
}

/* ---- PNG ---- */

enum {
	STORED_MAX = 65535, /* bytes of a block of DEFLATE that is not compressed (RFC 1951 3.2.4) */
	ADLER_MODULUS = 65521,
};

struct chunk {
	struct text *out;
	uint32_t crc;
};

static void add_byte(struct chunk *chunk, uint8_t byte)
{
	text_add_bytes(chunk->out, &byte, 1);
	chunk->crc ^= byte; /* CRC-32 of ISO 3309, bit by bit: pictures are small */
	for (int bit = 0; bit < 8; bit++)
		chunk->crc = chunk->crc >> 1 ^ (chunk->crc & 1 ? UINT32_C(0xedb88320) : 0);
}

static void add_u32(struct chunk *chunk, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		add_byte(chunk, (uint8_t)(value >> shift));
}

static void begin_chunk(struct chunk *chunk, struct text *out, const char type[5], size_t size)
{
	*chunk = (struct chunk){.out = out};
	add_u32(chunk, (uint32_t)size);
	chunk->crc = UINT32_MAX; /* the length is not part of it */
	for (size_t i = 0; i < 4; i++)
		add_byte(chunk, (uint8_t)type[i]);
}

static void end_chunk(struct chunk *chunk)
{
	add_u32(chunk, ~chunk->crc);
}

static void add_header(struct text *out, unsigned side)
{
	static const uint8_t form[] = {
		1, 0, 0, 0, 0}; /* one bit, grey, the only compression and filters, not interlaced */
	struct chunk chunk;

	begin_chunk(&chunk, out, "IHDR", 8 + sizeof(form));
	add_u32(&chunk, side);
	add_u32(&chunk, side);
	for (size_t i = 0; i < sizeof(form); i++)
		add_byte(&chunk, form[i]);
	end_chunk(&chunk);
}

/* The rows, each with the number of its filter (0: none) in front. The caller wipes and frees. */
static uint8_t *make_rows(const struct qr *qr, unsigned scale, unsigned side, size_t *ret_size)
{
	size_t stride = 1 + (side + 7) / 8;
	uint8_t *rows = mem_new(side, stride);

	for (unsigned y = 0; y < side; y++)
		for (unsigned x = 0; x < side; x++)
			if (!is_dark(qr, y / scale, x / scale))
				rows[y * stride + 1 + x / 8] |= (uint8_t)(0x80 >> x % 8);
	*ret_size = side * stride;
	return rows;
}

static uint32_t adler32(const uint8_t *data, size_t size)
{
	uint32_t low = 1, high = 0;

	for (size_t i = 0; i < size; i++) {
		low = (low + data[i]) % ADLER_MODULUS;
		high = (high + low) % ADLER_MODULUS;
	}
	return high << 16 | low;
}

/* zlib's format (RFC 1950) around blocks that are stored as they are. */
static void add_rows(struct text *out, const uint8_t *rows, size_t size)
{
	size_t blocks = (size + STORED_MAX - 1) / STORED_MAX;
	struct chunk chunk;

	begin_chunk(&chunk, out, "IDAT", 2 + blocks * 5 + size + 4);
	add_byte(&chunk, 0x78); /* DEFLATE, a window of 32 KiB */
	add_byte(&chunk, 0x01); /* no dictionary; makes both a multiple of 31 */
	for (size_t at = 0; at < size; at += STORED_MAX) {
		size_t length = size - at < STORED_MAX ? size - at : STORED_MAX;

		add_byte(&chunk, at + length == size); /* the last? */
		add_byte(&chunk, (uint8_t)length);
		add_byte(&chunk, (uint8_t)(length >> 8));
		add_byte(&chunk, (uint8_t)~length);
		add_byte(&chunk, (uint8_t)(~length >> 8));
		for (size_t i = 0; i < length; i++)
			add_byte(&chunk, rows[at + i]);
	}
	add_u32(&chunk, adler32(rows, size));
	end_chunk(&chunk);
}

void qr_png(const struct qr *qr, unsigned scale, struct text *out)
{
	unsigned side = (qr->width + 2 * QR_MARGIN) * scale;
	size_t size;
	uint8_t *rows = make_rows(qr, scale, side, &size);
	struct chunk chunk;

	text_add_bytes(out, "\x89PNG\r\n\x1a\n", 8);
	add_header(out, side);
	add_rows(out, rows, size);
	begin_chunk(&chunk, out, "IEND", 0);
	end_chunk(&chunk);
	mem_wipe(rows, size);
	free(rows);
}
