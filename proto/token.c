/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/token.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

#define PREFIX "hf1_"
#define SCHEME "https://"

enum {
	CHECKSUM_BYTES = 4,
	BYTES_MIN = 2 * KEY_BYTES + 2 + CHECKSUM_BYTES,
	BYTES_MAX = BYTES_MIN + PROTO_NAME_MAX + TOKEN_URL_MAX,
	BITS_OF_DIGIT = 6,
	BITS_OF_BYTE = 8,
};

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* CRC-32 as Ethernet and zlib have it: reflected, polynomial 0x04c11db7. */
static uint32_t checksum(const uint8_t *bytes, size_t size)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < BITS_OF_BYTE; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

static void put_checksum(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < CHECKSUM_BYTES; i++)
		at[i] = (uint8_t)(value >> (BITS_OF_BYTE * (CHECKSUM_BYTES - 1 - i)));
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t size)
{
	memcpy(at, bytes, size);
	return at + size;
}

static uint8_t *put_text(uint8_t *at, const char *text)
{
	size_t length = strlen(text);

	*at = (uint8_t)length;
	return put_bytes(at + 1, text, length);
}

static void encode_digits(const uint8_t *bytes, size_t size, char *to)
{
	uint32_t held = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < size; i++) {
		held = (held << BITS_OF_BYTE | bytes[i]) & 0xffff;
		for (bits += BITS_OF_BYTE; bits >= BITS_OF_DIGIT; bits -= BITS_OF_DIGIT)
			*to++ = digits[held >> (bits - BITS_OF_DIGIT) & 0x3f];
	}
	if (bits)
		*to++ = digits[held << (BITS_OF_DIGIT - bits) & 0x3f];
	*to = '\0';
}

char *token_encode(const struct token *token, char buffer[TOKEN_TEXT_MAX])
{
	uint8_t bytes[BYTES_MAX], *end = bytes;

	end = put_bytes(end, token->authority.bytes, KEY_BYTES);
	end = put_bytes(end, token->secret.bytes, KEY_BYTES);
	end = put_text(end, token->gateway);
	end = put_text(end, token->controller);
	put_checksum(end, checksum(bytes, (size_t)(end - bytes)));
	end += CHECKSUM_BYTES;
	memcpy(buffer, PREFIX, strlen(PREFIX));
	encode_digits(bytes, (size_t)(end - bytes), buffer + strlen(PREFIX));
	mem_wipe(bytes, sizeof(bytes));
	return buffer;
}

/* Canonical: one text for the same bytes. -EINVAL, also when it is longer than any token. */
static int decode_digits(const char *text, size_t length, uint8_t *to, size_t *ret_size)
{
	uint32_t held = 0;
	unsigned bits = 0;
	size_t size = 0;

	for (size_t i = 0; i < length; i++) {
		const char *digit = strchr(digits, text[i]);

		if (!digit || size == BYTES_MAX)
			return -EINVAL;
		held = (held << BITS_OF_DIGIT | (uint32_t)(digit - digits)) & 0xffff;
		bits += BITS_OF_DIGIT;
		if (bits < BITS_OF_BYTE)
			continue;
		bits -= BITS_OF_BYTE;
		to[size++] = (uint8_t)(held >> bits);
	}
	*ret_size = size;
	return bits >= BITS_OF_DIGIT || held & ((1u << bits) - 1) ? -EINVAL : 0;
}

struct reader {
	const uint8_t *at, *end;
};

static bool take_bytes(struct reader *reader, void *to, size_t size)
{
	if ((size_t)(reader->end - reader->at) < size)
		return false;
	memcpy(to, reader->at, size);
	reader->at += size;
	return true;
}

static bool take_text(struct reader *reader, char *to, size_t max)
{
	uint8_t length;

	if (!take_bytes(reader, &length, 1) || length > max || !take_bytes(reader, to, length))
		return false;
	to[length] = '\0';
	return strlen(to) == length;
}

/* What join writes into agent.yaml, between quotes: nothing that could end them. */
static bool is_controller(const char *url)
{
	size_t scheme = strlen(SCHEME), length = strlen(url);

	if (strncmp(url, SCHEME, scheme) != 0 || length == scheme)
		return false;
	for (const char *at = url + scheme; *at; at++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]%", *at))
			return false;
	return true;
}

static bool take_all(struct reader *reader, struct token *token)
{
	return take_bytes(reader, token->authority.bytes, KEY_BYTES) &&
	       take_bytes(reader, token->secret.bytes, KEY_BYTES) &&
	       take_text(reader, token->gateway, PROTO_NAME_MAX) &&
	       take_text(reader, token->controller, TOKEN_URL_MAX) && reader->at == reader->end &&
	       text_is_name(token->gateway, PROTO_NAME_MAX) && is_controller(token->controller);
}

static bool is_whole(const uint8_t *bytes, size_t size)
{
	uint8_t expected[CHECKSUM_BYTES];

	if (size < BYTES_MIN)
		return false;
	put_checksum(expected, checksum(bytes, size - CHECKSUM_BYTES));
	return memcmp(expected, bytes + size - CHECKSUM_BYTES, CHECKSUM_BYTES) == 0;
}

int token_decode(const char *text, struct token *ret_token, struct err *err)
{
	static const char space[] = " \t\r\n";
	uint8_t bytes[BYTES_MAX];
	struct token token = {0};
	size_t length, size = 0;
	int r = 0;

	text += strspn(text, space);
	length = strcspn(text, space);
	if (strncmp(text, PREFIX, strlen(PREFIX)) != 0 || text[length + strspn(text + length, space)])
		return err_set(err, -EINVAL,
			"this is no token: 'holdfast invite' prints one, a word that begins with " PREFIX);
	if (decode_digits(text + strlen(PREFIX), length - strlen(PREFIX), bytes, &size) < 0 ||
		!is_whole(bytes, size)) {
		r = err_set(err, -EINVAL, "the token is damaged: was all of it copied?");
	} else {
		struct reader reader = {bytes, bytes + size - CHECKSUM_BYTES};

		if (!take_all(&reader, &token))
			r = err_set(err, -EINVAL,
				"the token does not name a gateway and an https://HOST:PORT: it is of "
				"another "
				"version");
	}
	if (!r)
		*ret_token = token;
	mem_wipe(bytes, sizeof(bytes));
	mem_wipe(&token, sizeof(token));
	return r;
}
