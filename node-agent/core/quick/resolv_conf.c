/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/resolv_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

enum { MARKER_MAX = 64 };
static const char HIDDEN[] = "#holdfast ", HIDDEN_END[] = ": ";

static size_t line_length(const char *text)
{
	const char *end = strchr(text, '\n');

	return end ? (size_t)(end - text) + 1 : strlen(text);
}

static void add_block(struct text *to, const char *interface, const struct quick_texts *servers,
	const struct quick_texts *search)
{
	text_add(to, "# holdfast %s begins\n", interface);
	for (size_t i = 0; i < servers->count; i++)
		text_add(to, "nameserver %s\n", servers->items[i]);
	for (size_t i = 0; i < search->count; i++)
		text_add(to, "%s%s", i ? " " : "search ", search->items[i]);
	text_add(to, "%s# holdfast %s ends\n", search->count ? "\n" : "", interface);
}

char *quick_resolv_conf_add(const char *text, const char *interface, const struct quick_texts *servers,
	const struct quick_texts *search)
{
	CLEANUP_FREE char *clean = quick_resolv_conf_remove(text, interface);
	struct text to = {0};

	add_block(&to, interface, servers, search);
	for (const char *line = clean; *line; line += line_length(line)) {
		text_add(&to, "%s%s%s", HIDDEN, interface, HIDDEN_END);
		text_add_bytes(&to, line, line_length(line));
	}
	return text_take(&to);
}

/* The end of the prefix that hides a line on behalf of a tunnel; NULL: it is not hidden. */
static const char *after_prefix(const char *line, size_t length)
{
	const char *end;

	if (length < strlen(HIDDEN) || strncmp(line, HIDDEN, strlen(HIDDEN)) != 0)
		return NULL;
	end = memmem(line, length, HIDDEN_END, strlen(HIDDEN_END));
	return end ? end + strlen(HIDDEN_END) : NULL;
}

static bool is_prefix_of(const char *prefix, size_t length, const char *interface)
{
	size_t name = strlen(interface);

	return length == strlen(HIDDEN) + name + strlen(HIDDEN_END) &&
	       !strncmp(prefix + strlen(HIDDEN), interface, name);
}

static bool is_line(const char *line, size_t length, const char *wanted)
{
	return length == strlen(wanted) && !memcmp(line, wanted, length);
}

/* Its prefixes but the interface's own, and what they hide. */
static const char *take_prefixes(struct text *to, const char *line, size_t length, const char *interface)
{
	const char *at = line, *next;

	while ((next = after_prefix(at, length - (size_t)(at - line)))) {
		if (!is_prefix_of(at, (size_t)(next - at), interface))
			text_add_bytes(to, at, (size_t)(next - at));
		at = next;
	}
	return at;
}

char *quick_resolv_conf_remove(const char *text, const char *interface)
{
	char begins[MARKER_MAX], ends[MARKER_MAX];
	struct text to = {0};
	bool inside = false;

	snprintf(begins, sizeof(begins), "# holdfast %.15s begins\n", interface);
	snprintf(ends, sizeof(ends), "# holdfast %.15s ends\n", interface);
	for (const char *line = text; *line; line += line_length(line)) {
		struct text kept = {0};
		const char *end = line + line_length(line);
		const char *rest = take_prefixes(&kept, line, line_length(line), interface);
		bool begin = is_line(rest, (size_t)(end - rest), begins);
		bool last = is_line(rest, (size_t)(end - rest), ends);

		inside |= begin;
		if (!inside && !last) {
			text_add_bytes(&kept, rest, (size_t)(end - rest));
			text_add_bytes(&to, kept.data ? kept.data : "", kept.length);
		}
		inside &= !last;
		text_clear(&kept);
	}
	return text_take(&to);
}
