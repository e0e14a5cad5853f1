/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_SAVE_LINE_H
#define HOLDFAST_QUICK_SAVE_LINE_H

#include "common/base/text.h"
#include "node-agent/core/quick/line.h"

/* A file as lines that can be dropped, changed, and have others put behind them. */
struct save_line {
	struct quick_line line;
	bool is_key; /* neither blank nor only a comment */
	bool dropped;
	char *changed;     /* owned, secret; NULL: as it was */
	struct text after; /* whole lines, secret */
};

struct save_lines {
	struct save_line *items;
	size_t count, capacity;
};

void save_lines_init(struct save_lines *lines, const char *text, size_t size);
void save_lines_clear(struct save_lines *lines);
char *save_lines_join(const struct save_lines *lines, const char *appended); /* the caller wipes and frees */

/* Is it wg's key of this name, as wg reads a line (white space and case do not count)? */
bool save_line_is(const struct save_line *line, const char *key);
/* Another value; indentation, spelling and comment stay. */
void save_line_change(struct save_line *line, const char *value);

#endif
