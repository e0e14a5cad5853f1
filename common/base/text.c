/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

enum { WORD_MAX = 64 }; /* longer words have no neighbours: nobody mistypes them, and the table stays small */

static void reserve(struct text *text, size_t more)
{
	size_t need;

	if (__builtin_add_overflow(text->length, more, &need) ||
		__builtin_add_overflow(need, (size_t)1, &need))
		need = SIZE_MAX; /* cannot be had: mem_grow() says so */
	text->data = mem_grow(text->data, &text->capacity, need, 1);
}

void text_add(struct text *text, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return;
	reserve(text, (size_t)length);
	va_start(args, format);
	vsnprintf(text->data + text->length, (size_t)length + 1, format, args);
	va_end(args);
	text->length += (size_t)length;
}

void text_add_bytes(struct text *text, const void *data, size_t size_bytes)
{
	reserve(text, size_bytes);
	if (size_bytes > 0)
		memcpy(text->data + text->length, data, size_bytes);
	text->length += size_bytes;
	text->data[text->length] = '\0';
}

void text_clear(struct text *text)
{
	free(text->data);
	*text = (struct text){0};
}

char *text_take(struct text *text)
{
	char *data = text->data ? text->data : mem_text("");

	*text = (struct text){0};
	return data;
}

bool text_copy(char *to, size_t size, const char *from)
{
	size_t length = strlen(from);

	if (size == 0)
		return false;
	if (length < size) {
		memcpy(to, from, length + 1);
		return true;
	}
	memcpy(to, from, size - 1);
	to[size - 1] = '\0';
	return false;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

/* Edit distance where a swap of neighbours, the commonest slip, counts one (optimal string alignment). */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned rows[3][WORD_MAX + 1] = {{0}};
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_length; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned *reused = before;

		before = above;
		above = row;
		row = reused;
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min3(row[j], before[j - 2] + 1, row[j]);
		}
	}
	return row[b_length];
}

const char *text_nearest(const char *word, const char *const candidates[], size_t count)
{
	size_t length = strlen(word);
	unsigned best = length / 3 > 1 ? (unsigned)(length / 3) : 1;
	const char *nearest = NULL;

	if (length == 0 || length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(candidates[i]);
		unsigned d = other <= WORD_MAX ? distance(word, length, candidates[i], other) : WORD_MAX;

		if (d < best || (d == best && !nearest)) {
			best = d;
			nearest = candidates[i];
		}
	}
	return nearest;
}

int text_to_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (*text == '\0')
		return -EINVAL;
	for (const char *p = text; *p != '\0'; p++)
		if (*p < '0' || *p > '9')
			return -EINVAL;
	for (const char *p = text; *p != '\0'; p++)
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -ERANGE;
	if (value < min || value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

static bool is_alphanumeric(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* U+0080 to U+009F: two bytes of UTF-8. */
static bool is_c1(const unsigned char *p)
{
	return p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f;
}

char *text_for_terminal(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++) {
		if (is_c1(p))
			p[0] = p[1] = '?';
		else if (*p < ' ' || *p == 0x7f)
			*p = '?';
	}
	return text;
}

bool text_is_name(const char *text, size_t max)
{
	size_t length = strlen(text);

	if (length == 0 || length > max || !is_alphanumeric(text[0]))
		return false;
	for (const char *p = text; *p != '\0'; p++)
		if (!is_alphanumeric(*p) && *p != '_' && *p != '.' && *p != '-')
			return false;
	return true;
}
