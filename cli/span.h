/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_SPAN_H
#define HOLDFAST_CLI_SPAN_H

#include <stddef.h>
#include <stdint.h>

/* How long, for people: "850 ms", "12 s", "3 min", "5 h", "4 d"; two units where the first is small: "1 min 20 s".
 * Returns buffer. */
enum { SPAN_TEXT_MAX = 64 };
char *span_format(int64_t ms, char buffer[SPAN_TEXT_MAX]);

#endif
