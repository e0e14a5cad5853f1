/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_LINE_H
#define HOLDFAST_QUICK_LINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The lines of a wg-quick file, taken apart as wg-quick takes them: bash's `read -r` trims spaces and tabs, `#` begins a
 * comment, the key is what stands before the first '=' and a line without one has itself as its value; keys are
 * compared without regard to case; any line that begins with '[' leaves [Interface]. Everything that is not one of
 * wg-quick's own keys is wg(8)'s.
 */
struct quick_span {
	const char *at;
	size_t length;
};

enum quick_key {
	QUICK_KEY_WG, /* not wg-quick's */
	QUICK_KEY_ADDRESS,
	QUICK_KEY_DNS,
	QUICK_KEY_MTU,
	QUICK_KEY_TABLE,
	QUICK_KEY_PRE_UP,
	QUICK_KEY_POST_UP,
	QUICK_KEY_PRE_DOWN,
	QUICK_KEY_POST_DOWN,
	QUICK_KEY_SAVE_CONFIG,
};

struct quick_line {
	unsigned number;        /* from 1 */
	struct quick_span raw;  /* without its newline */
	bool ended;             /* by a newline */
	struct quick_span text; /* trimmed */
	enum quick_key key;
	struct quick_span value; /* trimmed, without comment (hooks: with it, bash reads it) */
};

struct quick_lines {
	const char *text;
	size_t size, at;
	unsigned number;
	bool in_interface;
};

void quick_lines_init(struct quick_lines *lines, const char *text, size_t size);
/* false: that was all. */
bool quick_lines_next(struct quick_lines *lines, struct quick_line *ret_line);

/* From 1, in bytes. */
unsigned quick_column(const struct quick_line *line, const char *at);

struct quick_span quick_trim(struct quick_span span);         /* isspace(3) in the C locale */
bool quick_span_is(struct quick_span span, const char *text); /* ASCII case does not count */
/* The next of words separated by commas and white space; false: none. */
bool quick_next_word(struct quick_span *rest, struct quick_span *ret_word);

#endif
