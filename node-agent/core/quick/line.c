/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/line.h"

#include <string.h>
#include <strings.h>

#include "common/base/mem.h"

static const struct {
	const char *name;
	enum quick_key key;
} own_keys[] = {
	{"Address", QUICK_KEY_ADDRESS},
	{"DNS", QUICK_KEY_DNS},
	{"MTU", QUICK_KEY_MTU},
	{"Table", QUICK_KEY_TABLE},
	{"PreUp", QUICK_KEY_PRE_UP},
	{"PostUp", QUICK_KEY_POST_UP},
	{"PreDown", QUICK_KEY_PRE_DOWN},
	{"PostDown", QUICK_KEY_POST_DOWN},
	{"SaveConfig", QUICK_KEY_SAVE_CONFIG},
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct quick_span trim(struct quick_span span, bool (*drop)(char))
{
	while (span.length && drop(span.at[0])) {
		span.at++;
		span.length--;
	}
	while (span.length && drop(span.at[span.length - 1]))
		span.length--;
	return span;
}

struct quick_span quick_trim(struct quick_span span)
{
	return trim(span, is_space);
}

bool quick_span_is(struct quick_span span, const char *text)
{
	return span.length == strlen(text) && !strncasecmp(span.at, text, span.length);
}

bool quick_next_word(struct quick_span *rest, struct quick_span *ret_word)
{
	size_t length = 0;

	while (rest->length && (rest->at[0] == ',' || is_space(rest->at[0]))) {
		rest->at++;
		rest->length--;
	}
	while (length < rest->length && rest->at[length] != ',' && !is_space(rest->at[length]))
		length++;
	*ret_word = (struct quick_span){rest->at, length};
	rest->at += length;
	rest->length -= length;
	return length > 0;
}

void quick_lines_init(struct quick_lines *lines, const char *text, size_t size)
{
	*lines = (struct quick_lines){.text = text, .size = size};
}

static struct quick_span until(struct quick_span span, char c)
{
	const char *found = span.length ? memchr(span.at, c, span.length) : NULL;

	if (found)
		span.length = (size_t)(found - span.at);
	return span;
}

static struct quick_span after_equals(struct quick_span span)
{
	struct quick_span before = until(span, '=');

	if (before.length == span.length)
		return span;
	return (struct quick_span){before.at + before.length + 1, span.length - before.length - 1};
}

static enum quick_key own_key(struct quick_span name)
{
	for (size_t i = 0; i < ARRAY_COUNT(own_keys); i++)
		if (quick_span_is(name, own_keys[i].name))
			return own_keys[i].key;
	return QUICK_KEY_WG;
}

static bool is_hook(enum quick_key key)
{
	return key == QUICK_KEY_PRE_UP || key == QUICK_KEY_POST_UP || key == QUICK_KEY_PRE_DOWN ||
	       key == QUICK_KEY_POST_DOWN;
}

static void take_apart(struct quick_lines *lines, struct quick_line *line)
{
	struct quick_span stripped = until(line->text, '#');
	struct quick_span name = quick_trim(until(stripped, '='));

	if (name.length && name.at[0] == '[')
		lines->in_interface = quick_span_is(name, "[Interface]");
	line->key = lines->in_interface ? own_key(name) : QUICK_KEY_WG;
	line->value = quick_trim(after_equals(is_hook(line->key) ? line->text : stripped));
}

bool quick_lines_next(struct quick_lines *lines, struct quick_line *ret_line)
{
	struct quick_span rest = {lines->text + lines->at, lines->size - lines->at};
	struct quick_line line = {.number = lines->number + 1};

	if (!rest.length)
		return false;
	line.raw = until(rest, '\n');
	line.ended = line.raw.length < rest.length;
	line.text = trim(line.raw, is_blank);
	lines->at += line.raw.length + line.ended;
	lines->number++;
	take_apart(lines, &line);
	*ret_line = line;
	return true;
}

unsigned quick_column(const struct quick_line *line, const char *at)
{
	return at < line->raw.at ? 1 : (unsigned)(at - line->raw.at) + 1;
}
