/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/strip.h"

#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/quick/line.h"

char *quick_strip(const char *text, size_t size)
{
	char *stripped = mem_new(size + 3, 1), *end = stripped; /* in one piece: it holds a key */
	struct quick_lines lines;
	struct quick_line line;

	quick_lines_init(&lines, text, size);
	while (quick_lines_next(&lines, &line)) {
		if (line.key != QUICK_KEY_WG || (!line.ended && !line.text.length))
			continue;
		memcpy(end, line.text.at, line.text.length);
		end += line.text.length;
		*end++ = '\n';
	}
	*end = '\n';
	return stripped;
}
