/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/hook/line.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

#define BLANKS " \t"
#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./_-"

bool hook_line_is_plain(const char *line)
{
	return line[strspn(line, BLANKS)] == '/' && !line[strspn(line, PLAIN BLANKS)];
}

void hook_line_words(const char *line, struct texts *ret_words)
{
	struct texts words = {0};

	for (line += strspn(line, BLANKS); *line; line += strspn(line, BLANKS)) {
		size_t length = strcspn(line, BLANKS);
		struct text word = {0};

		text_add_bytes(&word, line, length);
		texts_add(&words, word.data);
		text_clear(&word);
		line += length;
	}
	*ret_words = words;
}
