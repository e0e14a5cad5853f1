/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/redact.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/quick/line.h"

static struct quick_span cut(struct quick_span span, char at)
{
	const char *found = span.length ? memchr(span.at, at, span.length) : NULL;

	if (found)
		span.length = (size_t)(found - span.at);
	return span;
}

/* wg(8) takes no notice of white space within a line. */
static bool is_key(struct quick_span name, const char *wanted)
{
	char squeezed[32];
	size_t length = 0;

	for (size_t i = 0; i < name.length; i++) {
		if (!quick_trim((struct quick_span){name.at + i, 1}).length)
			continue;
		if (length == sizeof(squeezed))
			return false;
		squeezed[length++] = name.at[i];
	}
	return quick_span_is((struct quick_span){squeezed, length}, wanted);
}

static bool is_open_to_all(struct quick_span text)
{
	static const char *const keys[] = {
		"ListenPort", "FwMark", "PublicKey", "AllowedIPs", "Endpoint", "PersistentKeepalive"};
	struct quick_span name = cut(text, '=');

	if (is_key(name, "[Interface]") || is_key(name, "[Peer]"))
		return true;
	for (size_t i = 0; name.length < text.length && i < ARRAY_COUNT(keys); i++)
		if (is_key(name, keys[i]))
			return true;
	return false;
}

static bool is_kept(const struct quick_line *line, struct quick_span text)
{
	switch (line->key) {
	case QUICK_KEY_WG:
		return is_open_to_all(text);
	case QUICK_KEY_ADDRESS:
	case QUICK_KEY_DNS:
	case QUICK_KEY_MTU:
	case QUICK_KEY_TABLE:
		return true;
	case QUICK_KEY_PRE_UP:
	case QUICK_KEY_POST_UP:
	case QUICK_KEY_PRE_DOWN:
	case QUICK_KEY_POST_DOWN:
	case QUICK_KEY_SAVE_CONFIG:
		return false;
	}
	return false;
}

char *quick_redact(const char *text, size_t size)
{
	struct text redacted = {0};
	struct quick_lines lines;
	struct quick_line line;

	quick_lines_init(&lines, text, size);
	while (quick_lines_next(&lines, &line)) {
		struct quick_span kept = quick_trim(cut(line.text, '#'));

		if (!kept.length || !is_kept(&line, kept))
			continue;
		text_add_bytes(&redacted, kept.at, kept.length);
		text_add(&redacted, "\n");
	}
	return text_take(&redacted);
}
