/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/texts.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

void texts_add(struct texts *texts, const char *text)
{
	texts->items = mem_grow(texts->items, &texts->capacity, texts->count + 1, sizeof(*texts->items));
	texts->items[texts->count++] = mem_text(text);
}

void texts_copy(struct texts *to, const struct texts *from)
{
	struct texts copy = {0};

	for (size_t i = 0; i < from->count; i++)
		texts_add(&copy, from->items[i]);
	*to = copy;
}

bool texts_equal(const struct texts *a, const struct texts *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

void texts_clear(struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->items[i]);
	free(texts->items);
	*texts = (struct texts){0};
}
