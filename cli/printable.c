/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/printable.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

enum { DEL = 0x7f, C1_LEAD = 0xc2, C1_BEGIN = 0x80, C1_NEXT_LINE = 0x85, C1_END = 0xa0 };

/* How many bytes the control character there has; 0: it is none. */
static size_t control_at(const char *text)
{
	unsigned char first = (unsigned char)text[0], second = first ? (unsigned char)text[1] : 0;

	if (first == DEL || (first < ' ' && !strchr("\t\r\n", first)))
		return 1;
	return first == C1_LEAD && second >= C1_BEGIN && second < C1_END && second != C1_NEXT_LINE ? 2 : 0;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (control_at(text))
			return true;
	return false;
}

static void make_text(json_t *json)
{
	CLEANUP_FREE char *text = NULL;
	char *to;

	if (!has_control(json_string_value(json)))
		return;
	to = text = mem_text(json_string_value(json));
	for (const char *from = text; *from; to++) {
		size_t length = control_at(from);

		*to = length ? '?' : *from;
		from += length ? length : 1;
	}
	*to = '\0';
	json_string_set(json, text);
}

void printable_make(json_t *json)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(json))
		make_text(json);
	json_array_foreach(json, i, item) printable_make(item);
	json_object_foreach(json, key, item) printable_make(item);
}
