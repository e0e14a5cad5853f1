/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_BASE_TEXTS_H
#define HOLDFAST_BASE_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

/* A list of texts, in order. {0} is an empty one. */
struct texts {
	char **items; /* owned, as each of them is */
	size_t count, capacity;
};

void texts_add(struct texts *texts, const char *text); /* copies */
/* A copy of its own; what *to held before is not freed. */
void texts_copy(struct texts *to, const struct texts *from);
bool texts_equal(const struct texts *a, const struct texts *b);
void texts_clear(struct texts *texts); /* frees; then it is empty */

#endif
