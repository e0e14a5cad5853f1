/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/cause.h"

#include <string.h>

#include "common/base/text.h"

bool cause_is_news(struct cause *cause, const struct err *err, int64_t now_ms)
{
	char text[sizeof(cause->text)];

	err_format(err, text, sizeof(text));
	if (!strcmp(text, cause->text) && now_ms - cause->told_ms < CAUSE_AGAIN_MS)
		return false;
	(void)text_copy(cause->text, sizeof(cause->text), text);
	cause->told_ms = now_ms;
	return true;
}

void cause_is_over(struct cause *cause)
{
	cause->text[0] = '\0';
}
