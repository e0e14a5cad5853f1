/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/key.h"

#include <errno.h>
#include <string.h>

#include "common/base/mem.h"

/* Both directions without tables or branches that depend on the key's bits, as wg(8) does: a cache must not learn
 * them. in_range is all ones if low <= c <= high. */
static int in_range(int c, int low, int high)
{
	return ((low - 1 - c) & (c - high - 1)) >> 8;
}

static int decode_sextet(char character)
{
	int c = (unsigned char)character, value = -1;

	value += in_range(c, 'A', 'Z') & (c - 'A' + 1);
	value += in_range(c, 'a', 'z') & (c - 'a' + 27);
	value += in_range(c, '0', '9') & (c - '0' + 53);
	value += in_range(c, '+', '+') & 63;
	value += in_range(c, '/', '/') & 64;
	return value; /* -1: not of the alphabet */
}

static char encode_sextet(unsigned value)
{
	int v = (int)value;
	int c = in_range(v, 0, 25) & (v + 'A');

	c |= in_range(v, 26, 51) & (v - 26 + 'a');
	c |= in_range(v, 52, 61) & (v - 52 + '0');
	c |= in_range(v, 62, 62) & '+';
	c |= in_range(v, 63, 63) & '/';
	return (char)c;
}

/* 43 characters hold 258 bits: the last two must be zero, or one key would have four texts. */
static int decode(const char *text, uint8_t bytes[KEY_BYTES])
{
	uint32_t bits = 0;
	int bad = 0;
	size_t filled = 0, have = 0;

	for (size_t i = 0; i < KEY_TEXT_LENGTH - 1; i++) {
		int value = decode_sextet(text[i]);

		bad |= value;
		bits = bits << 6 | (uint32_t)(value & 63);
		have += 6;
		if (have >= 8) {
			have -= 8;
			bytes[filled++] = (uint8_t)(bits >> have);
		}
	}
	return bad < 0 || (bits & 3) != 0 ? -EINVAL : 0;
}

int key_parse(const char *text, struct key *ret_key, struct err *err)
{
	struct key key CLEANUP_KEY;

	if (strnlen(text, KEY_TEXT_LENGTH + 1) != KEY_TEXT_LENGTH || text[KEY_TEXT_LENGTH - 1] != '=')
		return err_set(err, -EINVAL,
			"not a WireGuard key: expected 44 characters of base64 that end in '='");
	if (decode(text, key.bytes) < 0)
		return err_set(err, -EINVAL, "not a WireGuard key: not canonical base64 of 32 bytes");
	*ret_key = key;
	return 0;
}

static int hex_digit(char character)
{
	int c = (unsigned char)character, value = -1;

	value += in_range(c, '0', '9') & (c - '0' + 1);
	value += in_range(c, 'a', 'f') & (c - 'a' + 11);
	value += in_range(c, 'A', 'F') & (c - 'A' + 11);
	return value;
}

int key_parse_hex(const char *text, struct key *ret_key)
{
	struct key key CLEANUP_KEY;
	int bad = 0;

	if (strnlen(text, KEY_HEX_MAX) != KEY_HEX_MAX - 1)
		return -EINVAL;
	for (size_t i = 0; i < KEY_BYTES; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		bad |= high | low;
		key.bytes[i] = (uint8_t)((unsigned)high << 4 | ((unsigned)low & 15));
	}
	if (bad < 0)
		return -EINVAL;
	*ret_key = key;
	return 0;
}

char *key_format(const struct key *key, char buffer[KEY_TEXT_MAX])
{
	uint32_t bits = 0;
	size_t have = 0, filled = 0;

	for (size_t i = 0; i < KEY_BYTES; i++) {
		bits = bits << 8 | key->bytes[i];
		for (have += 8; have >= 6; have -= 6)
			buffer[filled++] = encode_sextet(bits >> (have - 6) & 63);
	}
	buffer[filled++] = encode_sextet(bits << (6 - have) & 63);
	buffer[filled++] = '=';
	buffer[filled] = '\0';
	return buffer;
}

static char encode_nibble(unsigned value)
{
	int v = (int)value;

	return (char)((in_range(v, 0, 9) & (v + '0')) | (in_range(v, 10, 15) & (v - 10 + 'a')));
}

char *key_format_hex(const struct key *key, char buffer[KEY_HEX_MAX])
{
	for (size_t i = 0; i < KEY_BYTES; i++) {
		buffer[2 * i] = encode_nibble(key->bytes[i] >> 4);
		buffer[2 * i + 1] = encode_nibble(key->bytes[i] & 15);
	}
	buffer[KEY_HEX_MAX - 1] = '\0';
	return buffer;
}

bool key_equal(const struct key *a, const struct key *b)
{
	volatile uint8_t difference = 0;

	for (size_t i = 0; i < KEY_BYTES; i++)
		difference |= a->bytes[i] ^ b->bytes[i];
	return difference == 0;
}

bool key_is_zero(const struct key *key)
{
	static const struct key zero;

	return key_equal(key, &zero);
}

void key_wipe(struct key *key)
{
	mem_wipe(key, sizeof *key);
}
