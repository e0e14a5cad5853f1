/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/yaml/plain.h"

#include <string.h>
#include <strings.h>

#include "common/base/mem.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Null and the booleans, in whatever case: readers differ in what they take. */
static bool is_word_of_yaml(const char *text)
{
	static const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};

	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (!strcasecmp(text, words[i]))
			return true;
	return false;
}

/* Numbers and dates begin with a digit, a sign or a point; indicators are none of these characters. */
static bool is_plain(const char *text)
{
	if (!is_letter(*text) || is_word_of_yaml(text))
		return false;
	for (const char *c = text; *c; c++)
		if (!is_letter(*c) && !is_digit(*c) && !strchr("_-./", *c))
			return false;
	return true;
}

static void put_quoted(struct text *out, const char *text)
{
	text_add(out, "\"");
	for (const char *c = text; *c; c++)
		if (*c == '"' || *c == '\\')
			text_add(out, "\\%c", *c);
		else if ((unsigned char)*c < ' ' || *c == '\177')
			text_add(out, "\\x%02x", (unsigned char)*c);
		else
			text_add_bytes(out, c, 1);
	text_add(out, "\"");
}

void yaml_put_text(struct text *out, const char *text)
{
	if (is_plain(text))
		text_add(out, "%s", text);
	else
		put_quoted(out, text);
}
