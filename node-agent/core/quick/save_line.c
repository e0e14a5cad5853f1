/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/save_line.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

void save_lines_init(struct save_lines *lines, const char *text, size_t size)
{
	struct quick_lines from;
	struct quick_line line;

	*lines = (struct save_lines){0};
	quick_lines_init(&from, text, size);
	while (quick_lines_next(&from, &line)) {
		struct quick_span content = quick_trim(line.text);
		struct save_line *to;

		lines->items =
			mem_grow(lines->items, &lines->capacity, lines->count + 1, sizeof(*lines->items));
		to = &lines->items[lines->count++];
		to->line = line;
		to->is_key = content.length && content.at[0] != '#';
	}
}

static void wipe_text(char *text)
{
	if (text)
		mem_wipe(text, strlen(text));
	free(text);
}

void save_lines_clear(struct save_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		wipe_text(lines->items[i].changed);
		wipe_text(lines->items[i].after.data);
	}
	free(lines->items);
	*lines = (struct save_lines){0};
}

static size_t add(char *to, const char *text, size_t length)
{
	if (to && length)
		memcpy(to, text, length);
	return length;
}

/* Written twice: once to count, so that no copy of a key is left behind by growing. */
static size_t write_line(char *to, const struct save_line *line)
{
	const char *text = line->changed ? line->changed : line->line.raw.at;
	size_t length = line->changed ? strlen(line->changed) : line->line.raw.length, at = 0;

	if (!line->dropped) {
		at += add(to, text, length);
		if (line->line.ended || line->after.length)
			at += add(to ? to + at : NULL, "\n", 1);
	}
	return at + add(to ? to + at : NULL, line->after.data, line->after.length);
}

char *save_lines_join(const struct save_lines *lines, const char *appended)
{
	size_t size = strlen(appended) + 2, at = 0;
	char *joined;

	for (size_t i = 0; i < lines->count; i++)
		size += write_line(NULL, &lines->items[i]);
	joined = mem_new(size, 1);
	for (size_t i = 0; i < lines->count; i++)
		at += write_line(joined + at, &lines->items[i]);
	if (appended[0] && at && joined[at - 1] != '\n')
		joined[at++] = '\n';
	add(joined + at, appended, strlen(appended));
	return joined;
}

bool save_line_is(const struct save_line *line, const char *key)
{
	struct quick_span text = line->line.text;
	size_t matched = 0;

	if (line->line.key != QUICK_KEY_WG)
		return false;
	for (size_t i = 0; i < text.length && text.at[i] != '#'; i++) {
		char c = text.at[i];

		if (is_space(c))
			continue;
		if (!key[matched])
			return c == '=';
		if (strncasecmp(&c, &key[matched], 1) != 0)
			return false;
		matched++;
	}
	return false;
}

void save_line_change(struct save_line *line, const char *value)
{
	struct quick_span raw = line->line.raw, old;
	const char *equals = memchr(raw.at, '=', raw.length), *comment;
	size_t before, after, length = strlen(value);
	char *changed;

	if (!equals)
		return;
	old = (struct quick_span){equals + 1, raw.length - (size_t)(equals + 1 - raw.at)};
	comment = old.length ? memchr(old.at, '#', old.length) : NULL;
	if (comment)
		old.length = (size_t)(comment - old.at);
	old = quick_trim(old);
	before = (size_t)(old.at - raw.at);
	after = raw.length - before - old.length;
	changed = mem_new(before + length + after + 1, 1);
	memcpy(changed, raw.at, before);
	memcpy(changed + before, value, length);
	memcpy(changed + before + length, old.at + old.length, after);
	wipe_text(line->changed);
	line->changed = changed;
}
