/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_STRIP_H
#define HOLDFAST_QUICK_STRIP_H

#include <stddef.h>

/* What is not wg-quick's own in a file, as `wg-quick strip` prints it to the byte: lines trimmed, an empty line at the
 * end. Nothing is checked. The caller wipes and frees. */
char *quick_strip(const char *text, size_t size);

#endif
