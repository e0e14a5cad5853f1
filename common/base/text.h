/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_BASE_TEXT_H
#define HOLDFAST_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text that grows, and small questions about text. */
struct text {
	char *data; /* NULL, or terminated */
	size_t length, capacity;
};

void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *text, const void *data, size_t size_bytes);
void text_clear(struct text *text); /* frees */
char *text_take(struct text *text); /* the caller frees; "" if nothing was added */

/* Copy with truncation, always terminated. Returns false if it did not fit. */
bool text_copy(char *to, size_t size, const char *from);

/* The candidate nearest to word by edit distance, if near enough to be meant (at most a third of its length,
 * at least one); else NULL. For: did you mean "listen_port"? */
const char *text_nearest(const char *word, const char *const candidates[], size_t count);

/* A whole decimal number in [min, max]; no sign, no spaces. -EINVAL or -ERANGE. */
int text_to_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);

/* Names of gateways, endpoints, peers, tunnels: [A-Za-z0-9][A-Za-z0-9_.-]*, at most max characters. */
bool text_is_name(const char *text, size_t max);

/* In place: control characters (C0, DEL, C1 as UTF-8) become '?', so that what others wrote moves nobody's cursor. Returns
 * text. */
char *text_for_terminal(char *text);

#endif
